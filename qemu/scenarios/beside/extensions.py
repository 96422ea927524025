# SPDX-License-Identifier: Apache-2.0
"""
Extensions of five kinds, for the scenarios in which systemd merges as well.

good      a disk image that the ephemeral key signed
stranger  a disk image that somebody else signed, whose certificate lies where systemd looks for certificates
verity    a disk image with dm-verity, without a signature
bare      a squashfs and nothing else
tree      a directory
"""

import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / "tests/images"))

import ddi      # noqa: E402
import keys     # noqa: E402
import pkcs7    # noqa: E402

UNITS = "usr/lib/systemd/system"
SEEN = """\
#!/bin/sh
# Which of the extensions have a file in the hierarchies of the root ROOT, on one line.
cd "${1:-/}" || exit
for f in usr/share/beside/* opt/beside/* etc/beside/*; do
	[ ! -e "$f" ] || printf '%s ' "$f"
done
"""
# In the initramfs: before vext, and after whoever of systemd's would have merged.
BEFORE_VEXT = """\
[Unit]
DefaultDependencies=no
After=systemd-sysext-sysroot.service systemd-confext-sysroot.service initrd-root-fs.target
Before=vext.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'mkdir -p /run/beside; /usr/lib/vext-test/seen /sysroot > /run/beside/initramfs'
"""
# The first unit of the booted system. Whatever A1 left lies in its /run from then on.
EARLY = """\
[Unit]
DefaultDependencies=no
After=local-fs.target
Before=sysinit.target systemd-sysext.service systemd-confext.service

[Service]
Type=oneshot
ExecStart=/bin/sh -c '/usr/lib/vext-test/seen > /run/beside/switch-root; [ ! -d /usr/lib/vext-test/run ] || cp -R /usr/lib/vext-test/run/. /run/'
"""

KINDS = ["good", "stranger", "verity", "bare", "tree"]
TOOLS = os.environ.get("VEXT_TOOLS", TOP / "build/roots/tools")


def files_of(name, confext):
    """Path → text: the extension's release, and one file of its own in each hierarchy."""
    if confext:
        return {f"etc/extension-release.d/extension-release.{name}": "ID=_any\n", f"etc/beside/{name}": f"{name}\n"}
    return {f"usr/lib/extension-release.d/extension-release.{name}": "ID=_any\n", f"usr/share/beside/{name}": f"{name}\n",
            f"opt/beside/{name}": f"{name}\n", f"usr/bin/{name}": f"#!/bin/sh\necho this is {name}\n"}


def write(root, files):
    for path, text in files.items():
        path = root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
        path.chmod(0o755)


def put(root, path, text, mode=0o644):
    path = root / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    path.chmod(mode)


def put_unit(root, unit, text, target):
    put(root, f"{UNITS}/{unit}", text)
    wants = root / UNITS / f"{target}.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / unit).symlink_to(f"../{unit}")


def put_witnesses(files, initrd):
    """Who writes down, in /run/beside, what was merged before vext and at switch-root."""
    for root in (files, initrd):
        put(root, "usr/lib/vext-test/seen", SEEN, 0o755)
    put_unit(files, "beside-early.service", EARLY, "sysinit.target")
    put_unit(initrd, "beside-before-vext.service", BEFORE_VEXT, "initrd.target")


def ephemeral():
    raw = keys.run("openssl", "x509", "-in", os.environ["VEXT_CERT"], "-outform", "DER")
    return keys.Certificate.load(raw, keys.Rsa.load(os.environ["VEXT_KEY"]))


class Extensions:
    """add() all of them, then make() once: the file systems are made in one run of the tools root."""

    def __init__(self, work):
        self.work, self.wanted = pathlib.Path(work), []
        self.key, self.certificate = self.work / "stranger.key", self.work / "stranger.crt"
        keys.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stranger", "-days", "3650",
                 "-keyout", self.key, "-out", self.certificate)

    def add(self, kind, name, directory, confext=False):
        self.wanted.append((kind, name, pathlib.Path(directory), confext))

    def make(self):
        self.make_filesystems()
        signers = {"good": ephemeral(), "stranger": self.stranger()}
        signers["verity"] = signers["good"]
        for kind, name, directory, confext in self.wanted:
            directory.mkdir(parents=True, exist_ok=True)
            if kind == "tree":
                write(directory / name, files_of(name, confext))
            elif kind == "bare":
                os.rename(self.work / "fs" / name, directory / f"{name}.raw")
            else:
                image = self.image(name, signers[kind])
                if kind == "verity":
                    del image.entries[image.slot("envelope")]
                image.write(directory / f"{name}.raw")

    def stranger(self):
        raw = keys.run("openssl", "x509", "-in", self.certificate, "-outform", "DER")
        return keys.Certificate.load(raw, keys.Rsa.load(self.key))

    def image(self, name, signer):
        def sign(root):
            return pkcs7.sign(signer, root.encode()).encode()
        return ddi.Image((self.work / "fs" / name).read_bytes(), sign, fingerprint=signer.fingerprint, arch="x86-64")

    def make_filesystems(self):
        (self.work / "fs").mkdir()
        script = ["set -eu"]
        for kind, name, _, confext in self.wanted:
            write(self.work / "trees" / name, files_of(name, confext))
            if kind == "bare":
                script.append(f"mksquashfs /run/work/trees/{name} /run/work/fs/{name} -quiet -no-progress -all-root")
            elif kind != "tree":
                script.append(f"mkfs.erofs --quiet -T0 --all-root /run/work/fs/{name} /run/work/trees/{name}")
        subprocess.run([TOP / "bootengine/in-root", "--bind", f"{self.work}=/run/work", TOOLS, "--", "sh", "-c",
                        "\n".join(script)], check=True, stdout=subprocess.DEVNULL)
