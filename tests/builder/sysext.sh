# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# bootengine/build-sysext: every kind of image that it makes, and every tree that it refuses. Sourced by ./run.
# shellcheck disable=SC2154,SC2317  # scratch, out and the like are of lib.sh; try() calls the tests

tools=$build/roots/tools
images=$scratch/images tree=$scratch/tree key=$scratch/signing
mkdir -p "$images" "$key" "$tree/usr/bin" "$tree/usr/share/data" "$tree/usr/lib/systemd/system" "$tree/opt/thing"
seq 1 300000 > "$tree/usr/share/data/numbers"
printf '#!/bin/sh\necho here\n' > "$tree/usr/bin/thing"
chmod 0755 "$tree/usr/bin/thing"
ln -s ../share/data/numbers "$tree/usr/bin/numbers"
ln -s /usr/bin/thing "$tree/opt/thing/run"
echo '[Service]' > "$tree/usr/lib/systemd/system/thing.service"
find "$tree" -exec touch -h -d @1600000000 {} +
cp -a "$tree" "$scratch/etc-tree"
rm -r "$scratch/etc-tree/opt"
mv "$scratch/etc-tree/usr" "$scratch/etc-tree/etc"

openssl req -x509 -newkey rsa:2048 -nodes -days 99 -subj /CN=rsa -keyout "$key/rsa.key" -out "$key/rsa.crt" 2> "$log"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 99 -subj /CN=ec -keyout "$key/ec.key" \
	-out "$key/ec.crt" 2> "$log"

build_by() { # KEY OPTION... TREE OUT
	local by=$1
	shift
	run bootengine/build-sysext --private-key "$key/$by.key" --certificate "$key/$by.crt" "$@"
}

# What is in an image, by other programs than those that are tested: the files of its data partition in $scratch/files.
unpack() { # IMAGE
	local start last sector=512
	[ "$(dd if="$1" bs=1 skip=4096 count=8 status=none | tr -d '\0')" != "EFI PART" ] || sector=4096
	# The first entry of the table, in the second sector after the protective one: first and last sector.
	read -r start last < <(od -An -tu8 -j $((2 * sector + 32)) -N 16 "$1")
	rm -rf "$scratch/unpack" "$scratch/files"
	mkdir "$scratch/unpack"
	dd if="$1" of="$scratch/unpack/data" bs=$sector skip="$start" count=$((last - start + 1)) status=none
	if [ "$(head -c 4 "$scratch/unpack/data" | tr -d '\0')" = hsqs ]; then
		set -- unsquashfs -quiet -no-progress -dest /run/unpack/files /run/unpack/data
	else
		set -- fsck.erofs --extract=/run/unpack/files /run/unpack/data
	fi
	bootengine/in-root --bind "$scratch/unpack=/run/unpack" "$tools" -- "$@" > "$log.unpack" 2>&1 || fail "$(cat "$log.unpack")"
	mv "$scratch/unpack/files" "$scratch/files"
}
same_files() { # TREE RELEASE-FILE: what was unpacked, but for the one file that is added
	[ -f "$scratch/files/$2" ] || fail "$2 is not in the image"
	rm "$scratch/files/$2"
	rmdir "$(dirname "$scratch/files/$2")"
	diff -r --no-dereference "$1" "$scratch/files" || fail "other files than those of the tree"
	diff <(cd "$1" && find . -type f -printf '%m %p\n' | sort) <(cd "$scratch/files" && find . -type f -printf '%m %p\n' | sort) ||
		fail "other modes than those of the tree"
	[ -z "$(find "$scratch/files" ! -user 0)" ] || fail "not all of it is root's"
}

