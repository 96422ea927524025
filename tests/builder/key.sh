# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# crypto/ephemeral-key, as far as tests/cli does not have it: killed at every point, and keys that are given.
# Sourced by ./run.
# shellcheck disable=SC2154,SC2317  # scratch, out and the like are of lib.sh; try() calls the tests

# A place for keys that nobody else uses, where who has no privileges can run the script.
keys=$(mktemp -d -- /dev/shm/vext-builder.XXXXXXXX)
chmod 1777 "$keys"
leftovers+=("$keys")
mkdir "$scratch/key"
chmod 0777 "$scratch/key"
cp -- crypto/ephemeral-key "$scratch/ephemeral-key"

as_root() { env XDG_RUNTIME_DIR="$keys" "$@"; }
as_somebody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all \
		env XDG_RUNTIME_DIR="$keys" HOME=/nonexistent "$@"
}

# Each command that the script's shell runs, in functions and subshells too, is a point: this counts them, across
# the script's call of itself, and sends the signal at the one that is asked for.
cat > "$scratch/steps" << 'END'
case ${0##*/} in
ephemeral-key)
	set -T
	export VEXT_STEP=${VEXT_STEP:-0}
	trap 'VEXT_STEP=$((VEXT_STEP + 1)); if [ $VEXT_STEP = $VEXT_STOP ]; then echo $VEXT_STOP > "$VEXT_STOPPED"; kill -"$VEXT_SIGNAL" $$; fi' DEBUG
	;;
esac
END
chmod 0644 "$scratch/steps"

# keys_gone DIRECTORIES: within bounds, for what cleans up works on after the script was killed. No process has
# a mount of it. A directory in which there never was a key may stay: it was made before anybody could know of it.
keys_gone() {
	local i
	for ((i = 0; i < 600; i++)); do
		if [ -z "$(find "$keys" -mindepth 1 ! -type d 2> /dev/null)" ] &&
			[ "$(find "$keys" -mindepth 1 | wc -l)" -le "$1" ] && ! grep -qs "$keys" /proc/[0-9]*/mountinfo; then
			find "$keys" -mindepth 1 -delete
			return 0
		fi
		sleep 0.05
	done
	return 1
}

stopped_at() { # WHO SIGNAL STEP: sets $was_stopped
	rm -f "$scratch/key/stopped"*
	run "$1" timeout --kill-after=60 60 env BASH_ENV="$scratch/steps" VEXT_STOP="$3" VEXT_SIGNAL="$2" \
		VEXT_STOPPED="$scratch/key/stopped" "$scratch/ephemeral-key" --type ec:P-256 --name stopped \
		"$scratch/key" -- sleep 0.02
	was_stopped=no
	[ ! -e "$scratch/key/stopped" ] || was_stopped=yes
	[ $was_stopped = no ] || [ "$status" != 0 ] || [ "$2" != KILL ] || fail "killed at $3, and success"
	keys_gone "$([ "$2" = KILL ] && [ ! -e "$scratch/key/stopped.crt" ] && echo 1 || echo 0)" || fail "$1, $2 at point $3: left behind: $(find "$keys" -mindepth 1)"
}

stopped_everywhere() { # WHO SIGNAL EVERY
	local step
	for ((step = 1; step < 1000; step += $3)); do
		stopped_at "$1" "$2" "$step"
		[ $was_stopped = yes ] || break
	done
	[ "$was_stopped" = no ] || fail "more than 1000 points"
	wants 0
	[ "$step" -gt 60 ] || fail "only $step points: they are not counted"
	echo "$step points"
}

# ---- keys that are given ----------------------------------------------------------------------

given=$scratch/given
mkdir -m 0700 "$given"
openssl req -x509 -newkey rsa:2048 -nodes -days 99 -subj "/CN=Flatcar sysext key/OU=4500.0.0" \
	-keyout "$given/sysexts.key" -out "$given/sysexts.crt" 2> "$log"

