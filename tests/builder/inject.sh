# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# bootengine/inject: certificates into an initramfs, a squashfs and a /usr tree that were built without them.
# Sourced by ./run.
# shellcheck disable=SC2154,SC2317  # scratch, key and the like are of ./run, sysext.sh and lib.sh

boot=$scratch/boot certificate=$key/rsa.crt
mkdir -p "$boot/tree/usr/bin" "$boot/tree/usr/lib" "$boot/microcode/kernel/x86"
cp -- "$build/vext" "$boot/tree/usr/bin/vext"
seq 1 50000 > "$boot/tree/usr/lib/numbers"
ln -s usr/bin "$boot/tree/bin"
chown 7:8 "$boot/tree/usr/lib/numbers"
echo nothing > "$boot/microcode/kernel/x86/code.bin"
archive() { (cd "$1" && find . -mindepth 1 -printf '%P\n' | sort | cpio --quiet -o -H newc); }
archive "$boot/tree" > "$boot/raw.cpio"
archive "$boot/microcode" > "$boot/microcode.cpio"
for how in gzip xz zstd; do $how -c "$boot/raw.cpio" > "$boot/$how.cpio"; done
xz -c --check=crc32 "$boot/raw.cpio" > "$boot/xz.cpio"
cat "$boot/microcode.cpio" "$boot/zstd.cpio" > "$boot/microcode-zstd.cpio"
(cat "$boot/microcode.cpio" "$boot/raw.cpio") > "$boot/microcode-raw.cpio"
(cat "$boot/microcode.cpio"; head -c 5004 /dev/zero; cat "$boot/raw.cpio"; head -c 100 /dev/zero) > "$boot/zeros-raw.cpio"
# As those that make no blocks of it: four zeros at most behind the last entry, and another archive, small or compressed, at once.
sed 's/\(TRAILER!!!\x00\{4\}\)\x00*$/\1/' "$boot/microcode.cpio" > "$boot/short.cpio"
[ $(($(stat -c %s "$boot/short.cpio") % 512)) != 0 ] || fail "short.cpio is not short"
cat "$boot/short.cpio" "$boot/short.cpio" "$boot/zstd.cpio" > "$boot/short-zstd.cpio"
cat "$boot/short.cpio" "$boot/raw.cpio" "$boot/short.cpio" "$boot/short.cpio" > "$boot/short-raw.cpio"

inject() { run bootengine/inject "$@"; }

is_trusting() { # VEXT CERTIFICATE
	run "$1" anchors
	wants 0
	[ "$(cut -d' ' -f1 "$out")" = "$(openssl x509 -in "$2" -outform der | sha256sum | cut -d' ' -f1)" ] ||
		fail "$1 trusts others; $(quoted)"
}

# The archive that was appended: everything behind what was there, which is as it was.
appended() { # BEFORE AFTER
	local size
	size=$(stat -c %s "$1")
	cmp -n "$size" "$1" "$2" || fail "what was there has changed"
	size=$(((size + 511) / 512 * 512))
	rm -rf "$scratch/appended"
	mkdir "$scratch/appended"
	tail -c "+$((size + 1))" "$2" | (cd "$scratch/appended" && cpio --quiet -i -d) || fail "no archive at $size"
	[ "$(cd "$scratch/appended" && find . | sort | tr '\n' ' ')" = ". ./usr ./usr/bin ./usr/bin/vext " ] ||
		fail "other files: $(find "$scratch/appended")"
}

