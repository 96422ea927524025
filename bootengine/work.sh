# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A place to work that is gone afterwards, whatever happens. Sourced.
#
#   work_in DIRECTORY   makes a new directory in it, and sets $work to its path
#   clean_up_at_end     for who needs no directory, but has something to take back
#   $roots, $results    where debian-root's roots are, and what nobody named another place for: in build/ of the sources.
#                       Tools that are installed have the roots in a cache, and no place for results
#   undo                a function, to be defined anew by who has more to take back: it runs before $work is
#                       removed, with all signals ignored, and may run twice

# shellcheck disable=SC2034  # for who sources this
if [ -e "$(dirname -- "${BASH_SOURCE[0]}")/../Makefile" ]; then
	results=$(realpath -- "$(dirname -- "${BASH_SOURCE[0]}")/..")/build
	roots=$results/roots
else
	results=''
	roots=${XDG_CACHE_HOME:-/var/cache}/vext/roots
fi

undo() { :; }
# timeout(1), and a terminal, send a signal to the script and to each program of it, and timeout sends it twice:
# the second one must not end the rm of the first.
clean_up() {
	trap '' HUP INT TERM
	undo
	[ -z "$work" ] || rm -rf --one-file-system -- "$work"
}
clean_up_at_end() {
	work=''
	trap clean_up EXIT
	trap 'clean_up; exit 129' HUP
	trap 'clean_up; exit 130' INT
	trap 'clean_up; exit 143' TERM
}
work_in() {
	clean_up_at_end
	work=$(mktemp -d -- "$1/.${0##*/}.XXXXXXXX") || {
		echo "${0##*/}: $1: no directory to work in could be made there" >&2
		exit 3
	}
}
