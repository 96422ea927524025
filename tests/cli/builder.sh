# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The image builder's tools, sourced by ./run: crypto/bake, crypto/ephemeral-key, bootengine/build-sysext.
# shellcheck disable=SC2154,SC2317  # scratch, images and the like are of ./run and lib.sh

# ---- bake -------------------------------------------------------------------------------------

trusts() { # BINARY CERTIFICATE...: just these
	local binary=$1
	shift
	run "$binary" anchors
	wants 0
	[ "$(cut -d' ' -f1 "$out" | sort)" = "$(for c; do fingerprint "$c"; done | sort)" ] ||
		fail "trusts other certificates; $(quoted)"
}

bakes() { # FROM: bakes into it, and the result verifies without --anchor
	run crypto/bake "$1" "$scratch/bake" "$rsa" "$p256"
	wants 0
	trusts "$scratch/bake" "$rsa" "$p256"
	run "$scratch/bake" verify "$images/rsa.raw" "$images/p256.raw"
	wants 0
	says '^accepted rsa: .* \(baked\)$'
	run "$scratch/bake" verify "$images/p384.raw"
	wants 1
	says 'signature\.untrusted'
	# --anchor takes the place of what is baked.
	run "$scratch/bake" verify --anchor "$p384" "$images/p384.raw" "$images/rsa.raw"
	wants 1
	says '^accepted p384: '
	says '^refused rsa: signature\.untrusted: '
	run "$scratch/bake" anchors --json
	strict_json "$out"
	member '[.anchors[].key] | sort | join(" ")' 'P-256 RSA-4096'
	member '[.anchors[].source] | unique | join(" ")' baked
}

bakes_objcopied() {
	objcopy --strip-all "$build/$(uname -m)/vext.elf" "$scratch/objcopied"
	bakes "$scratch/objcopied"
	objcopy --add-section .note=/etc/hostname "$build/vext" "$scratch/objcopied"
	bakes "$scratch/objcopied"
}

bake_is_reproducible() {
	crypto/bake "$build/vext" "$scratch/one" "$rsa" "$p384"
	crypto/bake "$build/vext" "$scratch/two" "$rsa" "$p384"
	cmp "$scratch/one" "$scratch/two"
	# DER or PEM, over others or in place: nothing of what was there before stays.
	openssl x509 -in "$rsa" -outform der -out "$scratch/rsa-bake.der"
	crypto/bake "$scratch/baked" "$scratch/two" "$p256"
	crypto/bake "$scratch/two" "$scratch/two" "$scratch/rsa-bake.der" "$p384"
	cmp "$scratch/one" "$scratch/two"
	# Nothing but the section differs, and the size is the same.
	[ "$(stat -c %s "$scratch/one")" = "$(stat -c %s "$build/vext")" ] || fail "the size changed"
	[ "$(cmp -l "$scratch/one" "$build/vext" | wc -l)" -le 4096 ] || fail "more than certificates changed"
	[ "$(stat -c %a "$scratch/one")" = "$(stat -c %a "$build/vext")" ] || fail "the mode changed"
}

# bake_refuses STATUS MESSAGE BINARY CERTIFICATE...: told, and what was at OUT stays.
bake_refuses() {
	local expected=$1 message=$2 binary=$3
	shift 3
	echo before > "$scratch/kept"
	run crypto/bake "$binary" "$scratch/kept" "$@"
	wants "$expected"
	tells "$message"
	[ "$(cat "$scratch/kept")" = before ] || fail "OUT was touched"
	[ -z "$(find "$scratch" -maxdepth 1 -name 'kept?*')" ] || fail "something is left beside OUT"
}

