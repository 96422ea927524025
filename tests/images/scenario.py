# SPDX-License-Identifier: Apache-2.0
"""
What the builds of the guests' scenarios share: the tools root's programs, and images signed by the scenario's key
(VEXT_KEY and VEXT_CERT in the environment).
"""

import os
import pathlib
import subprocess

import ddi
import keys
import pkcs7

TOP = pathlib.Path(__file__).resolve().parents[2]
ARCH = "x86-64"
RELEASE = "usr/lib/extension-release.d/extension-release."


def in_tools(work, script):
    """A script for sh in the tools root, where the directory `work` is /run/work."""
    tools = os.environ.get("VEXT_TOOLS", TOP / "build/roots/tools")
    subprocess.run([TOP / "bootengine/in-root", "--bind", f"{work}=/run/work", tools, "--", "sh", "-euc", script],
                   check=True)


class Signer:
    """Makes images around a file system, signed by the scenario's key."""

    def __init__(self):
        raw = keys.run("openssl", "x509", "-in", os.environ["VEXT_CERT"], "-outform", "DER")
        self.certificate = keys.Certificate.load(raw, keys.Rsa.load(os.environ["VEXT_KEY"]))

    def image(self, data, **options):
        def sign(root):
            return pkcs7.sign(self.certificate, root.encode()).encode()
        return ddi.Image(data, sign, fingerprint=self.certificate.fingerprint, arch=ARCH, **options)


def make_program(files, name):
    """A static one of tests/qemu, for the guest."""
    subprocess.run([TOP / "build/deps/x86_64/cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
                    "-static", "-o", files / name, TOP / f"tests/qemu/{name}.c"],
                   check=True)


def make_host(files, release):
    """A root to merge onto."""
    for path in ("etc/extensions", "usr/lib", "usr/share/host"):
        (files / path).mkdir(parents=True)
    (files / "usr/lib/os-release").write_text(release, encoding="ascii")
    (files / "usr/share/host/data").write_text("data of the host\n", encoding="ascii")
