# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The dracut module by two versions of dracut, and bootengine/update-bootengine. Sourced by ./run.
# shellcheck disable=SC2154,SC2317  # scratch, tools and the like are of ./run, sysext.sh and lib.sh

module=dracut/90vext
mkdir -p "$scratch/dracut/other" "$scratch/dracut/out"

# The dracut of this machine's own Debian, over that of the tools root: 059 on Debian 12.
fetch_other_dracut() {
	(cd "$scratch/dracut" && apt-get -q -q download dracut-core && dpkg-deb -x dracut-core_*.deb other) > "$log" 2>&1 ||
		{ cat "$log"; exit 3; }
	sed -n 's/^DRACUT_VERSION=//p' "$scratch/dracut/other/usr/lib/dracut/dracut-version.sh"
}
own_version=$(sed -n 's/^DRACUT_VERSION=//p' "$tools/usr/lib/dracut/dracut-version.sh")
other_version=$(fetch_other_dracut)

# As somebody installs vext: the binary, the module, then dracut as ever. $prepare runs in the root before that.
cat > "$scratch/dracut/inside" << 'END'
set -eu
[ "$1" = own ] || cp -R /run/other/usr/. /usr/
install /run/vext /usr/bin/vext
cp -R /run/90vext /usr/lib/dracut/modules.d/
cp -R /run/units/. /usr/lib/systemd/
eval "$PREPARE"
mkdir /run/tmp
exec dracut --force --conf /dev/null --confdir /run/tmp --tmpdir /run/tmp --no-hostonly --no-early-microcode --nostrip \
	--no-compress --kver "$(ls /usr/lib/modules)" --drivers loop --modules "$2" /run/out/initramfs
END
prepare=:
dracut_by() { # own, other; MODULES
	rm -f "$scratch/dracut/out"/*
	run bootengine/in-root --writable --ro-bind "$scratch/dracut/other=/run/other" --ro-bind "$build/vext=/run/vext" \
		--ro-bind "$module=/run/90vext" --ro-bind systemd=/run/units \
		--ro-bind "$scratch/dracut/inside=/run/inside" --bind "$scratch/dracut/out=/run/out" \
		--setenv "PREPARE=$prepare" "$tools" -- bash /run/inside "$1" "$2"
	cat "$out" >> "$err" # 106 says all of it there, 059 half
	# Without the only module there is no initramfs at all.
	names=
	[ "$status" != 0 ] || names=$(cpio --quiet -t < "$scratch/dracut/out/initramfs" 2> /dev/null)
}
has() { grep -Eqx -- "$1" <<< "$names" || fail "not in the initramfs: $1"; }
has_not() { ! grep -Ex -- "$1" <<< "$names" || fail "in the initramfs: $1"; }

module_goes_in() { # WHICH
	local m
	dracut_by "$1" "base vext"
	has 'usr/bin/vext'
	has '(var|usr)/lib/dracut/hooks/pre-pivot/95-vext-pre-pivot\.sh'
	has_not '.*/vext\.service'
	for m in block/loop md/dm-mod md/dm-verity; do has ".*/kernel/drivers/$m\.ko.*"; done
	for m in erofs/erofs squashfs/squashfs overlayfs/overlay; do has ".*/kernel/fs/$m\.ko.*"; done
	has '.*sha256.*'
	# No dm and no crypt: vext needs neither, nor what they bring.
	has_not '.*(dmsetup|cryptsetup|veritysetup|libdevmapper).*'
	dracut_by "$1" "systemd-initrd vext"
	has 'usr/bin/vext'
	has 'usr/lib/systemd/system/vext\.service'
	has 'usr/lib/systemd/system/initrd\.target\.wants/vext\.service'
	for m in initrd-parse-etc.service initrd-cleanup.service initrd-switch-root.target; do
		has "usr/lib/systemd/system/$m\.requires/vext-required\.service"
	done
	for m in sysext confext; do has "usr/lib/systemd/system/systemd-$m-sysroot\.service\.d/50-vext\.conf"; done
	has_not '.*vext-pre-pivot.*'
	prepare='echo "policy = root=signed" > /etc/vext.conf'
	dracut_by "$1" "vext"
	has 'etc/vext\.conf'
}

