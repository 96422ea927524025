# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions for a private apt state: other suites of the mirror that this machine uses already,
# without a change to the machine's own lists, sources or installed packages. Sourced.
#
#   apt_mirror NAME   NAME is "main" or "security": "URI KEYRING" of that archive, KEYRING empty where
#                     the machine's configuration names none (apt's trusted keys then hold)
#   apt_private DIR TYPE SUITE...   writes DIR/{sources.list,lists,cache} and fetches the indices
#   apt_in DIR COMMAND ARG...       runs apt-get, apt-cache … with that state

# Both forms of the configuration, as "URI SUITE KEYRING" lines: one-line .list and deb822 .sources.
apt_sources() {
	local etc parts file
	eval "$(apt-config shell etc Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	for file in "$etc" "${parts%/}"/*.list "${parts%/}"/*.sources; do
		[ -r "$file" ] || continue
		case $file in
		*.sources) awk -f - "$file" <<-'AWK' ;;
			function flush(   i, j, u, s, nu, ns) {
				if (tolower(v["enabled"]) !~ /^(no|false|0)$/ && v["types"] ~ /(^| )deb( |$)/) {
					nu = split(v["uris"], u, " "); ns = split(v["suites"], s, " ")
					for (i = 1; i <= nu; i++) for (j = 1; j <= ns; j++)
						print u[i], s[j], (v["signed-by"] ~ /^ *\// ? v["signed-by"] : "")
				}
				split("", v); key = ""
			}
			/^#/ { next }
			/^[ \t]*$/ { flush(); next }
			/^[ \t]/ { sub(/^[ \t]+/, ""); v[key] = v[key] " " $0; next }
			{ key = tolower($0); sub(/[ \t]*:.*/, "", key); sub(/^[^:]*:[ \t]*/, ""); v[key] = $0 }
			END { flush() }
			AWK
		*) awk -f - "$file" <<-'AWK' ;;
			$1 == "deb" {
				keyring = ""; sub(/^[ \t]*deb[ \t]+/, "")
				if (match($0, /^\[[^]]*\]/)) {
					options = substr($0, 2, RLENGTH - 2); sub(/^\[[^]]*\][ \t]*/, "")
					n = split(options, o, " ")
					for (i = 1; i <= n; i++) if (o[i] ~ /^signed-by=\//) keyring = substr(o[i], 11)
				}
				print $1, $2, keyring
			}
			AWK
		esac
	done
}

apt_mirror() {
	local codename suffix
	codename=$(. /etc/os-release && printf %s "${VERSION_CODENAME:-stable}")
	[ "$1" = security ] && suffix=-security || suffix=
	apt_sources | awk -v c="$codename$suffix" -v s="$suffix" '
		$2 == c || $2 == "stable" s || $2 == "testing" s || (s == "" && ($2 == "sid" || $2 == "unstable")) {
			sub(/\/$/, "", $1); print $1, $3; exit
		}'
}

apt_in() {
	local state=$1 command=$2
	shift 2
	"$command" -o "Dir::State=$state" -o "Dir::State::lists=$state/lists" \
		-o "Dir::Cache=$state/cache" -o "Dir::Etc::sourcelist=$state/sources.list" \
		-o Dir::Etc::sourceparts=- -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=- \
		-o Acquire::Retries=3 -o Acquire::Languages=none \
		-o DPkg::Lock::Timeout=600 \
		-o APT::Get::AllowUnauthenticated=false -o Acquire::AllowInsecureRepositories=false \
		-o Acquire::AllowWeakRepositories=false "${apt_options[@]}" "$@"
}
apt_options=()

apt_private() {
	local state=$1 type=$2 suite archive uri keyring
	shift 2
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	for suite; do
		case $suite in *-security) archive=security ;; *) archive=main ;; esac
		read -r uri keyring < <(apt_mirror "$archive") || true
		if [ -z "$uri" ]; then
			[ "$archive" = security ] && continue
			echo "no Debian mirror found in this machine's apt configuration (apt-get indextargets)" >&2
			return 1
		fi
		printf '%s %s%s %s main\n' "$type" "${keyring:+[signed-by=$keyring] }" "$uri" "$suite"
	done > "$state/sources.list"
	apt_in "$state" apt-get update -qq --error-on=any
}
