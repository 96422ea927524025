# SPDX-License-Identifier: Apache-2.0
"""
What others say of an image: each oracle gives None, or in a few words why the image is no good. What one finds is
where the next one looks, so the first reader of a partition table is not vext.
"""

import base64
import hashlib
import json
import os
import re
import struct
import subprocess
import zlib

import ddi
import der
import gpt
import pkcs7
from world import TOOLS, TOP

SECONDS = 120
POLICY = "root=signed+absent:usr=signed+absent"


class Invalid(Exception):
    pass


def run(*command):
    return subprocess.run(command, capture_output=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL,
                          env={**os.environ, "LC_ALL": "C"})


class Oracles:
    """The tools are asked once for the same bytes: most mutants differ from others in one part."""

    def __init__(self, world, anchors, directory):
        self.arch, self.directory, self.known, self.calls = world.arch, directory, {}, {}
        self.anchors = [world[a].der for a in anchors]

    def once(self, name, key, ask):
        digest = name, hashlib.sha256(repr(key).encode() if not isinstance(key, bytes) else key).digest()
        if digest not in self.known:
            self.calls[name] = self.calls.get(name, 0) + 1
            self.known[digest] = ask()
        found = self.known[digest]
        if isinstance(found, str):
            raise Invalid(found)
        return found

    def scratch(self, name, data):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def examine(self, data, sector):
        """None, or what the first oracle that minds says."""
        try:
            parts = self.table(data, sector)
            root, signature = self.envelope(data, parts)
            self.signature(root, signature)
            self.verity(data, parts, root)
        except Invalid as e:
            return str(e)
        return None

    # ---- partition table ---------------------------------------------------------------------------

    def table(self, data, sector):
        if len(data) < 3 * sector:
            raise Invalid("gpt: too short")
        head = data[:2 * sector + 128 * 128] + data[-33 * sector:] + struct.pack("<QI", len(data), sector)
        own = self.once("gpt", head, lambda: own_table(data, sector))
        if sector == 512:
            other = self.once("sfdisk", head, lambda: self.sfdisk(data))
            typed = [p for p in other if p[2] != gpt.NO_TYPE]
            if sorted(p[:4] for p in own) != sorted(typed):
                raise Invalid("sfdisk: other partitions than the GPT reader")
            if typed != other:
                raise Invalid("sfdisk: a partition without a type")
        return self.choose(own, len(data))

    def peculiar(self, data, sector):
        """What systemd minds in a table, and the other readers don't look at."""
        own = own_table(data, sector)
        ours = {uuid: arch for (arch, _), uuid in gpt.TYPES.items()}
        words = [word for word, found in (
            ("no-auto", any(p[2] in ours and p[4] >> 63 for p in own)),
            ("foreign", any(ours.get(p[2], self.arch) != self.arch for p in own))) if found]
        return f" ({', '.join(words)})" if words else ""

    def sfdisk(self, data):
        """(start and size in bytes, type, UUID) of each partition."""
        done = run("sfdisk", "--json", self.scratch("sfdisk.raw", data))
        if done.returncode != 0:
            return f"sfdisk: {done.stderr.decode(errors='replace').splitlines()[-1].split(': ')[-1]}"
        try:
            found = json.loads(done.stdout.decode(errors="replace"))["partitiontable"]
        except ValueError:
            found = json.loads(re.sub(r'"name": ".*"', '"name": ""', done.stdout.decode(errors="replace")))["partitiontable"]
        if found["label"] != "gpt":
            return f"sfdisk: {found['label']}"
        return [(p["start"] * 512, p["size"] * 512, p["type"].lower(), p["uuid"].lower())
                for p in found.get("partitions", [])]

    def choose(self, partitions, size):
        kinds = {f"{role}{suffix}": (role, kind) for role in ("root", "usr")
                 for suffix, kind in (("", "data"), ("-verity", "tree"), ("-verity-sig", "envelope"))}
        names = {uuid: kinds[label] for (arch, label), uuid in gpt.TYPES.items() if arch == self.arch}
        ours = [(names[p[2]], p) for p in partitions if p[2] in names]
        spans = sorted(p[:2] for p in partitions)
        if any(a + n > b for (a, n), (b, _) in zip(spans, spans[1:])):
            raise Invalid("table: partitions overlap")
        if any(a + n > size for a, n in spans):
            raise Invalid("table: a partition ends behind the file")
        if sorted(kind for (_, kind), _ in ours) != ["data", "envelope", "tree"] or len({r for (r, _), _ in ours}) != 1:
            raise Invalid("table: not one data, verity and signature partition of one role")
        return {kind: p for (_, kind), p in ours}

    # ---- envelope ------------------------------------------------------------------------------------

    def envelope(self, data, parts):
        at, size = parts["envelope"][:2]
        root, signature = self.once("json", data[at:at + size], lambda: own_envelope(data[at:at + size]))
        if (parts["data"][3] + parts["tree"][3]).replace("-", "") != root:
            raise Invalid("table: UUIDs are not the root hash")
        return root, signature

    # ---- signature -----------------------------------------------------------------------------------

    def signature(self, root, signature):
        self.once("openssl", (root, signature), lambda: self.openssl(root, signature))

    def openssl(self, root, signature):
        if pkcs7.openssl_verify(signature, root.encode(), *self.anchors):
            return True
        bare = without_certificates(signature)
        if bare and pkcs7.openssl_verify(bare, root.encode(), *self.anchors):
            return "openssl: the embedded certificates"
        return "openssl: no anchor made the signature"

    # ---- verity --------------------------------------------------------------------------------------

    def verity(self, data, parts, root):
        content, tree = (data[parts[k][0]:parts[k][0] + parts[k][1]] for k in ("data", "tree"))
        self.once("veritysetup", content + tree + root.encode(), lambda: self.veritysetup(content, tree, root))

    def veritysetup(self, content, tree, root):
        done = run("veritysetup", "verify", self.scratch("data", content), self.scratch("tree", tree), root)
        return True if done.returncode == 0 else "veritysetup: " + done.stderr.decode(errors="replace").strip().split("\n")[-1]

    # ---- systemd -------------------------------------------------------------------------------------

    def dissect(self, names):
        """name → None or what systemd-dissect has against it, for files of the directory."""
        script = ("cd /run/work; for f; do if said=$(systemd-dissect --validate --image-policy=" + POLICY +
                  ' "$f" 2>&1); then echo "$f ok"; else echo "$f no $said" | head -n 1; fi; done')
        done = run(os.path.join(TOP, "bootengine", "in-root"), "--bind", f"{self.directory}=/run/work", TOOLS, "--",
                   "sh", "-c", script, "sh", *names)
        lines = [line.split(" ", 2) for line in done.stdout.decode(errors="replace").splitlines()]
        said = {line[0]: None if line[1] == "ok" else "dissect: " + line[2].split(": ", 1)[-1] for line in lines}
        if set(said) != set(names):
            raise RuntimeError(f"systemd-dissect says nothing of some images: {done.stderr.decode()[:500]}")
        return said