# When dracut is run, not at the first boot.
# shellcheck disable=SC2016  # for the inner shell
module_tells() { # WHICH
	local here='$(ls /usr/lib/modules)' fs='/usr/lib/modules/*/kernel/fs' md='/usr/lib/modules/*/kernel/drivers/md'
	prepare="rm -r $fs/squashfs; depmod $here"
	dracut_by "$1" "vext"
	tells 'vext: kernel [^ ]+ lacks squashfs; system extensions of this file system will be refused$'
	has usr/bin/vext
	prepare="rm -r $fs/squashfs $fs/erofs $md/dm-verity*; depmod $here"
	dracut_by "$1" "vext"
	tells 'vext: kernel [^ ]+ lacks dm_verity, erofs; .* left out$'
	has_not usr/bin/vext
	prepare='rm /usr/lib/systemd/system/vext.service'
	dracut_by "$1" "systemd-initrd vext"
	tells 'vext: /usr/lib/systemd/system/vext\.service is not installed, .* left out$'
	has_not usr/bin/vext
	dracut_by "$1" "base vext" # nothing there would read it
	has usr/bin/vext
	[ "$1" = own ] || return 0 # the rest is of the same functions
	prepare="rm -r $fs/erofs; depmod $here"
	dracut_by "$1" "vext"
	tells 'vext: kernel [^ ]+ lacks erofs; .* left out$'
	has_not usr/bin/vext
	prepare="rm -r $fs/overlayfs; depmod $here"
	dracut_by "$1" "vext"
	tells 'vext: kernel [^ ]+ lacks overlay; '
	# Built in is as good.
	prepare="rm -r $fs/overlayfs; echo kernel/fs/overlayfs/overlay.ko >> \$(echo /usr/lib/modules/*/modules.builtin); depmod $here"
	dracut_by "$1" "vext"
	has usr/bin/vext
	has_not '.*/overlay\.ko.*'
	prepare='rm /usr/bin/vext'
	dracut_by "$1" "vext"
	has_not usr/bin/vext
	tells "(vext' cannot be installed|could not find|command 'vext')"
}

# Which of systemd's units stand back, when dracut runs: here that of sid. CONFIG is baked into vext.
told_of() { # CLASSES CONFIG
	printf '%s\n' "$2" > "$scratch/classes"
	crypto/bake --config "$scratch/classes" "$build/vext" "$scratch/classes.vext"
	run bootengine/update-bootengine --root "$sid_tools" --modules "systemd-initrd systemd-sysext vext" --drivers loop \
		--vext "$scratch/classes.vext" --compress cat -o "$scratch/boot/classes"
	wants 0
	[ "$(sed -n 's/.* systemd-\(.*\)-sysroot\.service stands back: \1s are vext.s$/\1/p' "$err" | tr '\n' ' ')" = "$1" ] ||
		fail "classes = $2: $(quoted)"
}
module_tells_who_merges() {
	told_of 'sysext confext ' ''
	told_of 'sysext ' 'classes = sysext'
	# What asks vext at boot is there, and so are the units that it speaks to.
	for class in sysext confext; do
		grep -q " usr/lib/systemd/system/systemd-$class-sysroot\.service$" "$scratch/boot/classes.list" || fail "no unit for ${class}s"
		grep -q " usr/lib/systemd/system/systemd-$class-sysroot\.service\.d/50-vext\.conf$" "$scratch/boot/classes.list" ||
			fail "no drop-in for ${class}s"
	done
	# A vext for another machine.
	cp "$build/vext" "$scratch/foreign.vext"
	printf '\x34\x12' | dd of="$scratch/foreign.vext" bs=1 seek=18 conv=notrunc status=none
	run bootengine/update-bootengine --root "$sid_tools" --modules "systemd-initrd systemd-sysext vext" --drivers loop \
		--vext "$scratch/foreign.vext" --compress cat -o "$scratch/boot/classes"
	wants 0
	tells 'systemd-sysext-sysroot\.service asks vext at boot whether it merges sysexts; vext can.t be run here'
	# Before systemd 258 the unit of the host is that of the initramfs.
	run bootengine/update-bootengine --root "$tools" --modules "systemd-initrd systemd-sysext vext" --drivers loop \
		--compress cat -o "$scratch/boot/classes"
	wants 0
	tells 'systemd-sysext\.service stands back: nothing is merged onto the initramfs itself$'
	refuted grep -q sysroot "$err"
}

