# SPDX-License-Identifier: Apache-2.0
"""
What the cases are made from: keys and certificates by name, file systems, and ordinary images.

The same on every run: each key comes from a generator that starts from its name.
"""

import os
import platform
import shutil
import subprocess
import tempfile

import ddi
import der
import keys
import pkcs7
from verity import BLOCK

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
TOOLS = os.path.join(TOP, "build", "roots", "tools")
ARCH = {"x86_64": "x86-64", "aarch64": "arm64"}[platform.machine()]
FOREIGN = {"x86-64": "arm64", "arm64": "x86-64"}[ARCH]

ANCHORS = ("ours", "p256", "p384")  # whom vext trusts, unless a case says otherwise
P256, P384 = keys.P256, keys.P384


def tool(*command, bind):
    """A command of the tools root, which has newer ones; `bind` is its /run/work."""
    keys.run(os.path.join(TOP, "bootengine", "in-root"), "--bind", f"{bind}=/run/work", TOOLS, "--", *command)


def make_filesystems(names):
    """
    erofs and squashfs with an extension-release for each of the names, so that whatever verifies can be
    merged, too; and something to read. Then an erofs of the same tree in blocks of 1024 bytes.
    """
    keys.run(os.path.join(TOP, "bootengine", "debian-root"), os.path.join(TOP, "bootengine", "tools.packages"), TOOLS)
    work = tempfile.mkdtemp(prefix="vext-images.")
    try:
        os.chmod(work, 0o755)
        release = os.path.join(work, "tree", "usr", "lib", "extension-release.d")
        os.makedirs(release)
        for name in names:
            with open(os.path.join(release, f"extension-release.{name}"), "w", encoding="ascii") as file:
                file.write("ID=_any\n")
        share = os.path.join(work, "tree", "usr", "share", "vext-images")
        os.makedirs(share)
        with open(os.path.join(share, "numbers"), "w", encoding="ascii") as file:
            file.write("".join(f"{n}\n" for n in range(9000)))
        for size, made in ((BLOCK, "erofs"), (1024, "erofs-1024")):
            tool("mkfs.erofs", "--quiet", f"-b{size}", "-T0", "-U", "7d6c1f0e-55aa-4c1b-9f59-1f0f6f0e2a11", "--all-root",
                 f"/run/work/{made}", "/run/work/tree", bind=work)
        tool("mksquashfs", "/run/work/tree", "/run/work/squashfs", "-quiet", "-no-progress", "-all-root",
             "-all-time", "0", "-mkfs-time", "0", bind=work)
        return [open(os.path.join(work, kind), "rb").read() for kind in ("erofs", "squashfs", "erofs-1024")]
    finally:
        shutil.rmtree(work)


class World:
    def __init__(self, erofs, squashfs, erofs_1024=b""):
        self.erofs, self.squashfs, self.erofs_1024, self.arch, self.foreign = erofs, squashfs, erofs_1024, ARCH, FOREIGN
        self.made = {}

    # ---- certificates --------------------------------------------------------------------------

    def __getitem__(self, name):
        if name not in self.made:
            with keys.seeded(name):
                self.made[name] = CERTIFICATES[name](self)
        return self.made[name]

    def write_certificate(self, directory, name):
        path = os.path.join(directory, f"{name}.crt")
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.write(keys.pem(self[name].der))
        return path

    def write_key(self, directory, name):
        """For openssl; EC keys only, RSA ones here are of many primes."""
        key = self[name].key
        path = os.path.join(directory, f"{name}.key")
        with open(path, "wb") as file:
            file.write(keys.pem(key.private().encode(), "EC PRIVATE KEY"))
        return path

    # ---- images --------------------------------------------------------------------------------

    def image(self, key="ours", *, digest="sha256", embed=True, data=None, **parameters):
        certificate = self[key]
        return ddi.Image(self.erofs if data is None else data,
                         lambda root: pkcs7.sign(certificate, root.encode(), digest=digest, embed=embed).encode(),
                         fingerprint=certificate.fingerprint, arch=self.arch, **parameters)

    def blocks(self):
        """Of the ordinary image that verity covers."""
        return -(-len(self.erofs) // BLOCK)


def rsa(subject, bits=2048, e=65537, **fields):
    return lambda w: keys.Certificate(subject, keys.Rsa.make(bits, e), **fields)


def ec(curve, subject, **fields):
    return lambda w: keys.Certificate(subject, keys.Ec(curve), **fields)


CERTIFICATES = {
    "ours": rsa("vext tests"),
    "p256": ec(P256, "vext tests P-256"),
    "p384": ec(P384, "vext tests P-384"),
    "stranger": rsa("a stranger"),
    # Named as an anchor is, with a key of its own.
    "twin": lambda w: keys.Certificate("vext tests", keys.Rsa.make(2048), serial=w["ours"].serial),
    "rsa-3": rsa("vext tests, exponent 3", e=3),
    "rsa-4096": rsa("vext tests, 4096 bits", 4096),
    "rsa-2056": rsa("vext tests, 2056 bits", 2056),
    "expired": ec(P256, "expired", dates=("19700101000000Z", "19710101000000Z")),
    "future": ec(P256, "not yet", dates=("20900101000000Z", "20990101000000Z")),
    "authority": ec(P256, "an authority", usage=("digitalSignature", "keyCertSign"),
                    extensions=[keys.basic_constraints(True)]),
    "issued": lambda w: keys.Certificate("issued by the authority", keys.Ec(P256), issuer=w["authority"]),
    "negative": ec(P256, "of negative serial number", serial=der.Value(0x02, b"\xf5\x01")),
    "sha1-signed": ec(P256, "signed with SHA-384", digest="sha384"),
}
