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
SRC_URI=""

LICENSE="Apache-2.0"
SLOT="0"
IUSE="builder"

# Static libraries: the program has no others. PKCS#7 is in mbedTLS since 3.3.
DEPEND="
	>=net-libs/mbedtls-3.6.6:3[static-libs(+)]
	>=sys-apps/util-linux-2.41.5[static-libs(+)]
	dev-libs/yyjson[static-libs(+)]
"
RDEPEND="
	builder? (
		app-arch/cpio
		app-misc/jq
		dev-libs/openssl
		sys-apps/systemd
		sys-fs/erofs-utils
	)
"

# With glibc instead of musl it is larger than the project's own build may be.
vext_emake() {
	local machine=x86_64
	[[ "${ARCH}" != arm64 ]] || machine=aarch64
	emake V=1 ARCH="${machine}" CC="$(tc-getCC)" AR="$(tc-getAR)" STRIP="$(tc-getSTRIP)" SIZE_MAX=2097152 \
		MBEDTLS="${ESYSROOT}/usr" BLKID="${ESYSROOT}/usr" YYJSON="${ESYSROOT}/usr" "${@}"
}

src_compile() {
	vext_emake
}

src_install() {
	vext_emake DESTDIR="${D}" PREFIX="${EPREFIX}/usr" "$(usex builder install-builder install)"
}