# What dracut's own project looks at, with its settings.
module_is_clean() {
	shfmt -d -i 4 -ci -bn -sr -s "$module"/*.sh || fail "shfmt would write it otherwise"
	shellcheck -x "$module"/*.sh
	bash -n "$module/module-setup.sh"
	dash -n "$module/vext-pre-pivot.sh"
	busybox ash -n "$module/vext-pre-pivot.sh"
	[ "$(stat -c %a "$module/module-setup.sh")" = 755 ] || fail "module-setup.sh can't be run"
}
# In the order of DESIGN: behind the root and who makes its links, before anybody reads it.
unit_is_in_order() {
	local unit=systemd/system/vext.service name
	for name in initrd-root-fs.target initrd-usr-fs.target initrd-setup-root-after-ignition.service; do
		sed -n 's/^After=//p' "$unit" | tr ' ' '\n' | grep -qx "$name" || fail "not After=$name"
	done
	for name in initrd-parse-etc.service initrd-cleanup.service initrd-switch-root.target shutdown.target; do
		sed -n 's/^Before=//p' "$unit" | tr ' ' '\n' | grep -qx "$name" || fail "not Before=$name"
	done
	grep -q '^TimeoutStartSec=[0-9]' "$unit" || fail "it may wait without a bound"
	# dracut's own shells of rd.break=pre-pivot and later come behind initrd-parse-etc.service, hence behind vext.
	grep -q '^After=.*initrd-parse-etc\.service' "$tools/usr/lib/dracut/modules.d/98dracut-systemd/dracut-pre-pivot.service" ||
		fail "dracut-pre-pivot.service has changed: look again where its shell comes"
}

# ---- update-bootengine ------------------------------------------------------------------------

update_bootengine() { run bootengine/update-bootengine --root "$tools" "$@"; }

# Twice, from different surroundings; then what it lists, and that nothing of this machine is in it.
initramfs_is_the_same() {
	local one=$scratch/boot/one two=$scratch/boot/two machine
	update_bootengine -o "$one"
	wants 0
	tells 'one: [0-9]+ KiB \(zstd\), [0-9]+ KiB in [0-9]+ files unpacked, kernel [^ ]+, vext [0-9]+ KiB, '
	mkdir "$scratch/elsewhere"
	run env -C "$scratch/elsewhere" TZ=Asia/Tokyo LC_ALL=C HOSTNAME=other dracutbasedir=/nowhere HOME=/nowhere \
		bash -c 'umask 077; exec "$@"' sh "$PWD/bootengine/update-bootengine" --root "$tools" -o "$two" --max-size 100M \
		--vext "$build/vext" --list "$scratch/boot/list"
	wants 0
	cmp "$one" "$two" || fail "not the same twice"
	cmp "$one.list" "$scratch/boot/list" || fail "another list"
	zstd -q -dc "$one" > "$scratch/boot/raw"
	[ "$(cut -d' ' -f4- "$one.list" | sed 's/ -> .*//' | sort)" = "$(cpio --quiet -t < "$scratch/boot/raw" | sort)" ] ||
		fail "the list is not what is in it"
	grep -qx -- "-rwxr-xr-x 0:0 $(stat -c %s "$build/vext") usr/bin/vext" "$one.list" || fail "vext is not in the list"
	for machine in "$PWD" "$(hostname)" "$(cat /etc/machine-id 2> /dev/null)" "$scratch"; do
		[ ${#machine} -lt 6 ] || ! grep -a -q -F -e "$machine" "$scratch/boot/raw" || fail "'$machine' of this machine is in it"
	done
	[ -z "$(awk '$2 != "0:0"' "$one.list")" ] || fail "not all of it is root's: $(awk '$2 != "0:0"' "$one.list" | head -n 3)"
}
# A root below the places that a tmpfs is mounted on elsewhere, and with characters that overlayfs splits at.
# shellcheck disable=SC2016  # for the inner shell
writes_into_any_root() {
	unshare --mount --propagation private -- sh -euc 'mount -t tmpfs tmpfs /mnt
		mkdir "/mnt/a,b:c d"
		mount --bind "$1" "/mnt/a,b:c d"
		exec bootengine/in-root --writable "/mnt/a,b:c d" -- sh -c "echo written > /etc/written && cat /etc/written"' \
		sh "$build/roots/tools" > "$out"
	says '^written$'
	[ ! -e "$build/roots/tools/etc/written" ] || fail "the root itself was written to"
}

# dracut 112 puts the modules, which are compressed already, into an archive of its own, which comes first.
initramfs_of_two_archives() {
	local one=$scratch/boot/newer
	# shellcheck disable=SC1091,SC2016  # for the inner shell
	run bash -euc '. qemu/lib.sh; need_newer'
	wants 0
	run bootengine/update-bootengine --root "$build/roots/sid" --modules vext -o "$one"
	wants 0
	[ "$(head -c 6 "$one")" = 070701 ] || fail "it begins with what is compressed: $(grep dracut "$build/roots/sid.packages") makes no two"
	grep -qx -- "-rwxr-xr-x 0:0 $(stat -c %s "$build/vext") usr/bin/vext" "$one.list" || fail "vext is not in the list"
	grep -q ' usr/lib/modules/.*/dm-verity\.ko\.xz$' "$one.list" || fail "dm-verity is not in the list"
	[ "$(cut -d' ' -f4- "$one.list" | sort | uniq -d | wc -l)" = 0 ] || fail "something is in the list twice"
}
initramfs_has_a_budget() {
	echo before > "$scratch/boot/kept"
	# A small one, for the time that it takes.
	update_bootengine -o "$scratch/boot/kept" --modules vext --drivers loop --compress gzip --max-size 100K
	wants 3
	tells 'kept: [0-9]+ KiB, and --max-size is 100K: not written'
	tells '[0-9]+ KiB +usr/bin/vext$'
	[ "$(cat "$scratch/boot/kept")" = before ] || fail "written all the same"
	[ -z "$(find "$scratch/boot" -name '.update*')" ] || fail "something is left"
	update_bootengine --max-size lots
	wants 2
	update_bootengine -o "$scratch/boot/kept" --kernel 1.2.3
	wants 3
	tells 'no such kernel'
}

try "dracut module: dracut $own_version takes it, with and without systemd" module_goes_in own
try "dracut module: dracut $other_version takes it, with and without systemd" module_goes_in other
try "dracut module: dracut $own_version tells what the kernel lacks" module_tells own
try "dracut module: dracut $other_version tells what the kernel lacks" module_tells other
try "dracut module: tells which units of systemd stand back" module_tells_who_merges
try "dracut module: form" module_is_clean
try "dracut module: the unit's place in the order" unit_is_in_order
try "in-root: wherever the root is" writes_into_any_root
try "update-bootengine: the same bytes, whoever builds and where" initramfs_is_the_same
try "update-bootengine: two archives, as later versions of dracut make" initramfs_of_two_archives
try "update-bootengine: a budget" initramfs_has_a_budget
