# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# vext open as far as it goes without device mapper and disks, sourced by ./run. The rest is in qemu/scenarios/open.
# shellcheck disable=SC2154,SC2317  # scratch, build and the like are of ./run and lib.sh

open_hash=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff

# As if these words were the kernel command line.
vo() { # WORDS [OPTION...]
	printf '%s\n' "$1" > "$scratch/cmdline"
	shift
	# shellcheck disable=SC2016  # for the shell inside
	run unshare --mount --propagation private -- sh -c 'mount --bind "$0" /proc/cmdline && exec "$@"' \
		"$scratch/cmdline" "$build/vext" open "$@"
}

opens_nothing() {
	vo "quiet root=/dev/sda1"
	wants 0
	tells 'no root hash: nothing is opened'
	[ ! -s "$out" ] || fail "something on standard output; $(quoted)"
}

refuses_words() { # REASON BYTE WORDS
	vo "$3"
	wants 1
	tells "^vext: /proc/cmdline, at byte $2: ${1//./\\.}: .{20}"
	[ "$(wc -l < "$err")" = 1 ] || fail "more than one line; $(quoted)"
}

malformed_words() {
	refuses_words kernel.open-value 33 "verity.usr=/dev/a verity.usrhash=0011"
	refuses_words kernel.open-value 11 "verity.usr=LABEL=usr verity.usrhash=$open_hash"
	refuses_words kernel.open-value 100 "usrhash=$open_hash systemd.verity_usr_options=ignore-corruption"
	refuses_words kernel.open-value 16 "rd.earlytimeout=never"
	refuses_words kernel.open-partial 11 "verity.usr=PARTUUID=7130c94a-213a-4e5a-8e26-6cce9662f132"
	refuses_words kernel.open-partial 15 "verity.usrhash=$open_hash"
	refuses_words kernel.open-twice 73 "usrhash=$open_hash usrhash=$open_hash"
}

# Bounded, by either of two words for it; and it says what it waits for.
missing_disk() {
	local start
	for words in rd.earlytimeout=2 --timeout=2; do
		start=$SECONDS
		case $words in
		rd.*) vo "verity.usr=PARTUUID=7130c94a-213a-4e5a-8e26-6cce9662f132 verity.usrhash=$open_hash $words" ;;
		*) vo "usrhash=$open_hash rd.earlytimeout=300" "$words" ;;
		esac
		wants 1
		tells '^vext: usr: waiting for PARTUUID=[0-9a-f-]{36}, 2 s at most$'
		tells '^vext: usr: PARTUUID=[0-9a-f-]{36}: kernel\.open-missing: '
		[ $((SECONDS - start)) -ge 2 ] || fail "it did not wait"
		[ $((SECONDS - start)) -lt 60 ] || fail "it waited for $((SECONDS - start)) s"
	done
	vo "verity.usr=/dev/vext-nothing verity.usrhash=$open_hash" --timeout 0
	wants 1
	tells '^vext: usr: /dev/vext-nothing: kernel\.open-missing: .*: No such file or directory$'
}

not_a_disk() {
	vo "verity.usr=/dev/null verity.usrhash=$open_hash" --timeout 0
	wants 1
	tells 'image\.type: '
}

open_usage() {
	local words
	for words in more '--timeout' '--timeout x' '--timeout 3601' '--timeout -1' '--anchor x'; do
		# shellcheck disable=SC2086  # words
		run "$build/vext" open $words
		[ "$status" = 2 ] || fail "'vext open $words': exit status $status; $(quoted)"
	done
}

# ---- the initramfs that it is for ----------------------------------------------------------------

minimal_initramfs() {
	local name
	for name in a b; do
		run bootengine/minimal-initramfs --vext "$build/vext" --drivers virtio_blk -o "$scratch/$name.cpio"
		wants 0
	done
	cmp "$scratch/a.cpio" "$scratch/b.cpio" || fail "not the same bytes twice"
	cpio --quiet -t < "$scratch/a.cpio" > "$scratch/list"
	for name in init bin/vext bin/busybox 'lib/modules/.*/dm-verity.ko' 'lib/modules/.*/virtio_blk.ko' 'lib/modules/.*/modules.alias'; do
		grep -qx "$name" "$scratch/list" || fail "$name is not in it"
	done
	if grep -E 'veritysetup|dmsetup|\.so(\.|$)' "$scratch/list"; then fail "more in it than should be"; fi
	run bootengine/minimal-initramfs --with nothing
	wants 2
	run bootengine/minimal-initramfs --vext "$scratch/absent" -o "$scratch/c.cpio"
	wants 3
	[ ! -e "$scratch/c.cpio" ] || fail "a result in spite of that"
}

try "open: nothing to do" opens_nothing
try "open: malformed, half and double requests" malformed_words
try "open: a disk that is not there, bounded" missing_disk
try "open: a node that is no disk" not_a_disk
try "open: wrong usage" open_usage
try "minimal-initramfs: the same twice, and nothing but vext" minimal_initramfs