# As it is: the command gets it, the certificate is exported, nothing is made, nothing removed.
uses_given() {
	local before
	before=$(cd "$given" && sha256sum -- * && stat -c '%n %a %Y' -- *)
	# shellcheck disable=SC2016  # for the inner shell
	run env SYSEXT_SIGNING_KEY_DIR="$given" XDG_RUNTIME_DIR="$keys" crypto/ephemeral-key --name given "$scratch/export" -- \
		sh -c 'echo "$VEXT_KEY"; cmp "$VEXT_CERT" "$1/sysexts.crt"; find "$XDG_RUNTIME_DIR" -mindepth 1; exit 5' sh "$given"
	wants 5
	[ "$(cat "$out")" = "$given/sysexts.key" ] || fail "another key, or more than that; $(quoted)"
	tells 'the key in .* is used, and stays there'
	[ "$before" = "$(cd "$given" && sha256sum -- * && stat -c '%n %a %Y' -- *)" ] || fail "the directory changed"
	cmp "$scratch/export/given.crt" "$given/sysexts.crt"
	run crypto/ephemeral-key --key-dir "$given" "$scratch/export" -- true
	wants 0
	# Said otherwise, a new one is made all the same.
	# shellcheck disable=SC2016  # for the inner shell
	run env SYSEXT_SIGNING_KEY_DIR="$given" crypto/ephemeral-key --type ec:P-256 --key-dir '' "$scratch/export" -- \
		sh -c 'echo "$VEXT_KEY"'
	wants 0
	says '/vext-key\.[^/]*/key\.pem$'
}

refuses_given() { # MESSAGE DIRECTORY: and the command does not run
	run crypto/ephemeral-key --key-dir "$2" "$scratch/export" -- touch "$scratch/ran"
	wants 3
	tells "$1"
	[ ! -e "$scratch/ran" ] || fail "the command ran"
}

refuses_what_is_no_key() {
	local bad=$scratch/bad-keys
	refuses_given 'sysexts\.key: no such file' "$scratch/nothing"
	mkdir "$bad"
	refuses_given 'sysexts\.key: no such file' "$bad"
	cp "$given/sysexts.key" "$bad/"
	refuses_given 'sysexts\.crt: no such file' "$bad"
	openssl req -x509 -newkey rsa:2048 -nodes -days 99 -subj /CN=other -keyout "$scratch/other.key" -out "$bad/sysexts.crt" \
		2> "$log.openssl"
	refuses_given 'not the certificate of' "$bad"
	: > "$bad/sysexts.crt"
	: > "$bad/sysexts.key"
	refuses_given 'not the certificate of' "$bad"
	cp "$given"/sysexts.* "$bad/"
	chmod 0644 "$bad/sysexts.key"
	run crypto/ephemeral-key --key-dir "$bad" "$scratch/export" -- true
	wants 0
	tells 'others than its owner have access'
}

default_key() {
	run crypto/ephemeral-key --build-id 4500.0.0+nightly "$scratch/export" -- true
	wants 0
	openssl x509 -in "$scratch/export/vext.crt" -noout -text > "$out"
	says 'Public-Key: \(4096 bit\)'
	says 'Subject: CN = "?vext ephemeral 4500\.0\.0\+nightly"?$'
	says 'Signature Algorithm: sha256WithRSAEncryption'
}

try "ephemeral-key: RSA-4096 unless something else is said, and the build id in its subject" default_key
try "ephemeral-key: root, killed at each point" stopped_everywhere as_root KILL 1
try "ephemeral-key: an ordinary user, killed at each point" stopped_everywhere as_somebody KILL 1
try "ephemeral-key: root, stopped at points" stopped_everywhere as_root TERM 8
try "ephemeral-key: an ordinary user, stopped at points" stopped_everywhere as_somebody TERM 8
try "ephemeral-key: a given key directory is used as it is" uses_given
try "ephemeral-key: a given key directory without a key is refused" refuses_what_is_no_key