makes() { # SECTOR-SIZE OPTION...
	local sector=$1
	shift
	build_by rsa --sector-size "$sector" "$@" "$tree" "$images/x.raw"
	wants 0
	says '^x\.raw: [0-9]+ KiB \(content [0-9]+ KiB, data [0-9]+ KiB, hash tree [0-9]+ KiB\), accepted by vext$'
	says '^  root hash [0-9a-f]{64}$'
	"$build/vext" verify --deep --anchor "$key/rsa.crt" "$images/x.raw" > "$out" || fail "$(cat "$out")"
	"$build/vext" inspect --json --anchor "$key/rsa.crt" "$images/x.raw" > "$out"
	[ "$(jq .sectorSize "$out")" = "$sector" ] || fail "another sector size"
	unpack "$images/x.raw"
	same_files "$tree" usr/lib/extension-release.d/extension-release.x
	jq -r '"\(.filesystem) \(.partitions[0].size)"' "$out" > "$scratch/kind"
}
all_kinds() {
	local plain size kind sector=512
	makes 512
	read -r kind plain < "$scratch/kind"
	[ "$kind" = erofs ] || fail "$kind is the default"
	for kind in erofs:lz4hc erofs:zstd squashfs:none squashfs:lz4hc squashfs:zstd; do
		sector=$((512 + 4096 - sector)) # one, and the other
		makes $sector --format "${kind%:*}" --compression "${kind#*:}"
		read -r made size < "$scratch/kind"
		[ "$made" = "${kind%:*}" ] || fail "$kind made $made"
		[ "$kind" = squashfs:none ] || [ "$size" -lt $((plain * 9 / 10)) ] || fail "$kind: $size of $plain bytes"
	done
	makes 4096 --mkfs-options '-zlz4 -C4096'
}

release_file() { # FILE: of the image that was unpacked last, as it should be on standard input
	diff - "$scratch/files/$1" || fail "another $1"
}
fields() {
	build_by rsa --name thing --id flatcar --version-id 4500.0.0 --sysext-level 1.0 --architecture x86-64 \
		--scope 'system initrd' --reload-manager --set SYSEXT_ID=thing --set SYSEXT_VERSION_ID=7 "$tree" "$images/x.raw"
	wants 0
	unpack "$images/x.raw"
	release_file usr/lib/extension-release.d/extension-release.thing <<- END
		ID=flatcar
		VERSION_ID=4500.0.0
		SYSEXT_LEVEL=1.0
		ARCHITECTURE=x86-64
		SYSEXT_SCOPE="system initrd"
		EXTENSION_RELOAD_MANAGER=1
		SYSEXT_ID=thing
		SYSEXT_VERSION_ID=7
	END
	build_by rsa --architecture _any "$tree" "$images/x.raw"
	unpack "$images/x.raw"
	echo ID=_any | release_file usr/lib/extension-release.d/extension-release.x
	# The tree's own says for what machine it is, and so do the partitions.
	local other=arm64 type=B921B045-1DF0-41C3-AF44-4C6F280D3FAE # root of arm64
	[ "$(uname -m)" = x86_64 ] || other=x86-64 type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
	rm -rf "$scratch/own"
	cp -a "$tree" "$scratch/own"
	mkdir -p "$scratch/own/usr/lib/extension-release.d"
	printf 'ID=_any\nARCHITECTURE="%s"\n' $other > "$scratch/own/usr/lib/extension-release.d/extension-release.x"
	build_by rsa "$scratch/own" "$images/x.raw"
	wants 0
	says 'not checked'
	sfdisk --dump "$images/x.raw" | grep -q "type=$type" ||
		fail "partitions of this machine's architecture: $(sfdisk --dump "$images/x.raw")"
	build_by rsa --architecture _any "$scratch/own" "$images/x.raw"
	wants 3
	tells "ARCHITECTURE=$other, and not _any"
	echo ID=_any > "$scratch/own/usr/lib/extension-release.d/extension-release.x"
	build_by rsa --architecture $other "$scratch/own" "$images/x.raw"
	wants 0
	sfdisk --dump "$images/x.raw" | grep -q "type=$type" || fail "partitions of another architecture than the option's"
	printf 'ID=_any\nARCHITECTURE=vax\n' > "$scratch/own/usr/lib/extension-release.d/extension-release.x"
	build_by rsa "$scratch/own" "$images/x.raw"
	wants 3
	tells 'ARCHITECTURE=vax: x86-64, arm64 or _any'
}

