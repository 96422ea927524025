# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts in qemu/: where things are, and the roots that they need. Sourced.

top=$(realpath -- "$(dirname -- "${BASH_SOURCE[0]}")/..")
# shellcheck source=bootengine/work.sh
. "$top/bootengine/work.sh"
build=${VEXT_BUILD:-$top/build}
tools=${VEXT_TOOLS:-$build/roots/tools}
guest=${VEXT_GUEST:-$build/roots/guest}
newer=$build/roots/sid
mkosi=$build/roots/mkosi
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
# The root that a guest boots: $guest, made from $guest_packages of $guest_suite.
guest_packages=$top/qemu/guest.packages guest_suite=trixie
need_guest() {
	"$top/bootengine/debian-root" --suite $guest_suite "$guest_packages" "$guest" || return
	[ $guest_suite != sid ] || at_least "$guest" systemd 262
}
guest_with_selinux() { guest=$build/roots/selinux guest_packages=$top/qemu/selinux.packages; }
guest_of_today() { guest=$build/roots/sid-system guest_packages=$top/qemu/newer-guest.packages guest_suite=sid; }
# What these versions do first is what the newer root is for. A mirror may lag, or not have it for a time.
need_newer() {
	"$top/bootengine/debian-root" --suite sid "$top/qemu/newer.packages" "$newer" || return
	at_least "$newer" systemd 262 && at_least "$newer" dracut-core 110 && at_least "$newer" 'linux-image-[0-9].*' 7
}
at_least() { # ROOT PACKAGE MINIMUM: of the only package whose name is, or matches, this
	local version
	version=$(sed -n "s/^$2 //p" -- "$1.packages")
	[ "$(printf '%s\n' "$version" "$3" | sort -V | head -n 1)" = "$3" ] || {
		echo "$me: $1: ${2%%-[[]*} is ${version:-not there}, and $3 or later is needed: does the mirror lag behind Debian sid?" >&2
		return 1
	}
}
need_mkosi() {
	"$top/bootengine/debian-root" --suite sid "$top/qemu/mkosi.packages" "$mkosi" && at_least "$mkosi" mkosi 25
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
