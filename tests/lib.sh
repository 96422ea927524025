# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the groups of tests share. Sourced, from the top directory, under "set -euo pipefail".
#
# A group prints a line for each test, "ok NAME" or "not ok NAME: why", and last of all
# "N passed, N failed". A group that ends before finish() has failed.
#
#   try NAME COMMAND...   one test: COMMAND (most often a function) in a subshell of its own with
#                         "set -e"; what it prints is the reason when it fails
#   fail REASON           ends a test
#   run COMMAND...        runs it and keeps $status, and the files $out and $err
#   wants STATUS [TEXT]   about the last run: its exit status, and a line of its output or messages
#   says PATTERN          … a line of standard output matches the extended regular expression
#   tells PATTERN         … a line of standard error does
#   refuted COMMAND...    fails if COMMAND succeeds
#   lanes FUNCTION...     runs each at the same time as the others, and then counts what they tried; each
#                         has its own $log, $out, $err and variables
#
#   copy_sources DIRECTORY   the project's own files, without what was built

group=$(basename -- "$(dirname -- "$(realpath -- "$0")")")
# shellcheck disable=SC2034  # for the groups
build=${VEXT_BUILD:-$PWD/build}
passed=0 failed=0 finished=no
unset LIBBLKID_DEBUG VEXT VEXT_KEY VEXT_CERT SYSEXT_SIGNING_KEY_DIR SOURCE_DATE_EPOCH
export LC_ALL=C.UTF-8

# A place of its own, gone afterwards. Not under build/: that may be where an unprivileged user can't go.
scratch=$(mktemp -d -- "${TMPDIR:-/tmp}/vext-$group.XXXXXXXX")
chmod 0755 "$scratch"
leftovers=() # what else is removed at the end
out=$scratch/stdout err=$scratch/stderr log=$scratch/log status=

at_end() {
	local status=$?
	trap - EXIT
	trap '' HUP INT TERM
	rm -rf -- "$scratch" "${leftovers[@]}"
	if [ $finished = no ]; then
		echo "not ok $group: ended early, with status $status; what it said is above"
		echo "$passed passed, $((failed + 1)) failed"
		exit 1
	fi
}
trap at_end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

ok() {
	passed=$((passed + 1))
	echo "ok $1"
}

not_ok() {
	failed=$((failed + 1))
	echo "not ok $1: $2"
}

# The end of a file as one line.
one_line() { tail -n 12 -- "$1" | tr '\n' '|' | sed 's/|$//; s/|/ | /g'; }

try() {
	local name=$1 result
	shift
	: > "$log"
	# In a shell of its own, so that set -e holds inside although the failure is handled here.
	set +e
	(set -e; "$@") > "$log" 2>&1
	result=$?
	set -e
	if [ $result = 0 ]; then
		ok "$name"
	else
		not_ok "$name" "$(one_line "$log") (status $result)"
	fi
}

finish() {
	finished=yes
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
	exit
}

fail() {
	echo "$*"
	exit 1
}

run() {
	status=0
	"$@" > "$out" 2> "$err" || status=$?
}

# What the last run said, for a reason.
quoted() { printf 'it said: %s' "$(cat -- "$out" "$err" | head -c 1000 | tr '\n' '|')"; }

wants() {
	[ "$status" = "$1" ] || fail "exit status $status, not $1; $(quoted)"
}

says() {
	grep -Eq -- "$1" "$out" || fail "no line of the output matches '$1'; $(quoted)"
}

tells() {
	grep -Eq -- "$1" "$err" || fail "no line of the messages matches '$1'; $(quoted)"
}

refuted() {
	if "$@"; then fail "should have failed: $*"; fi
}

lanes() {
	local lane pids=() i=0
	for lane; do
		(
			trap 'rm -rf -- "${leftovers[@]}"' EXIT
			log=$log.$lane out=$out.$lane err=$err.$lane passed=0 failed=0 leftovers=()
			"$lane"
			echo "$passed passed, $failed failed"
		) > "$scratch/lane.$lane" 2>&1 &
		pids+=($!)
	done
	for lane; do
		wait "${pids[i]}" || true # its last line tells
		take_lane "$scratch/lane.$lane"
		i=$((i + 1))
	done
}

# What a lane has said, as tests of this group.
take_lane() { # FILE
	local line last=''
	while IFS= read -r line; do
		last=$line
		case $line in
		'ok '*) ok "${line#ok }" ;;
		'not ok '*) failed=$((failed + 1)); echo "$line" ;;
		'= '*) echo "$line" ;;
		esac
	done < "$1"
	[[ $last =~ ^[0-9]+\ passed,\ [0-9]+\ failed$ ]] || not_ok "lane ${1##*.} came to its end" "its last line is '$last'"
}

# What git knows or would add; without git, all there is.
copy_sources() {
	mkdir -p "$1"
	if git rev-parse --git-dir > /dev/null 2>&1; then
		git ls-files -co --exclude-standard -z
	else
		find . -path ./build -prune -o ! -type d -print0
	fi | while IFS= read -r -d '' file; do
		# Not one that was deleted, but not committed yet.
		if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
	done | tar -c --null -T - | tar -x -C "$1"
}