confext() {
	build_by rsa --type confext --id debian --confext-level 3 --architecture _any "$scratch/etc-tree" "$images/x.raw"
	wants 0
	says ', accepted by vext$'
	unpack "$images/x.raw"
	printf 'ID=debian\nCONFEXT_LEVEL=3\n' | release_file etc/extension-release.d/extension-release.x
	same_files "$scratch/etc-tree" etc/extension-release.d/extension-release.x
	build_by rsa --type confext "$tree" "$images/y.raw"
	wants 3
	tells 'has no etc, so there is nothing to extend'
	build_by rsa --type confext --id debian --sysext-level 3 "$scratch/etc-tree" "$images/y.raw"
	wants 2
}

# ---- the same again ---------------------------------------------------------------------------

# Another place, other times, another order of making, another mask: the same image.
again() {
	rm -rf "$scratch/again"
	mkdir "$scratch/again"
	(
		umask 077
		cd "$tree" || exit
		find . | sort -r | cpio --quiet -p -d "$scratch/again"
		cd "$scratch/again" || exit
		find . -type d -exec chmod 0755 {} +
	)
}
reproducible() {
	local options kind
	again
	export SOURCE_DATE_EPOCH=1700000000
	for options in "" "--compression lz4hc --sector-size 4096" "--format squashfs"; do
		# shellcheck disable=SC2086  # words
		build_by rsa $options --name same "$tree" "$images/one.raw"
		wants 0
		# shellcheck disable=SC2086  # words
		(umask 077; build_by rsa $options --name same "$scratch/again" "$images/two.raw"; wants 0)
		cmp "$images/one.raw" "$images/two.raw" || fail "'$options': not the same image twice"
	done
	# ECDSA signs differently each time: the signature's partition differs, and nothing else.
	build_by ec --name same "$tree" "$images/one.raw"
	build_by ec --name same "$scratch/again" "$images/two.raw"
	"$build/vext" inspect --json --anchor "$key/ec.crt" "$images/one.raw" > "$out"
	read -r at size < <(jq -r '.partitions[] | select(.type | test("verity-sig")) | "\(.offset) \(.size)"' "$out")
	cmp -l "$images/one.raw" "$images/two.raw" > "$scratch/differ" || true
	[ -s "$scratch/differ" ] || fail "the same signature twice, by ECDSA"
	awk -v at="$at" -v size="$size" '$1 <= at || $1 > at + size { print; bad = 1 } END { exit bad }' "$scratch/differ" ||
		fail "more differs than the signature"
	# That it does depend on what is packed.
	echo more >> "$scratch/again/usr/bin/thing"
	build_by rsa --name same "$scratch/again" "$images/two.raw"
	! cmp -s "$images/one.raw" "$images/two.raw" || fail "another tree, the same image"
}

# ---- systemd 252 ------------------------------------------------------------------------------