into_initramfs() {
	local kind
	for kind in raw gzip xz zstd microcode-zstd microcode-raw zeros-raw short-zstd short-raw; do
		inject -o "$scratch/result" "$boot/$kind.cpio" -- "$certificate"
		wants 0
		appended "$boot/$kind.cpio" "$scratch/result"
		is_trusting "$scratch/appended/usr/bin/vext" "$certificate"
		# In place, and again the same bytes.
		cp "$boot/$kind.cpio" "$scratch/in-place"
		inject "$scratch/in-place" -- "$certificate"
		wants 0
		cmp "$scratch/in-place" "$scratch/result" || fail "$kind: not the same twice"
	done
	# A second time: the last one counts.
	inject "$scratch/in-place" -- --names 'a*' "$key/ec.crt"
	wants 0
	appended "$scratch/result" "$scratch/in-place"
	is_trusting "$scratch/appended/usr/bin/vext" "$key/ec.crt"
	# With what else can be baked.
	echo 'policy = root=signed' > "$scratch/policy.conf"
	inject "$scratch/in-place" -- "$certificate" --config "$scratch/policy.conf" --revoke-image "$(printf '%064d' 7)"
	wants 0
	rm -r "$scratch/appended"
	mkdir "$scratch/appended"
	inject --segment -o "$scratch/segment" -- "$certificate" --config "$scratch/policy.conf" --revoke-image "$(printf '%064d' 7)"
	cmp "$scratch/segment" <(tail -c "$(stat -c %s "$scratch/segment")" "$scratch/in-place")
	(cd "$scratch/appended" && cpio --quiet -i -d < "$scratch/segment")
	run "$scratch/appended/usr/bin/vext" boot --root "$scratch" --dry-run
	tells 'policy root=signed '
	run "$scratch/appended/usr/bin/vext" anchors
	says "^revoked image +$(printf '%064d' 7) +baked$"
	inject --segment -o "$scratch/segment" -- "$certificate"
	wants 0
	cp "$boot/raw.cpio" "$scratch/in-place"
	cat "$scratch/segment" >> "$scratch/in-place"
	inject -o "$scratch/result" "$boot/raw.cpio" -- "$certificate"
	cmp "$scratch/in-place" "$scratch/result" || fail "the segment alone is another one"
}

not_into() { # STATUS MESSAGE TARGET ARGUMENT...: nothing is changed, nothing left
	local expected=$1 message=$2 target=$3
	shift 3
	rm -rf "$scratch/not"
	mkdir "$scratch/not"
	cp -a "$target" "$scratch/not/target"
	inject "$@" "$scratch/not/target" -- "${arguments[@]}"
	wants "$expected"
	tells "$message"
	diff -r "$target" "$scratch/not/target" || fail "the target was changed"
	[ "$(ls -A "$scratch/not")" = target ] || fail "left behind: $(ls -A "$scratch/not")"
}
refuses_targets() {
	local arguments=("$certificate")
	not_into 3 'has no usr/bin/vext' "$boot/microcode.cpio"
	mkdir -p "$scratch/empty/usr"
	archive "$scratch/empty" | gzip > "$boot/without.cpio"
	not_into 3 'has no usr/bin/vext' "$boot/without.cpio"
	head -c 100000 "$boot/zstd.cpio" > "$boot/cut.cpio"
	not_into 3 "can't be read to its end" "$boot/cut.cpio"
	not_into 3 'neither an initramfs nor' README.md
	not_into 3 'neither a /usr tree nor a root' "$images"
	not_into 3 'has no bin/thing' "$boot/raw.cpio" --path bin/thing
	not_into 2 'a path without a slash' "$boot/raw.cpio" --path ../x
	not_into 3 'no such program' "$boot/raw.cpio" --vext "$scratch/nothing"
	openssl req -x509 -newkey rsa:1024 -nodes -days 9 -subj /CN=weak -keyout "$scratch/weak.key" -out "$scratch/weak.crt" \
		2> "$log.openssl"
	arguments=("$scratch/weak.crt")
	for target in "$boot/raw.cpio" "$boot/boot.img" "$boot/tree/usr"; do
		not_into 1 'signature\.anchor-key' "$target"
	done
	arguments=()
	not_into 2 'there is nothing to put in' "$boot/raw.cpio"
	arguments=(--config README.md "$certificate")
	not_into 1 'baked configuration, at byte [0-9]+: .*: nothing is merged' "$boot/raw.cpio"
	arguments=("$certificate" --config "$scratch/no-such.conf")
	not_into 1 'no-such\.conf cannot be read' "$boot/raw.cpio"
}