bake_refusals() {
	local vext=$build/vext
	bake_refuses 1 'no section \.vext\.baked' /bin/true "$rsa"
	bake_refuses 1 'no section \.vext\.baked' "$rsa" "$rsa"
	bake_refuses 1 'no section \.vext\.baked' "$scratch/absent" "$rsa"
	objcopy --remove-section .vext.baked "$build/$(uname -m)/vext.elf" "$scratch/sectionless" 2> /dev/null ||
		cp /bin/true "$scratch/sectionless"
	bake_refuses 1 'no section' "$scratch/sectionless" "$rsa"
	# The magic at the section's start, and its size.
	local offset
	offset=$((0x$(readelf -SW "$vext" | awk '{ for (i = 1; i < NF; i++) if ($i == ".vext.baked") print $(i + 3) }')))
	flip "$vext" "$scratch/magicless" "$offset"
	bake_refuses 1 'does not start with' "$scratch/magicless" "$rsa"
	bake_refuses 1 'cannot be read' "$vext" "$scratch/absent.crt"
	cat "$rsa" "$p256" > "$scratch/two.crt"
	bake_refuses 1 'more than one PEM object' "$vext" "$p384" "$scratch/two.crt"
	head -c 400 "$rsa" > "$scratch/cut.crt"
	bake_refuses 1 'not an X\.509 certificate' "$vext" "$p384" "$scratch/cut.crt"
	openssl x509 -in "$rsa" -noout -pubkey > "$scratch/pub.crt"
	bake_refuses 1 'not an X\.509 certificate' "$vext" "$scratch/pub.crt"
	# What openssl takes and vext does not.
	weak_certificate "$scratch/weak.crt" -newkey rsa:1024
	bake_refuses 1 'baked certificates, at byte [0-9]+: signature\.anchor-key: ' "$vext" "$rsa" "$scratch/weak.crt"
	# vext is asked as well when OUT has no directory.
	run env -C "$scratch" "$PWD/crypto/bake" "$(realpath -- "$vext")" weak weak.crt
	wants 1
	tells 'signature\.anchor-key: '
	[ ! -e "$scratch/weak" ] || fail "a weak key is baked"
	weak_certificate "$scratch/weak.crt" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -addext keyUsage=critical,cRLSign
	bake_refuses 1 'signature\.anchor-usage: ' "$vext" "$scratch/weak.crt"
	bake_refuses 2 '^Usage' "$vext"
	run crypto/bake "$vext" "$scratch/no/such/directory/out" "$rsa"
	[ "$status" != 0 ] || fail "baked into a directory that is not there"
}

bake_too_much() {
	local certificates=() i
	for ((i = 0; i < 20; i++)); do certificates+=("$rsa"); done
	bake_refuses 1 'what is to be baked needs [0-9]+ bytes and the section has 32768' "$build/vext" \
		"${certificates[@]}" "${certificates[@]}"
	run crypto/bake "$build/vext" "$scratch/many" "${certificates[@]}"
	wants 0
	[ "$("$scratch/many" anchors | wc -l)" = 20 ] || fail "not 20 certificates in it"
}

# ---- ephemeral-key ----------------------------------------------------------------------------

# A place for the key that nobody else uses, so that what is left can be seen.
keys=$(mktemp -d -- /dev/shm/vext-cli.XXXXXXXX)
chmod 1777 "$keys"
leftovers+=("$keys")

as_root() { env XDG_RUNTIME_DIR="$keys" "$@"; }
as_somebody() { as_nobody env XDG_RUNTIME_DIR="$keys" HOME=/nonexistent "$@"; }

no_key_left() { # WHEN
	[ -z "$(find "$keys" -mindepth 1 -type f)" ] || fail "$1: left behind: $(find "$keys" -mindepth 1)"
	[ "${2-}" = directories ] || [ -z "$(find "$keys" -mindepth 1)" ] || fail "$1: left behind: $(find "$keys" -mindepth 1)"
	refuted grep -q vext-key /proc/self/mountinfo
}

public=$scratch/public
install -d -m 0777 "$public"
ephemeral=$scratch/ephemeral-key
cp -- crypto/ephemeral-key "$ephemeral"

key_success() { # as_root, as_somebody
	local place=$public/$1
	# shellcheck disable=SC2016  # for the inner shell
	run "$1" "$ephemeral" --type ec:P-256 --build-id "test-$1" "$place" -- sh -c '
		set -e
		openssl pkey -in "$VEXT_KEY" -pubout
		stat -c "mode %a" "$VEXT_KEY"
		stat -f -c "on %T" "$VEXT_KEY"
		echo "id $VEXT_BUILD_ID"
		echo "key $VEXT_KEY"
		openssl x509 -in "$VEXT_CERT" -noout -pubkey > "$VEXT_CERT.pub"
		cat; umask' < <(echo input)
	wants 0
	says '^mode 600$'
	says '^on (tmpfs|ramfs)$'
	says "^id test-$1\$"
	says '^input$'
	says "^$(umask)\$"
	cmp <(sed -n '/BEGIN/,/END/p' "$out") "$place/vext.crt.pub" || fail "the certificate is of another key"
	no_key_left "after success"
	[ ! -e "$(sed -n 's/^key //p' "$out")" ] || fail "the key is still there"
	[ "$(stat -c %a "$place/vext.crt")" = 644 ] || fail "the certificate's mode"
	openssl x509 -in "$place/vext.crt" -noout -subject | grep -q "CN = vext ephemeral test-$1" || fail "subject"
	openssl x509 -in "$place/vext.crt" -noout -ext keyUsage,basicConstraints > "$scratch/ext"
	grep -q 'Digital Signature$' "$scratch/ext" || fail "$(cat "$scratch/ext")"
	grep -q CA:FALSE "$scratch/ext" || fail "$(cat "$scratch/ext")"
	run "$vext" verify --anchor "$place/vext.crt" "$images/good.raw"
	wants 1
	[ "$(find "$place" -name '*.crt' -o -name '.*' -type f | wc -l)" = 1 ] || fail "more than a certificate is left"
}

