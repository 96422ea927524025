# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# systemd/: units, drop-ins and presets, as systemd itself reads them: 257 of Debian 13 and that of sid. Sourced by ./run.
# shellcheck disable=SC2154,SC2317  # scratch, tools and the like are of ./run and lib.sh

sid_tools=$build/roots/sid
bootengine/debian-root --suite sid qemu/newer.packages "$sid_tools"
MAKEFLAGS='' make -s install DESTDIR="$scratch/units" > "$log" 2>&1 || { cat "$log"; exit 3; }

version_in() { sed -n 's/^systemd \([0-9]*\).*/\1/p' "$1.packages"; } # ROOT
in_installed() { # ROOT COMMAND...: in it, as make install leaves it
	local root=$1
	shift
	# shellcheck disable=SC2016  # for the inner shell
	run bootengine/in-root --writable --ro-bind "$scratch/units=/run/units" "$root" -- bash -euc \
		'cp -R /run/units/usr/. /usr/; eval "$1"' bash "$*"
}

# Not a word about any unit of vext's, nor about those that have a drop-in.
systemd_reads_them() { # ROOT
	local unit units=()
	for unit in systemd/system/*; do
		unit=${unit#systemd/system/} unit=${unit%.d}
		[ ! -e "$1/usr/lib/systemd/system/$unit" ] && [ ! -f "systemd/system/$unit" ] || units+=("${unit/@./@one.}")
	done
	[ ${#units[@]} -ge 5 ] || fail "only ${units[*]}"
	in_installed "$1" "systemd-analyze verify --man=no ${units[*]}; touch /etc/initrd-release; systemd-analyze verify --man=no ${units[*]}"
	wants 0
	! grep -E '(vext|sysext|confext)' "$out" "$err" || fail "systemd has something to say"
}

# What is restated for the host's units is what systemd says itself, but for the directories; and what the drop-ins count on.
drop_ins_fit() { # ROOT
	local class from=$1/usr/lib/systemd/system unit
	for unit in systemd/system/*.d; do
		unit=${unit##*/}
		[ -e "$from/${unit%.d}" ] || fail "systemd has no ${unit%.d}"
	done
	for class in sysext confext; do
		diff <(grep '^Condition' "$from/systemd-$class.service" | grep -v '^ConditionDirectoryNotEmpty=' | sort) \
			<(grep '^Condition.*=.' "systemd/system/systemd-$class.service.d/50-vext.conf" | sort) || fail "other conditions"
		for unit in ExecStart ExecReload ExecStop; do # each of these, and no other one
			grep -q "^$unit=systemd-$class " "$from/systemd-$class.service" || fail "systemd-$class.service has no $unit"
			grep -qx "$unit=" "systemd/system/systemd-$class.service.d/50-vext.conf" || fail "$unit of systemd-$class.service stays"
		done
		[ "$(grep -c '^Exec' "$from/systemd-$class.service")" = 3 ] || fail "systemd-$class.service has more than it had"
		grep -q '^Before=.*initrd-root-fs\.target' "$from/systemd-$class-sysroot.service" ||
			fail "systemd-$class-sysroot.service may come after vext: it was before initrd-root-fs.target"
	done
}

# "preset-all", as mkosi runs it, with and without its "disable *". MODE is what the root is: system or initrd.
links='initrd.target.wants/vext.service initrd-parse-etc.service.requires/vext-required.service
	initrd-cleanup.service.requires/vext-required.service initrd-switch-root.target.requires/vext-required.service'
preset_all='[ $MODE = system ] || touch /etc/initrd-release
	rm -rf /etc/systemd/system /etc/systemd/*-preset; mkdir /etc/systemd/system
	[ $REST = kept ] || for d in system initrd; do mkdir -p /usr/lib/systemd/$d-preset
		echo "disable *" > /usr/lib/systemd/$d-preset/99-default.preset; done
	systemctl --root=/ preset-all 2> /dev/null
	cd /etc/systemd/system; find . -name "vext*.service" -printf "%P\n"'
presets_hold() { # ROOT MODE
	local rest link
	for rest in kept disabled; do
		in_installed "$1" "MODE=$2 REST=$rest; $preset_all"
		wants 0
		for link in $links; do says "^$link\$"; done
		[ "$(wc -l < "$out")" = 4 ] || fail "other links: $(cat "$out")"
	done
	# It is the presets that do it.
	in_installed "$1" "MODE=$2 REST=disabled; rm /usr/lib/systemd/*-preset/80-vext.preset; $preset_all"
	wants 0
	[ ! -s "$out" ] || fail "enabled without a preset: $(cat "$out")"
}

for root in "$tools" "$sid_tools"; do
	version=$(version_in "$root")
	try "units: systemd $version has nothing to say of them" systemd_reads_them "$root"
	for mode in system initrd; do
		try "units: enabled after preset-all, systemd $version, $mode" presets_hold "$root" $mode
	done
done
try "units: the drop-ins fit the units of systemd $(version_in "$sid_tools")" drop_ins_fit "$sid_tools"