listing() { unsquashfs -lls "$1" | sed 1d | awk -v vext="$2" '$6 == "squashfs-root/usr/bin/vext" { print $1, $2, vext; next } { print }'; }
into_squashfs() {
	mksquashfs "$boot/tree" "$boot/boot.img" -comp zstd -Xcompression-level 7 -b 64K -noappend -quiet -no-progress
	inject -o "$scratch/result" "$boot/boot.img" -- "$certificate"
	wants 0
	inject -o "$scratch/result-2" "$boot/boot.img" -- "$certificate"
	wants 0
	cmp "$scratch/result" "$scratch/result-2" || fail "not the same twice"
	diff <(listing "$boot/boot.img" vext) <(listing "$scratch/result" vext) || fail "other files, owners, modes or times"
	diff <(unsquashfs -s "$boot/boot.img" | grep -E 'Creation|Compression|level|Block') \
		<(unsquashfs -s "$scratch/result" | grep -E 'Creation|Compression|level|Block') || fail "packed in another way"
	rm -rf "$scratch/unpacked"
	unsquashfs -quiet -no-progress -dest "$scratch/unpacked" "$scratch/result"
	is_trusting "$scratch/unpacked/usr/bin/vext" "$certificate"
	cmp "$scratch/unpacked/usr/lib/numbers" "$boot/tree/usr/lib/numbers"
	mksquashfs "$boot/microcode" "$scratch/other.img" -noappend -quiet -no-progress
	arguments=("$certificate")
	not_into 3 'has no usr/bin/vext' "$scratch/other.img"
}

into_usr() {
	local name
	cp -a "$boot/tree/usr" "$scratch/usr"
	inject "$scratch/usr" -- "$certificate" "$key/ec.crt"
	wants 0
	[ "$(find "$scratch/usr/lib/verity.d" -mindepth 1 -name '*.crt' -perm 0644 | wc -l)" = 2 ] || fail "not two certificates"
	[ "$(find "$scratch/usr/lib/verity.d" -mindepth 1 | wc -l)" = 2 ] || fail "more than those"
	for name in "$scratch"/usr/lib/verity.d/*.crt; do
		run "$build/vext" verify --anchor "$name" "$boot/none.raw"
		wants 1 # the image is not there; a certificate that vext does not take is wrong usage
	done
	# Again, by way of the root: nothing is there twice.
	mkdir "$scratch/usr-root"
	mv "$scratch/usr" "$scratch/usr-root/"
	inject "$scratch/usr-root" -- "$certificate"
	wants 0
	[ "$(find "$scratch/usr-root/usr/lib/verity.d" -mindepth 1 | wc -l)" = 2 ] || fail "there twice"
	arguments=(--names 'a*' "$certificate")
	not_into 2 'only certificates' "$scratch/usr-root/usr"
	rm -r "$scratch/usr-root/usr/lib/verity.d"
	ln -s /etc "$scratch/usr-root/usr/lib/verity.d"
	arguments=("$certificate")
	not_into 3 'verity.d: a link' "$scratch/usr-root/usr"
}


# The kernel is who takes the last file of a name.
kernel_takes_it() {
	local fingerprint kernels=("$tools"/boot/vmlinuz-*)
	fingerprint=$(openssl x509 -in "$certificate" -outform der | sha256sum | cut -d' ' -f1)
	cat > "$scratch/check" <<- END
		# shellcheck shell=dash
		vext anchors > /run/anchors
		expect "the certificate that was put in is trusted" grep -q "^$fingerprint " /run/anchors
		expect "no other is" [ "\$(wc -l < /run/anchors)" = 1 ]
		expect "vext works" [ "\$(vext --version)" = "$("$build/vext" --version)" ]
	END
	qemu/small --check "$scratch/check" -o "$scratch/small.cpio"
	gzip -1 "$scratch/small.cpio"
	inject --path bin/vext "$scratch/small.cpio.gz" -- "$certificate"
	wants 0
	truncate -s 8M "$scratch/disk.raw"
	mke2fs -q -t ext4 "$scratch/disk.raw"
	run qemu/run --kernel "${kernels[0]}" --initrd "$scratch/small.cpio.gz" --drive "$scratch/disk.raw" \
		--append "console=ttyS0 loglevel=4" --out "$scratch/qemu" --timeout 300
	[ "$status" = 0 ] || fail "status $status: $(cat "$scratch/qemu/result.txt" "$scratch/qemu/outcome"); $(tail -n 5 "$scratch/qemu/console.log")"
	grep -q '^total: 3 passed, 0 failed' <(tr -d '\r' < "$scratch/qemu/result.txt") || fail "$(cat "$scratch/qemu/result.txt")"
}

try "inject: into a squashfs" into_squashfs
try "inject: into an initramfs, however it is compressed" into_initramfs
try "inject: into a /usr tree" into_usr
try "inject: what it refuses stays as it was" refuses_targets
try "inject: a kernel takes what was put in" kernel_takes_it
