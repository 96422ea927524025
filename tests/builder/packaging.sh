# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What make install makes, and what packages are made of. Sourced by ./run.
# shellcheck disable=SC2154,SC2317  # scratch, key and the like are of ./run, sysext.sh and lib.sh

# Into a root that dpkg would fill, then used from there with the real paths.
installs() {
	local dest=$scratch/dest file
	MAKEFLAGS='' make -s install-builder DESTDIR="$dest" > "$log.make" 2>&1 || fail "$(tail -n 5 "$log.make")"
	for file in usr/bin/vext usr/share/man/man8/vext.8 usr/lib/dracut/modules.d/90vext/{module-setup.sh,vext-pre-pivot.sh}; do
		[ -f "$dest/$file" ] || fail "$file is not installed"
	done
	diff -r systemd "$dest/usr/lib/systemd" # nothing else, and all of it
	diff -r systemd "$dest/usr/lib/vext/systemd"
	cmp "$build/vext" "$dest/usr/bin/vext"
	for file in "$dest"/usr/bin/vext-* "$dest"/usr/lib/vext/*/*; do
		[ ! -L "$file" ] || [ -e "$dest$(readlink "$file")" ] || fail "$file leads nowhere"
	done
	# In a root of its own, the installed tools find each other, the program and the module.
	cp "$certificate" "$dest/usr/certificate.crt"
	# shellcheck disable=SC2016  # for the inner shell
	run bootengine/in-root --writable --ro-bind "$dest=/run/dest" --bind "$scratch=/run/scratch" "$tools" -- bash -euc '
		cp -R /run/dest/usr/. /usr/
		for tool in bake ephemeral-key build-sysext check-sysext inject update-bootengine check-kernel-config; do
			vext-$tool --help > /dev/null
		done
		vext-bake /usr/bin/vext /run/scratch/installed /usr/certificate.crt
		vext-inject --segment -o /run/scratch/segment -- /usr/certificate.crt
		# The list of protected paths comes along.
		mkdir -p /run/scratch/tree-of-init/usr/lib/systemd /run/scratch/tree-of-nothing/usr/bin
		touch /run/scratch/tree-of-init/usr/lib/systemd/systemd
		vext-check-sysext --host-root / /run/scratch/tree-of-nothing
		! vext-check-sysext --host-root / /run/scratch/tree-of-init || exit 9
		# Nothing is written beside them.
		. /usr/lib/vext/bootengine/work.sh
		[ "$roots $results" = "/var/cache/vext/roots " ]
		status=0
		vext-update-bootengine --root / || status=$?
		[ $status = 2 ]'
	wants 0
	says '^accepted tree-of-nothing$'
	says '^refused tree-of-init: merge\.init: '
	tells '^vext-update-bootengine: --output is needed$'
	is_trusting "$scratch/installed" "$certificate"
}

# Nothing but what PREFIX, DESTDIR and the like say.
installs_elsewhere() {
	MAKEFLAGS='' make -s install DESTDIR="$scratch/local" PREFIX=/opt/v BINDIR=/opt/v/sbin UNITDIR=/etc/u/system > "$log.make" 2>&1
	diff <(cd "$scratch/local" && find . -type f | sort) <({
		printf './opt/v/lib/%s\n' dracut/modules.d/90vext/{module-setup.sh,vext-pre-pivot.sh}
		(cd dracut/90vext && printf './opt/v/lib/dracut/modules.d/90vext/%s\n' *.rules)
		(cd systemd && find . -type f -printf './etc/u/%P\n')
		printf './opt/v/%s\n' sbin/vext share/man/man8/vext.8; } | sort) || fail "other files than those"
}

# There is no Portage here: what it would call, with its own commands as stand-ins.
ebuild_holds() {
	local ebuild=bootengine/packaging/gentoo/sys-kernel/vext/vext-9999.ebuild name
	cat > "$scratch/portage" <<- 'END'
		set -euo pipefail
		inherit() { [ "$*" = "git-r3 toolchain-funcs" ]; }
		tc-getCC() { echo gcc; }
		tc-getAR() { echo ar; }
		tc-getSTRIP() { echo the-strip; }
		usex() { if [ "$1" = "$USE" ]; then echo "$2"; else echo "$3"; fi; }
		die() { exit 3; }
		emake() { printf '%s\n' "$*"; [ "$1" != -C ] || make -s "$@" > "$WORKDIR/log"; }
		PV=$2 ARCH=$3 USE=$4 WORKDIR=$5 ESYSROOT=/sysroot EPREFIX='' D=/image CFLAGS=-O1 CPPFLAGS=''
		. "$1"
		[ "$EAPI" = 8 ] && [ -n "$DESCRIPTION$LICENSE$SLOT" ] && [ "$LICENSE" = "Apache-2.0 MIT" ]
		for name in $MBEDTLS_P $YYJSON_P; do
			[[ $SRC_URI == *"/$name.tar.bz2"* || $SRC_URI == *"-> $name.tar.gz"* ]]
			cp -R "build/src/${name%-*}" "$WORKDIR/$name"
		done
		echo "$KEYWORDS ${EGIT_COMMIT:-head}"
		src_compile
		src_install
	END
	mkdir "$scratch/portage.1" "$scratch/portage.2"
	run bash "$scratch/portage" "$ebuild" 9999 amd64 none "$scratch/portage.1"
	wants 0
	says '^~amd64 ~arm64 head$'
	says 'ARCH=x86_64 CC=gcc .*MBEDTLS=(.*)/prefix BLKID=/sysroot/usr YYJSON=\1/prefix$'
	# Those libraries are really made: the verify-only mbedTLS, and yyjson.
	local prefix=$scratch/portage.1/prefix
	cmp crypto/mbedtls_config.h "$prefix/include/mbedtls/mbedtls_config.h"
	nm --defined-only "$prefix"/lib/lib{mbedx509,mbedcrypto,yyjson}.a > "$scratch/portage.names" 2> /dev/null
	for name in mbedtls_x509_crt_parse_der mbedtls_pk_verify yyjson_read_opts; do
		grep -q " T $name\$" "$scratch/portage.names" || fail "$name is in none of the libraries"
	done
	! grep -E ' T mbedtls_(aes|cipher|rsa_gen|ssl)_' "$scratch/portage.names" || fail "mbedTLS can do more than verify"
	says 'DESTDIR=/image PREFIX=/usr install$'
	run bash "$scratch/portage" "$ebuild" 0.1.0 arm64 builder "$scratch/portage.2"
	wants 0
	says '^amd64 arm64 v0\.1\.0$'
	says 'ARCH=aarch64 .* install-builder$'
	# Each variable that it sets is one that the Makefile knows.
	local variable
	for variable in ARCH CC AR STRIP SIZE_MAX MBEDTLS BLKID YYJSON DESTDIR PREFIX; do
		grep -Eq "^$variable [?:]?=|\\\$\\($variable\\)" Makefile || fail "the Makefile has no $variable"
	done
}

# Flatcar's entries: a file for each, of a date and a word, with items of a list.
changelog_has_its_form() {
	local file n=0
	for file in bootengine/packaging/flatcar/changelog/*/*; do
		[[ $file =~ /(bugfixes|changes|security|updates)/[0-9]{4}-[0-9]{2}-[0-9]{2}-[a-z0-9.-]+\.md$ ]] || fail "$file: the name"
		! grep -vE '^- .+[^.]$' "$file" || fail "$file: not all of it is items"
		n=$((n + 1))
	done
	[ $n -gt 0 ] || fail "there are none"
}
debian_agrees() {
	local version
	version=$(sed -n 's/^VERSION := //p' Makefile)
	[ "$(dpkg-parsechangelog -l bootengine/packaging/debian/changelog -S Version)" = "$version-1" ] || fail "another version than the Makefile's"
	[ "$("$build/vext" --version)" = "vext $version" ] || fail "another version than the program's"
	grep -q "^Build-Depends" bootengine/packaging/debian/control
	# What is needed to build it is what src/deps/setup installs for a build.
	local packages package
	read -r -a packages < <(sed -n 's/^\tbuild) echo \(.*\) ;;/\1/p' src/deps/setup)
	[ ${#packages[@]} -gt 5 ] || fail "src/deps/setup has changed: mend this test"
	for package in "${packages[@]}"; do
		grep -qx " $package," bootengine/packaging/debian/control || fail "Build-Depends lacks $package"
	done
}

try "make install-builder: the tools work from where they are installed" installs
try "make install: DESTDIR, PREFIX, BINDIR" installs_elsewhere
try "the ebuild calls make as it can be called" ebuild_holds
try "Flatcar's changelog entries have their form" changelog_has_its_form
try "the Debian package agrees with the Makefile" debian_agrees