by_definitions() {
	local version
	version=$(systemd-repart --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
	if [ "$version" -ge 255 ]; then
		build_by rsa --tools host "$tree" "$images/x.raw"
		wants 0
		return
	fi
	makes 4096 --tools host
	makes 4096 --tools host --format squashfs
	build_by rsa --tools host --type confext --sector-size 4096 "$scratch/etc-tree" "$images/x.raw"
	wants 0
	build_by rsa --tools host --unsigned --sector-size 4096 "$tree" "$images/x.raw"
	wants 0
	says 'unsigned, else accepted by vext$'
	rm "$images/x.raw"
	build_by rsa --tools host "$tree" "$images/x.raw"
	wants 3
	tells 'only with --sector-size 4096; 255 or later'
	build_by rsa --tools host --sector-size 4096 --architecture arm64 "$tree" "$images/x.raw"
	wants 3
	tells 'for its own architecture only'
	# The key of another certificate: nothing is left, no loop device either.
	run bootengine/build-sysext --tools host --sector-size 4096 --private-key "$key/ec.key" --certificate "$key/rsa.crt" \
		"$tree" "$images/x.raw"
	wants 3
	[ ! -e "$images/x.raw" ] || fail "an image in spite of that"
	! losetup --list --noheadings | grep -F "$images" || fail "a loop device is left"
}

# ---- trees that are none ----------------------------------------------------------------------

# told OPTION... -- MESSAGE COMMAND: of a copy of the tree, changed by COMMAND; nothing is made.
told() {
	local options=() message
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	message=$2
	rm -rf "$scratch/bad" "${images:?}"/*
	cp -a "$tree" "$scratch/bad"
	(cd "$scratch/bad" && eval "$3")
	# Not even looked for, before the tree is known to be one.
	build_by rsa --tools /nonexistent "${options[@]}" "$scratch/bad" "$images/x.raw"
	wants 3
	tells "$message"
	[ -z "$(find "$images" -mindepth 1)" ] || fail "left behind: $(find "$images" -mindepth 1)"
}
# shellcheck disable=SC2016  # for the copy
unsafe_trees() {
	told -- 'usr/bin/x: a link that leads out of the image, to \.\./\.\./\.\./etc/shadow' 'ln -s ../../../etc/shadow usr/bin/x'
	told -- 'opt/x: a link that leads out of the image' 'ln -s ../a/../../b opt/x'
	told -- "usr/bin/x: a link that leads out of the image, to $scratch/bad/usr" 'ln -s "$PWD/usr/bin/thing" usr/bin/x'
	told -- 'merge\.type: usr/lib64 is a link in the image and a directory in a usual root' 'ln -s lib usr/lib64'
	told -- 'usr/lib/extension-release\.d: a link' 'ln -s ../share usr/lib/extension-release.d'
	told -- 'usr/x: a device' 'mknod usr/x c 0 0 || mknod usr/x c 1 3' # where this is an overlay itself
	told -- 'opt/x: a device' 'mknod opt/x b 7 0'
	told -- 'usr/x: neither file, directory nor link' 'mkfifo usr/x'
	told -- 'merge\.os-release: usr/lib/os-release is protected' 'ln -s nowhere usr/lib/os-release'
	told -- 'merge\.whiteout: usr/share has a mark of overlayfs' 'setfattr -n user.overlay.opaque -v y usr/share'
	told -- 'merge\.whiteout: usr/share has a mark of overlayfs' 'setfattr -n trusted.overlay.opaque -v y usr/share || setfattr -n user.overlay.origin -v y usr/share'
	told -- 'extension-release\.y: is for an image of another name than x' \
		'mkdir -p usr/lib/extension-release.d; echo ID=_any > usr/lib/extension-release.d/extension-release.y'
	told -- 'not a file that says ID=' \
		'mkdir -p usr/lib/extension-release.d; echo VERSION_ID=1 > usr/lib/extension-release.d/extension-release.x'
	# All at once, in few lines.
	told -- '… and 15 more such files' 'ln -s / usr/root; for i in $(seq 20); do mknod usr/bin/$i c 1 3; done'
	tells 'usr/root leads to /, outside of the merged hierarchies'
	[ "$(wc -l < "$err")" -le 10 ] || fail "told at too great length; $(quoted)"
}
foreign_owners() {
	told -- 'usr/bin/thing: belongs to neither root nor you' 'chown 4242 usr/bin/thing'
	told -- 'usr/bin: belongs to neither root nor you' 'chgrp 4242 usr/bin'
	told --all-root -- 'usr/bin/thing: runs as its owner' 'chown 4242 usr/bin/thing; chmod u+s usr/bin/thing'
	told --all-root -- 'usr/bin/thing: runs as its owner' 'chgrp 4242 usr/bin/thing; chmod g+s usr/bin/thing'
	rm -rf "$scratch/bad"
	cp -a "$tree" "$scratch/bad"
	chown 4242:4243 "$scratch/bad/usr/bin/thing"
	build_by rsa --all-root "$scratch/bad" "$images/x.raw"
	wants 0
	unpack "$images/x.raw"
	[ "$(stat -c %u:%g "$scratch/files/usr/bin/thing")" = 0:0 ] || fail "still the other's"
	build_by rsa --keep-owners "$scratch/bad" "$images/x.raw"
	wants 0
	unpack "$images/x.raw"
	[ "$(stat -c %u:%g "$scratch/files/usr/bin/thing")" = 4242:4243 ] || fail "not kept: $(stat -c %u:%g "$scratch/files/usr/bin/thing")"
	# A setuid file of root stays one.
	cp -a "$tree/." "$scratch/bad"
	chown 0:0 "$scratch/bad/usr/bin/thing"
	chmod 4755 "$scratch/bad/usr/bin/thing"
	build_by rsa "$scratch/bad" "$images/x.raw"
	wants 0
	unpack "$images/x.raw"
	[ "$(stat -c %a "$scratch/files/usr/bin/thing")" = 4755 ] || fail "mode $(stat -c %a "$scratch/files/usr/bin/thing")"
}
# The caller's own are root's in the image, when the caller is not root.
callers_own() {
	mkdir "$scratch/mine"
	cp -a "$tree" "$scratch/mine/"
	chown -hR 65534:65534 "$scratch/mine"
	mkdir -p "$scratch/src/core"
	cp -a bootengine "$scratch/"
	cp -a src/core/protected.def "$scratch/src/core/"
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$scratch/bootengine/build-sysext" --unsigned --vext '' \
		--tools /nonexistent "$scratch/mine/tree" "$scratch/mine/x.raw"
	wants 3
	! grep -q 'belongs to' "$err" || fail "its own are foreign; $(quoted)"
	tells 'nonexistent'
}
left_out() {
	cp -a "$tree" "$scratch/more"
	mkdir "$scratch/more/etc" "$scratch/more/var"
	build_by rsa "$scratch/more" "$images/x.raw"
	wants 0
	tells 'more/etc: not part of a sysext, left out$'
	tells 'more/var: not part of a sysext, left out$'
	unpack "$images/x.raw"
	[ ! -e "$scratch/files/etc" ] || fail "packed"
}
wrong_options() {
	local words
	for words in "--name $(printf '%069d' 1)" '--type portable' '--format btrfs' '--format erofs --compression xz' '--confext-level 1' \
		'--type confext --sysext-level 1' '--set ID=x' '--reload-manager --set EXTENSION_RELOAD_MANAGER=0' '--set x=1'; do
		# shellcheck disable=SC2086  # words
		build_by rsa $words "$tree" "$images/x.raw"
		[ "$status" = 2 ] || fail "$words: status $status; $(quoted)"
	done
	# What vext would refuse does not come out, whatever else would take it.
	build_by rsa --mkfs-options '-b1024' "$tree" "$images/x.raw"
	[ "$status" = 3 ] || "$build/vext" verify --anchor "$key/rsa.crt" "$images/x.raw" > /dev/null || fail "an image that vext refuses"
}

try "build-sysext: each file system, compression and sector size" all_kinds
try "build-sysext: the fields of extension-release" fields
try "build-sysext: a confext" confext
try "build-sysext: the same again, up to the signature" reproducible
try "build-sysext: by the machine's own systemd-repart" by_definitions
try "build-sysext: trees that would do harm, or nothing" unsafe_trees
try "build-sysext: files of others" foreign_owners
try "build-sysext: files of the caller" callers_own
try "build-sysext: what else is in the tree" left_out
try "build-sysext: options that don't fit" wrong_options