key_types() {
	local type
	for type in rsa:2048 ec:P-384; do
		run as_root "$ephemeral" --type "$type" --name "${type#*:}" "$public" -- true
		wants 0
		run "$vext" verify --anchor "$public/${type#*:}.crt" "$images/good.raw"
		says 'signature\.untrusted'
	done
	for type in rsa:1024 ec:P-521 ed25519 ''; do
		run as_root "$ephemeral" --type "$type" "$public" -- true
		wants 2
	done
}

key_failures() {
	run as_root "$ephemeral" --type ec:P-256 "$public" -- sh -c 'exit 7'
	wants 7
	no_key_left "after a failure"
	run as_root "$ephemeral" --type ec:P-256 "$public" -- "$scratch/no-such-program"
	[ "$status" = 127 ] || fail "status $status for a program that is not there"
	no_key_left "after a program that is not there"
	# shellcheck disable=SC2016  # for the inner shell
	run as_root "$ephemeral" --type ec:P-256 "$public" -- sh -c 'kill -SEGV $$'
	wants 139
	no_key_left "after a crash"
	run as_root "$ephemeral" "$public" -- # no command
	wants 2
	run as_root "$ephemeral" --build-id 'a/b' "$public" -- true
	wants 2
	run as_root "$ephemeral" --name ../x "$public" -- true
	wants 2
	run as_somebody "$ephemeral" --type ec:P-256 /proc/nowhere -- true
	wants 3
	no_key_left "after a directory that can't be made"
	: > "$scratch/file"
	run as_somebody "$ephemeral" --type ec:P-256 "$scratch/file/x" -- true
	wants 3
	no_key_left "after a directory below a file"
	run env XDG_RUNTIME_DIR="$keys" PATH=/nowhere "$BASH" "$ephemeral" "$public" -- true
	[ "$status" != 0 ] || fail "success without openssl"
	no_key_left "without openssl"
}

long=$((1000000 + $$)) # seconds that nobody else sleeps
# It gets SIGNAL after so many milliseconds; the command would run for long. Bounded in any case.
interrupted() { # WHO SIGNAL MILLISECONDS
	local pid status=0 start=$SECONDS
	"$1" timeout --preserve-status --signal="$2" --kill-after=30 "$(printf '0.%03d' "$3")" \
		"$ephemeral" --type ec:P-256 --name "signal" "$public" -- sleep "$long" < /dev/null > "$log.signal" 2>&1 || status=$?
	[ $((SECONDS - start)) -lt 25 ] || fail "$2 after $3 ms: it took $((SECONDS - start)) s to end"
	[ "$status" != 0 ] || fail "$2 after $3 ms: success"
	[ "$2" = KILL ] || no_key_left "$2 after $3 ms"
	[ ! -e "$public/signal.crt" ] || openssl x509 -in "$public/signal.crt" -noout || fail "half a certificate"
	rm -f "$public/signal.crt"
}

key_signals() { # WHO
	local ms
	for ((ms = 5; ms < 400; ms += 23)); do interrupted "$1" TERM "$ms"; done
	for ms in 40 120 200 300 400; do
		interrupted "$1" INT "$ms"
		interrupted "$1" HUP "$ms"
	done
}

# Not even SIGKILL leaves the key of root: the mount goes with the last process that sees it.
key_killed() {
	local ms
	for ms in 50 150 300 450; do
		interrupted as_root KILL "$ms"
		sleep 0.2
		no_key_left "KILL after $ms ms" directories
		refuted pgrep -f "^sleep $long"
	done
	find "$keys" -mindepth 1 -delete
}