# ---- readers of this file's own ------------------------------------------------------------------

def own_table(data, sector):
    """The second reader of the GPT, and the only one with 4096-byte sectors: sfdisk does not know those in a file."""
    raw = data[sector:2 * sector]
    fields = struct.unpack_from("<8sIIIIQQQQ16sQIII", raw)
    signature, _, size, crc, _, own, _, _, _, _, array, count, entry_size, array_crc = fields
    if signature != b"EFI PART" or own != 1:
        return "gpt: no header"
    if not 92 <= size <= sector or zlib.crc32(raw[:16] + bytes(4) + raw[20:size]) != crc:
        return "gpt: header checksum"
    entries = data[array * sector:array * sector + count * entry_size] if count * entry_size < 1 << 20 else b""
    if entry_size < 128 or len(entries) != count * entry_size or zlib.crc32(entries) != array_crc:
        return "gpt: array checksum"
    found = []
    for i in range(count):
        entry = entries[i * entry_size:(i + 1) * entry_size]
        first, last = struct.unpack_from("<QQ", entry, 32)
        if any(entry[:16]):
            if last < first:
                return "gpt: a partition ends before it starts"
            attributes = struct.unpack_from("<Q", entry, 48)[0]
            found.append((first * sector, (last + 1 - first) * sector, guid(entry), guid(entry[16:]), attributes))
    return found


def without_certificates(signature):
    try:
        tree = der.parse(signature)
        if tree[1][0][3].tag == 0xA0:
            del tree[1][0].content[3]
            return tree.encode()
    except (ValueError, IndexError, TypeError):
        pass
    return None


def guid(raw):
    return ddi.uuid(raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:16])


def constant(name):
    raise ValueError(name)


def unique(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a member twice")
    return dict(pairs)


def own_envelope(raw):
    """The members, by Python's own JSON and base64."""
    text, _, padding = raw.partition(b"\0")
    if any(padding):
        return "json: bytes behind the NUL"
    try:
        found = json.loads(text.decode("utf-8"), object_pairs_hook=unique, parse_constant=constant)
    except (ValueError, RecursionError) as e:
        return "json: " + re.sub(r"[:(].*", "", str(e)).strip()
    if not isinstance(found, dict) or not isinstance(found.get("rootHash"), str):
        return "json: no rootHash"
    if not re.fullmatch("[0-9a-f]{64}", found["rootHash"]):
        return "json: rootHash is no root hash"
    try:
        signature = base64.b64decode(found["signature"], validate=True)
    except (ValueError, TypeError, KeyError):
        return "json: signature is no base64"
    return found["rootHash"], signature
