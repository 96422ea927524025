# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts in qemu/: where things are, and the roots that they need. Sourced.

top=$(realpath -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
# shellcheck source=bootengine/work.sh
. "$top/bootengine/work.sh"
build=${VEXT_BUILD:-$top/build}
tools=${VEXT_TOOLS:-$build/roots/tools}
guest=${VEXT_GUEST:-$build/roots/guest}
newer=$build/roots/newer
me=${0##*/}
unset SYSEXT_SIGNING_KEY_DIR # of Flatcar's SDK: here are two keys, and each is one of its own
# For every guest's kernel. Early in its boot it looks whether timer interrupts come, and panics when they don't ("IO-APIC +
# timer doesn't work!"), which is what an emulator on a busy machine looks like.
# shellcheck disable=SC2034  # for who sources this
always=no_timer_check

die() { echo "$me: $*" >&2; exit 3; }
bad_usage() { echo "$me: $*" >&2; usage >&2; exit 2; }
need_program() { # PROGRAM PACKAGE
	command -v "$1" >/dev/null || die "$1 is not installed: apt-get install $2"
}

# Seconds since the script began, for progress lines.
started=${EPOCHREALTIME/./}
progress() {
	local t=$(((${EPOCHREALTIME/./} - started) / 100000))
	printf '%4d.%d s  %s\n' $((t / 10)) $((t % 10)) "$*" >&2
}

need_tools() { "$top/bootengine/debian-root" "$top/bootengine/tools.packages" "$tools"; }
# The root that a guest boots: $guest, made from $guest_packages.
guest_packages=$top/qemu/guest.packages
need_guest() { "$top/bootengine/debian-root" "$guest_packages" "$guest"; }
guest_with_selinux() { guest=$build/roots/selinux guest_packages=$top/qemu/selinux.packages; }
# The next release is the steadier one, but at times it has not all of the packages.
need_newer() {
	"$top/bootengine/debian-root" --suite forky "$top/qemu/newer.packages" "$newer" ||
		"$top/bootengine/debian-root" --suite sid "$top/qemu/newer.packages" "$newer"
}

# The only kernel in a root.
kernel_version() { # [ROOT]
	local root=${1:-$tools}
	local found=("$root"/usr/lib/modules/*/modules.dep)
	if [ ${#found[@]} != 1 ] || [ ! -e "${found[0]}" ]; then
		die "$root/usr/lib/modules: not exactly one kernel"
	fi
	basename -- "$(dirname -- "${found[0]}")"
}
kernel_image() { echo "${1:-$tools}/boot/vmlinuz-$(kernel_version "${1:-}")"; } # [ROOT]

# A file's content has changed when its parts have: prints one hash over files, directories and words.
fingerprint() {
	local x
	for x in "$@"; do
		if [ -d "$x" ]; then
			find "$x" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
		elif [ -f "$x" ]; then
			sha256sum < "$x"
		else
			echo "$x"
		fi
	done | sha256sum | cut -d' ' -f1
}