# Nobody outside sees the key of root while the command runs.
key_hidden() {
	as_root "$ephemeral" --type ec:P-256 "$public" -- sh -c "ls \"\$(dirname \"\$VEXT_KEY\")\" > $scratch/inside; : > $scratch/started; sleep 1" &
	local pid=$!
	for ((i = 0; i < 300; i++)); do
		[ ! -e "$scratch/started" ] || break
		sleep 0.1
	done
	grep -q key.pem "$scratch/inside" || fail "no key inside"
	[ -z "$(find "$keys" -type f)" ] || fail "the key is visible outside: $(find "$keys" -type f)"
	wait $pid
	no_key_left "afterwards"
}

# ---- build-sysext -----------------------------------------------------------------------------

sysext=$scratch/sysext
mkdir -p "$sysext/out"

build_sysext() { run crypto/ephemeral-key --type ec:P-256 "$sysext" -- bootengine/build-sysext "$@"; }

# sysext_refuses STATUS MESSAGE ARGUMENT...: told, nothing made, nothing left.
sysext_refuses() {
	local expected=$1 message=$2
	shift 2
	build_sysext "$@"
	wants "$expected"
	tells "$message"
	[ -z "$(find "$sysext/out" -mindepth 1)" ] || fail "left behind: $(find "$sysext/out" -mindepth 1)"
}

bad_tree() { # NAME COMMAND: a tree made of the good one
	rm -rf "$sysext/bad"
	cp -a "$scratch/tree" "$sysext/bad"
	(cd "$sysext/bad" && eval "$1")
}

bad_trees() {
	local to=$sysext/out/x.raw
	bad_tree 'mv usr share'
	sysext_refuses 3 'neither usr nor opt' "$sysext/bad" "$to"
	bad_tree 'mv usr real; ln -s real usr'
	sysext_refuses 3 'usr: is a symbolic link' "$sysext/bad" "$to"
	bad_tree 'ln -s usr opt'
	sysext_refuses 3 'opt: is a symbolic link' "$sysext/bad" "$to"
	bad_tree 'mkdir -p usr/lib; echo ID=x > usr/lib/os-release'
	sysext_refuses 3 'merge\.os-release: usr/lib/os-release is protected' "$sysext/bad" "$to"
	bad_tree 'mkdir -p usr/lib/verity.d'
	sysext_refuses 3 'merge\.trust: usr/lib/verity\.d is protected' "$sysext/bad" "$to"
	bad_tree 'mkdir -p usr/lib/extension-release.d; echo ID=_any > usr/lib/extension-release.d/extension-release.x'
	sysext_refuses 3 'has an extension-release\.x already' --id debian --version-id 13 "$sysext/bad" "$to"
	sysext_refuses 3 'no such directory' "$sysext/absent" "$to"
	sysext_refuses 3 'no such directory' "$scratch/tree/usr/bin/hello" "$to"
}

bad_options() {
	local to=$sysext/out/x.raw
	sysext_refuses 2 'files that end in \.raw' "$scratch/tree" "$sysext/out/x.img"
	sysext_refuses 3 'no such directory' "$scratch/tree" "$sysext/out/no/x.raw"
	sysext_refuses 2 '^build-sysext: name a b' "$scratch/tree" "$sysext/out/a b.raw"
	sysext_refuses 2 'name -x' --name -x "$scratch/tree" "$to"
	sysext_refuses 2 'sector size 1024' --sector-size 1024 "$scratch/tree" "$to"
	sysext_refuses 2 'compression xz' --compression xz "$scratch/tree" "$to"
	sysext_refuses 2 'architecture sparc' --architecture sparc "$scratch/tree" "$to"
	sysext_refuses 3 'version-id or --sysext-level is needed' --id debian "$scratch/tree" "$to"
	sysext_refuses 2 'unusual characters' --set 'X=a"b' "$scratch/tree" "$to"
	sysext_refuses 2 'unknown option --frob' --frob x "$scratch/tree" "$to"
	sysext_refuses 2 'TREE and OUT' "$scratch/tree"
	sysext_refuses 3 "private key can't be read" --private-key "$sysext/absent" "$scratch/tree" "$to"
	sysext_refuses 3 'certificate can.t be read' --certificate "$sysext/absent" "$scratch/tree" "$to"
	run env -u VEXT_KEY -u VEXT_CERT bootengine/build-sysext "$scratch/tree" "$to"
	wants 2
	tells 'private-key is needed'
}

# systemd-repart signs with any key; that the certificate is of another one shows when vext looks.
wrong_certificate() {
	sysext_refuses 3 'refuses what systemd-repart made|systemd-repart failed' --certificate "$p256" "$scratch/tree" "$sysext/out/x.raw"
}

