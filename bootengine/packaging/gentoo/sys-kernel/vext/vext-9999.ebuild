# Copyright (c) 2026 The vext authors.
# Distributed under the terms of the Apache License, Version 2.0
# SPDX-License-Identifier: Apache-2.0

EAPI=8
EGIT_REPO_URI="https://github.com/flatcar/vext.git"

if [[ "${PV}" == 9999 ]]; then
	KEYWORDS="~amd64 ~arm64"
else
	EGIT_COMMIT="v${PV}"
	KEYWORDS="amd64 arm64"
fi

inherit git-r3 toolchain-funcs

DESCRIPTION="Verifies and merges system extensions in the initramfs"
HOMEPAGE="https://github.com/flatcar/vext"
# Of what it is linked with: an mbedTLS that can do nothing but verify, and yyjson, whose own ebuild makes no static library.
MBEDTLS_P="mbedtls-3.6.7"
YYJSON_P="yyjson-0.10.0"
SRC_URI="
	https://github.com/Mbed-TLS/mbedtls/releases/download/${MBEDTLS_P}/${MBEDTLS_P}.tar.bz2
	https://github.com/ibireme/yyjson/archive/refs/tags/${YYJSON_P#yyjson-}.tar.gz -> ${YYJSON_P}.tar.gz
"

LICENSE="Apache-2.0 MIT"
SLOT="0"
IUSE="builder"

DEPEND=">=sys-apps/util-linux-2.41.5[static-libs(+)]"
RDEPEND="
	builder? (
		app-arch/cpio
		app-misc/jq
		dev-libs/openssl
		sys-apps/systemd
		sys-fs/erofs-utils
	)
"

src_unpack() {
	default
	git-r3_src_unpack
}

# Both into one prefix, with the configuration of the project.
vext_libraries() {
	local mbedtls="${WORKDIR}/${MBEDTLS_P}" yyjson="${WORKDIR}/${YYJSON_P}/src" prefix="${WORKDIR}/prefix"
	local -x CFLAGS="${CFLAGS} -fPIE -ffunction-sections -fdata-sections"
	cp crypto/mbedtls_config.h "${mbedtls}/include/mbedtls/mbedtls_config.h" || die
	emake -C "${mbedtls}/library" GEN_FILES= CC="$(tc-getCC)" AR="$(tc-getAR)" libmbedx509.a libmbedcrypto.a
	mkdir -p "${prefix}/include" "${prefix}/lib" || die
	cp -R "${mbedtls}/include/." "${yyjson}/yyjson.h" "${prefix}/include" || die
	cp "${mbedtls}"/library/libmbed{x509,crypto}.a "${prefix}/lib" || die
	$(tc-getCC) ${CPPFLAGS} ${CFLAGS} -c "${yyjson}/yyjson.c" -o "${prefix}/yyjson.o" || die
	$(tc-getAR) rcs "${prefix}/lib/libyyjson.a" "${prefix}/yyjson.o" || die
}

# With glibc instead of musl it is larger than the project's own build may be.
vext_emake() {
	local machine=x86_64
	[[ "${ARCH}" != arm64 ]] || machine=aarch64
	emake V=1 ARCH="${machine}" CC="$(tc-getCC)" AR="$(tc-getAR)" STRIP="$(tc-getSTRIP)" SIZE_MAX=2097152 \
		MBEDTLS="${WORKDIR}/prefix" BLKID="${ESYSROOT}/usr" YYJSON="${WORKDIR}/prefix" "${@}"
}

src_compile() {
	vext_libraries
	vext_emake
}

src_install() {
	vext_emake DESTDIR="${D}" PREFIX="${EPREFIX}/usr" "$(usex builder install-builder install)"
}