sysext_release() {
	build_sysext --id debian --version-id 13 --scope 'system initrd' --set SYSEXT_LEVEL=2 --name other \
		"$scratch/tree" "$sysext/out/file.raw"
	wants 0
	says '^file\.raw: .* accepted by vext$'
	run "$vext" verify --anchor "$sysext/vext.crt" "$sysext/out/file.raw"
	wants 0
	grep -a -q '^VERSION_ID=13$' "$sysext/out/file.raw" || fail "no extension-release in the image"
	grep -a -q '^SYSEXT_SCOPE="system initrd"$' "$sysext/out/file.raw" || fail "no scope in the image"
	grep -a -q 'extension-release.other' "$sysext/out/file.raw" || fail "the name is another one"
	[ ! -e "$scratch/tree/usr/lib/extension-release.d" ] || fail "the caller's tree was changed"
	rm "$sysext/out/file.raw"
}

sysext_reproducible() {
	local n
	# One key for both.
	# shellcheck disable=SC2016  # for the inner shell
	run crypto/ephemeral-key --type rsa:2048 "$sysext" -- env SOURCE_DATE_EPOCH=1700000000 sh -euc '
		bootengine/build-sysext --name same "$1" "$2/one.raw"
		touch "$1/usr/bin/hello"
		bootengine/build-sysext --name same "$1" "$2/two.raw"' sh "$scratch/tree" "$sysext/out"
	wants 0
	cmp "$sysext/out/one.raw" "$sysext/out/two.raw" || fail "not the same image twice"
	for n in one two; do rm "$sysext/out/$n.raw"; done
}

sysext_left_nothing() { # WHEN OPTION...: of vext verify, which accept the image when there is one
	[ ! -e "$sysext/out/x.raw" ] || "$vext" verify "${@:2}" "$sysext/out/x.raw" > /dev/null || fail "half an image $1"
	rm -f "$sysext/out/x.raw"
	[ -z "$(find "$sysext/out" -mindepth 1)" ] || fail "left behind $1: $(find "$sysext/out" -mindepth 1)"
}

sysext_interrupted() {
	local ms
	for ms in 30 90 180 270; do
		run timeout --preserve-status --signal=TERM --kill-after=30 "0.$(printf %03d $ms)" \
			crypto/ephemeral-key --type ec:P-256 "$sysext" -- bootengine/build-sysext "$scratch/tree" "$sysext/out/x.raw"
		sysext_left_nothing "after $ms ms" --anchor "$sysext/vext.crt"
	done
}

# Signals to the whole group, one after the other: no later one may end what the first one has begun to remove.
sysext_interrupted_again() {
	local ms i pid
	for ms in 20 60 100 140 180 220 260 300; do
		setsid bootengine/build-sysext --unsigned "$scratch/tree" "$sysext/out/x.raw" > "$log.build" 2>&1 &
		pid=$!
		sleep "0.$(printf %03d $ms)"
		for ((i = 0; i < 30; i++)); do
			kill -TERM -- "-$pid" 2> /dev/null || true
			sleep 0.002
		done
		wait $pid || true
		sysext_left_nothing "after $ms ms" --policy root=verity+absent:usr=verity+absent
	done
}

# ---- all of it --------------------------------------------------------------------------------

try "bake: stripped" bakes "$build/vext"
try "bake: not stripped" bakes "$build/$(uname -m)/vext.elf"
try "bake: through objcopy" bakes_objcopied
try "bake: the same input gives the same output" bake_is_reproducible
try "bake: what it refuses" bake_refusals
try "bake: more than fits" bake_too_much
try "ephemeral-key: root" key_success as_root
try "ephemeral-key: an ordinary user" key_success as_somebody
try "ephemeral-key: types" key_types
try "ephemeral-key: failures" key_failures
try "ephemeral-key: signals, root" key_signals as_root
try "ephemeral-key: signals, an ordinary user" key_signals as_somebody
try "ephemeral-key: SIGKILL, root" key_killed
try "ephemeral-key: hidden while it lives" key_hidden
try "build-sysext: trees that are none" bad_trees
try "build-sysext: options" bad_options
try "build-sysext: a certificate of another key" wrong_certificate
try "build-sysext: extension-release" sysext_release
try "build-sysext: reproducible" sysext_reproducible
try "build-sysext: interrupted" sysext_interrupted
try "build-sysext: interrupted more than once" sysext_interrupted_again
