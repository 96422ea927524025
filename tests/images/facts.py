# SPDX-License-Identifier: Apache-2.0
"""
What is in an image, read from its bytes by code of its own: nothing here comes from what wrote it.

read() gives a flat list of facts, "header.revision" → 65536 and the like. A case is one defect when
its facts are those of the ordinary image but for the ones that the case names. Facts about checksums,
hashes and signatures say whether they are right, not what they are, so a changed table whose checksums
were computed again differs in just the field that was changed. Once something can't be read, the
facts that hang on it are missing.
"""

import base64
import binascii
import hashlib
import os
import re
import stat
import struct
import zlib

TYPES = {
    "x86-64": "4f68bce3e8cd4db196e7fbcaf984b709 2c7357edebd246d9aec123d437ec2bf5 41092b059fc84523994f2def0408b176 "
              "8484680c952148c69c11b0720656f69e 77ff5f63e7b64633acf41565b864c0e6 e7bb33fb06cf4e818273e543b413e2e2",
    "arm64": "b921b0451df041c3af444c6f280d3fae df3300ced69f4c92978c9bfb0f38d820 6db69de629f44758a7a5962190f00ce3 "
             "b0e01050ee5f4390949a9101b17104e9 6e11a4e7fbca4dedb9e9e1a512bb664e c23ce4ff44bd4b00b2d4b41b3419e02a",
}
LABELS = "root root-verity root-verity-sig usr usr-verity usr-verity-sig".split()
NAMES = {uuid: f"{label} {arch}" for arch, uuids in TYPES.items() for label, uuid in zip(LABELS, uuids.split())}
TREE_BYTES_MAX = 1 << 30  # of data for which the tree is followed


class Source:
    """A file of any size, read where it is asked for; zeros beyond its end are never made up."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.size = os.fstat(self.fd).st_size

    def read(self, offset, size):
        if not 0 <= offset <= self.size - size:
            return None
        return os.pread(self.fd, size, offset)

    def close(self):
        os.close(self.fd)


def read(path, root, certificates):
    """
    root: the root hash (hexadecimal) that the generator says the image has. certificates: name → DER of
    those that a signature may be of.
    """
    kind = stat.S_IFMT(os.lstat(path).st_mode)
    facts = {"file.kind": {stat.S_IFREG: "file", stat.S_IFLNK: "symbolic link", stat.S_IFDIR: "directory",
                           stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device"}[kind]}
    if kind != stat.S_IFREG:
        return facts
    source = Source(path)
    try:
        facts["file.size"] = source.size
        boot_record(facts, source)
        for sector in (512, 4096):
            table(facts, source, sector, root)
        parts = find_parts(facts)
        envelope(facts, source, parts, root, certificates)
        verity(facts, source, parts, root)
        filesystem(facts, source, parts)
    finally:
        source.close()
    return facts


# ---- boot record and GPT -----------------------------------------------------------------------

def boot_record(facts, source):
    raw = source.read(0, 512)
    if raw is None:
        return
    facts["mbr.signature"] = raw[510:].hex()
    facts["mbr.code"] = "zeros" if not any(raw[:446]) else "not zeros"
    records = [raw[446 + 16 * i:462 + 16 * i] for i in range(4)]
    facts["mbr.records"] = tuple(f"{r[4]:02x}" if any(r) else "-" for r in records)


def mixed_uuid(raw):
    return (raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:16]).hex()


def crc_of(source, offset, size, blank=None):
    """Of at most 256 MiB; blank: where four bytes count as zeros."""
    crc, done = 0, 0
    if size > 1 << 28 or source.read(offset, 0) is None or offset + size > source.size:
        return None
    while done < size:
        step = min(1 << 20, size - done)
        piece = bytearray(source.read(offset + done, step))
        if blank is not None and done == 0:
            piece[blank:blank + 4] = bytes(4)
        crc, done = zlib.crc32(piece, crc), done + step
    return crc


def one_header(facts, prefix, source, offset):
    raw = source.read(offset, 92)
    if raw is None or raw[:8] != b"EFI PART":
        return None
    (revision, size, crc, reserved, own, alternate, first, last, guid, array, count, entry_size,
     array_crc) = struct.unpack("<8xIIIIQQQQ16sQIII", raw)
    facts.update({f"{prefix}.revision": revision, f"{prefix}.size": size, f"{prefix}.reserved": reserved,
                  f"{prefix}.own": own, f"{prefix}.alternate": alternate, f"{prefix}.first": first,
                  f"{prefix}.last": last, f"{prefix}.guid": mixed_uuid(guid), f"{prefix}.array": array,
                  f"{prefix}.count": count, f"{prefix}.entry-size": entry_size})
    right = crc_of(source, offset, size, 16)
    facts[f"{prefix}.crc"] = "right" if crc == right else "beyond reach" if right is None else "wrong"
    return array, count, entry_size, array_crc


def table(facts, source, sector, root):
    prefix = f"gpt-{sector}"
    header = one_header(facts, prefix, source, sector)
    end = source.size - source.size % sector
    backup = one_header(facts, f"{prefix}-backup", source, end - sector)
    if header:
        entries(facts, prefix, source, sector, header, root)
    if header and backup:
        compare_arrays(facts, f"{prefix}-backup", source, sector, header, backup)


def array_fact(facts, prefix, source, sector, header):
    array, count, entry_size, crc = header
    right = crc_of(source, array * sector, count * entry_size)
    facts[f"{prefix}.array-crc"] = "right" if crc == right else "beyond reach" if right is None else "wrong"
    return right is not None


def compare_arrays(facts, prefix, source, sector, header, backup):
    if not array_fact(facts, prefix, source, sector, backup):
        return
    arrays = [source.read(h[0] * sector, min(h[1] * h[2], 16384)) for h in (header, backup)]
    facts[f"{prefix}.entries"] = "as the primary ones" if arrays[0] == arrays[1] else "others"


def uuid_fact(uuid, root):
    return {root[:32]: "first half of the root hash", root[32:]: "second half of the root hash"}.get(uuid, uuid)


def entries(facts, prefix, source, sector, header, root):
    array, count, entry_size, _ = header
    if not array_fact(facts, prefix, source, sector, header) or entry_size < 128:
        return
    used = []
    for slot in range(min(count, 4096)):
        raw = source.read(array * sector + slot * entry_size, 128)
        if not any(raw[:16]):
            if any(raw):
                facts[f"{prefix}.entry-{slot}.type"] = "none, but not empty"
            continue
        first, last, attributes = struct.unpack("<QQQ", raw[32:56])
        kind = mixed_uuid(raw)
        used.append((slot, first * sector, (last + 1) * sector))
        entry = f"{prefix}.entry-{slot}"
        facts.update({f"{entry}.type": NAMES.get(kind, kind), f"{entry}.uuid": uuid_fact(mixed_uuid(raw[16:32]), root),
                      f"{entry}.first": first, f"{entry}.last": last, f"{entry}.attributes": attributes,
                      f"{entry}.name": raw[56:128].decode("utf-16-le", "surrogatepass").rstrip("\0")})
    table_end = array * sector + count * entry_size
    facts[f"{prefix}.outside"] = tuple(s for s, a, b in used if a < table_end or b <= a or b > source.size)
    facts[f"{prefix}.overlaps"] = tuple((s, t) for i, (s, a, b) in enumerate(used) for t, c, d in used[:i]
                                        if a < d and c < b)


def find_parts(facts):
    """The first partitions of each kind, as the table of the first sector size has them: (offset, size)."""
    parts = {}
    for key, value in facts.items():
        found = re.fullmatch(r"(gpt-(\d+)\.entry-\d+)\.type", key)
        if not found or " " not in value or value.startswith("none"):
            continue
        entry, sector = found[1], int(found[2])
        label = value.split()[0]
        kind = "envelope" if label.endswith("-sig") else "tree" if label.endswith("-verity") else "data"
        first, last = facts[f"{entry}.first"], facts[f"{entry}.last"]
        if first <= last < 2**50:
            parts.setdefault(kind, (first * sector, (last + 1 - first) * sector))
    return parts


# ---- envelope ----------------------------------------------------------------------------------

def readable(text, root, fingerprints):
    """Long things by their names; what is no ASCII escaped; runs of one character counted."""
    for fingerprint, name in fingerprints.items():
        text = text.replace(fingerprint.encode(), f"<fingerprint of {name}>".encode())
    text = text.replace(root.encode(), b"<root hash>")
    text = re.sub(rb'"[A-Za-z0-9+/]{150,}={0,2}"', b'"<base64>"', text)
    text = re.sub(rb"(.)\1{99,}", lambda m: m[1] + b"*%d" % len(m[0]), text, flags=re.S)
    return text.decode("latin-1").encode("unicode_escape").decode()


def envelope(facts, source, parts, root, certificates):
    if "envelope" not in parts:
        return
    offset, size = parts["envelope"]
    raw = source.read(offset, min(size, 1 << 23))
    if raw is None:
        return
    text, _, padding = raw.partition(b"\0")
    facts["envelope.padding"] = "zeros" if not any(padding) else readable(padding.rstrip(b"\0"), root, {})
    fingerprints = {hashlib.sha256(d).hexdigest(): n for n, d in certificates.items()}
    facts["envelope.text"] = readable(text, root, fingerprints)
    found = re.search(rb'"signature"\s*:\s*"([^"]*)"', text)
    if not found:
        return
    encoded = unescaped(found[1])
    decoded = lenient_base64(encoded)
    facts["envelope.base64"] = ("canonical" if base64.b64encode(decoded) == encoded else
                                f"not canonical: ends {encoded[-4:].decode('latin-1')!r}, "
                                f"length {len(encoded)}, others {sorted(set(others(encoded)))}")
    signature(facts, decoded, root, certificates)


def unescaped(text):
    """What a JSON string of ASCII stands for."""
    known = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
    text = re.sub(rb"\\u00([0-9a-f]{2})", lambda m: bytes.fromhex(m[1].decode()), text)
    return re.sub(rb"\\(.)", lambda m: known.get(m[1], m[1]), text, flags=re.S)


def others(encoded):
    return re.sub(rb"[A-Za-z0-9+/]", b"", encoded.rstrip(b"=")).decode("latin-1")


def lenient_base64(encoded):
    plain = re.sub(rb"[^A-Za-z0-9+/]", b"", encoded.translate(bytes.maketrans(b"-_", b"+/")))
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4))
    except binascii.Error:
        return b""


# ---- PKCS#7 ------------------------------------------------------------------------------------

OIDS = {
    "2a864886f70d010702": "signedData", "2a864886f70d010701": "data", "2a864886f70d010703": "envelopedData",
    "2a864886f70d0205": "md5", "2b0e03021a": "sha1", "608648016503040204": "sha224",
    "608648016503040201": "sha256", "608648016503040202": "sha384", "608648016503040203": "sha512",
    "608648016503040208": "sha3_256", "2a864886f70d010101": "rsaEncryption", "2a864886f70d010105": "sha1WithRSA",
    "2a864886f70d01010a": "rsassaPss", "2a864886f70d01010b": "sha256WithRSA", "2a864886f70d01010c": "sha384WithRSA",
    "2a864886f70d01010d": "sha512WithRSA", "2a8648ce3d0201": "ecPublicKey", "2a8648ce3d0401": "ecdsaWithSHA1",
    "2a8648ce3d040302": "ecdsaWithSHA256", "2a8648ce3d040303": "ecdsaWithSHA384",
    "2a8648ce3d040304": "ecdsaWithSHA512", "2b6570": "ed25519", "2a8648ce3d030107": "P-256",
    "2b81040022": "P-384", "2b81040023": "P-521", "2b8104000a": "secp256k1", "2a8648ce380401": "dsa",
}


class Item:
    """A value of BER and where it stands; `faults` collects what is not DER."""

    def __init__(self, data, at, faults):
        self.tag, self.start = data[at], at
        first, at = data[at + 1], at + 2
        self.items = []
        if first == 0x80:
            faults.append(f"indefinite length at {self.start}")
            while data[at:at + 2] != b"\0\0":
                self.items.append(Item(data, at, faults))
                at = self.items[-1].end
            self.body, self.end = None, at + 2
            return
        size = first
        if first > 0x80:
            digits = data[at:at + (first & 0x7F)]
            size, at = int.from_bytes(digits, "big"), at + len(digits)
            if size < 0x80 or digits[0] == 0:
                faults.append(f"length not minimal at {self.start}")
        if at + size > len(data):
            raise ValueError(f"the value at {self.start} is longer than what there is")
        self.body, self.end = data[at:at + size], at + size
        while self.tag & 0x20 and at < self.end:
            self.items.append(Item(data, at, faults))
            at = self.items[-1].end
        if self.tag & 0x20 and at != self.end:
            raise ValueError(f"the value at {self.start} ends inside another")
        primitive_faults(self, faults)

    def whole(self, data):
        return data[self.start:self.end]


def primitive_faults(item, faults):
    body = item.body
    if item.tag == 0x02 and (not body or len(body) > 1 and (body[0], body[1] >> 7) in ((0, 0), (255, 1))):
        faults.append(f"integer not minimal at {item.start}")
    if item.tag == 0x02 and body and body[0] >> 7:
        faults.append(f"negative integer at {item.start}")
    if item.tag == 0x01 and body not in (b"\0", b"\xff"):
        faults.append(f"boolean neither 00 nor ff at {item.start}")
    if item.tag == 0x05 and body:
        faults.append(f"null with contents at {item.start}")
    if item.tag == 0x06 and not body:
        faults.append(f"empty object identifier at {item.start}")


def oid_of(item):
    return OIDS.get(item.body.hex(), item.body.hex())


def algorithm_of(item):
    parameters = [f"{p.tag:02x}" for p in item.items[1:]]
    return "/".join([oid_of(item.items[0])] + ["null" if p == "05" else p for p in parameters])


def signature(facts, raw, root, certificates):
    faults = []
    try:
        top = Item(raw, 0, faults)
    except (ValueError, IndexError, AttributeError, RecursionError) as e:
        facts["signature.der"] = f"unreadable: {e}" if raw else "empty"
        return
    if top.end != len(raw):
        faults.append(f"{len(raw) - top.end} bytes behind it")
    facts["signature.der"] = "; ".join(faults) or "strict"
    try:
        signed_data(facts, raw, top, root, certificates)
    except (IndexError, AttributeError, KeyError, TypeError):
        facts["signature.shape"] = "other"


def signed_data(facts, raw, top, root, certificates):
    facts["signature.type"] = f"{oid_of(top.items[0])}, {len(top.items)} parts, [0] with {len(top.items[1].items)}"
    fields = list(top.items[1].items[0].items)
    facts["signature.version"] = fields.pop(0).body.hex()
    facts["signature.digests"] = tuple(algorithm_of(a) for a in fields.pop(0).items)
    content = fields.pop(0)
    facts["signature.content"] = oid_of(content.items[0]) + "".join(
        f", attached {c.whole(raw).hex()}" for c in content.items[1:])
    names = {der: name for name, der in certificates.items()}
    if fields[0].tag == 0xA0:
        facts["signature.certificates"] = tuple(names.get(c.whole(raw), "another value") for c in fields.pop(0).items)
    if fields[0].tag == 0xA1:
        facts["signature.crls"] = len(fields.pop(0).items)
    facts["signature.signers"] = f"{len(fields[0].items)}, tag {fields[0].tag:02x}"
    if fields[1:]:
        facts["signature.more"] = tuple(f"{f.tag:02x}" for f in fields[1:])
    for i, one in enumerate(fields[0].items):
        signer(facts, f"signer-{i}", raw, one, root, certificates)


def signer(facts, prefix, raw, item, root, certificates):
    fields = list(item.items)
    facts[f"{prefix}.version"] = fields.pop(0).body.hex()
    who = fields.pop(0)
    facts[f"{prefix}.named"] = naming(raw, who, certificates)
    digest = algorithm_of(fields.pop(0))
    facts[f"{prefix}.digest"] = digest
    if fields[0].tag == 0xA0:
        facts[f"{prefix}.attributes"] = tuple(oid_of(a.items[0]) for a in fields.pop(0).items)
    algorithm = fields.pop(0)
    facts[f"{prefix}.algorithm"] = algorithm_of(algorithm)
    value = fields.pop(0)
    facts[f"{prefix}.made"] = made_by(value.body, digest.split("/")[0], root, certificates)
    if fields:
        facts[f"{prefix}.more"] = tuple(f"{f.tag:02x}" for f in fields)


def parts_of_certificate(der):
    """Issuer and serial number as they stand there, and the subject's public key."""
    top = Item(der, 0, [])
    fields = top.items[0].items
    if fields[0].tag == 0xA0:
        fields = fields[1:]
    return fields[2].whole(der), fields[0].whole(der), fields[5]


def naming(raw, who, certificates):
    issuer, serial = who.items[0].whole(raw), who.items[1].whole(raw)
    hits = [n for n, der in certificates.items() if parts_of_certificate(der)[:2] == (issuer, serial)]
    if hits:
        return ", ".join(hits)
    near = [n for n, der in certificates.items() if parts_of_certificate(der)[0] == issuer]
    return f"issuer of {', '.join(near)}, serial {serial.hex()}" if near else f"unknown {(issuer + serial).hex()}"


def contents(root):
    """What may have been signed."""
    return {
        "the root hash": root.encode(), "the root hash as 32 bytes": bytes.fromhex(root),
        "the root hash and a newline": root.encode() + b"\n", "the root hash in uppercase": root.upper().encode(),
        "the root hash and NUL": root.encode() + b"\0", "nothing": b"",
    }


def made_by(value, digest, root, certificates):
    for name, der in certificates.items():
        key = parts_of_certificate(der)[2]
        for what, content in contents(root).items():
            if key_made(key, value, digest, content):
                return f"by {name} over {what}"
    return f"by nobody known, {len(value)} bytes"


def key_made(key, value, digest, content):
    kind = oid_of(key.items[0].items[0])
    try:
        hashed = hashlib.new(digest, content).digest()
    except ValueError:
        return False
    if kind == "rsaEncryption":
        return rsa_made(key.items[1].body[1:], value, digest, hashed)
    if kind == "ecPublicKey" and oid_of(key.items[0].items[1]) in CURVES:
        return ecdsa_made(CURVES[oid_of(key.items[0].items[1])], key.items[1].body[2:], value, hashed)
    return False


RSA_RESULTS = {}  # signature and key → padded message: the same ones come again and again


def rsa_made(public, value, digest, hashed):
    if (public, value) not in RSA_RESULTS:
        numbers = Item(public, 0, [])
        n, e = (int.from_bytes(i.body, "big") for i in numbers.items)
        s = int.from_bytes(value, "big")
        size = (n.bit_length() + 7) // 8
        RSA_RESULTS[public, value] = (pow(s, e, n).to_bytes(size, "big") if len(value) == size and s < n else b"")
    message = RSA_RESULTS[public, value]
    oid = next(bytes.fromhex(h) for h, n in OIDS.items() if n == digest)
    algorithm = b"\x06" + bytes([len(oid)]) + oid + b"\x05\x00"
    info = b"\x30" + bytes([len(algorithm)]) + algorithm + b"\x04" + bytes([len(hashed)]) + hashed
    info = b"\x30" + bytes([len(info)]) + info
    return message == b"\x00\x01" + b"\xff" * (len(message) - len(info) - 3) + b"\x00" + info


# SEC 2: p, order, b, generator; a is p - 3.
CURVES = {
    "P-256": (2**256 - 2**224 + 2**192 + 2**96 - 1,
              0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
              0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
              0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5),
    "P-384": (2**384 - 2**128 - 2**96 + 2**32 - 1,
              0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
              0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
              0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f),
}


def plus(p, one, two):
    if one is None or two is None:
        return one or two
    if one[0] == two[0]:
        if (one[1] + two[1]) % p == 0:
            return None
        slope = 3 * (one[0] ** 2 - 1) * pow(2 * one[1], -1, p)
    else:
        slope = (one[1] - two[1]) * pow(one[0] - two[0], -1, p)
    x = (slope ** 2 - one[0] - two[0]) % p
    return x, (slope * (one[0] - x) - one[1]) % p


def ecdsa_made(curve, point, value, hashed):
    p, n, *g = curve
    try:
        faults = []
        numbers = Item(value, 0, faults)
        r, s = (int.from_bytes(i.body, "big", signed=True) for i in numbers.items)
    except (ValueError, IndexError):
        return False
    if not (0 < r < n and 0 < s < n) or numbers.tag != 0x30 or numbers.end != len(value) or faults:
        return False
    z = int.from_bytes(hashed, "big") >> max(0, 8 * len(hashed) - n.bit_length())
    half = len(point) // 2
    q = int.from_bytes(point[:half], "big"), int.from_bytes(point[half:], "big")
    w = pow(s, -1, n)
    sums, total = {(1, 0): tuple(g), (0, 1): q, (1, 1): plus(p, tuple(g), q)}, None
    u, v = z * w % n, r * w % n
    for bit in range(n.bit_length() - 1, -1, -1):
        total = plus(p, total, total) if total else None
        which = (u >> bit & 1, v >> bit & 1)
        total = plus(p, total, sums[which]) if which != (0, 0) else total
    return total is not None and total[0] % n == r


# ---- verity ------------------------------------------------------------------------------------

def verity(facts, source, parts, root):
    if "tree" not in parts or "data" not in parts:
        return
    raw = source.read(parts["tree"][0], 512)
    if raw is None:
        return
    (magic, version, kind, uuid, algorithm, data_block, hash_block, blocks, salt_size, padding, salt,
     rest) = struct.unpack("<8sII16s32sIIQH6s256s168s", raw)
    facts.update({
        "superblock.signature": magic.hex(), "superblock.version": version, "superblock.hash-type": kind,
        "superblock.uuid": uuid.hex(), "superblock.algorithm": algorithm.rstrip(b"\0").decode("latin-1"),
        "superblock.data-block": data_block, "superblock.hash-block": hash_block, "superblock.blocks": blocks,
        "superblock.salt-size": salt_size, "superblock.salt": salt.hex().rstrip("0"),
        "superblock.padding": "zeros" if not any(padding + rest) else (padding + rest).hex()})
    if algorithm.rstrip(b"\0") not in (b"sha256", b"sha512", b"sha1") or data_block not in (512, 1024, 4096) \
            or hash_block not in (512, 1024, 4096) or salt_size > 256 or kind != 1:
        return
    if 0 < blocks * data_block <= min(parts["data"][1], TREE_BYTES_MAX):
        digest = hashlib.new(algorithm.rstrip(b"\0").decode(), salt[:salt_size])
        follow(facts, source, parts, digest, (data_block, hash_block, blocks), root)


class Hasher:
    def __init__(self, digest):
        self.digest, self.known = digest, {}

    def __call__(self, block):
        if block not in self.known:
            state = self.digest.copy()
            state.update(block)
            self.known[block] = state.digest()
        return self.known[block]


def follow(facts, source, parts, digest, geometry, root):
    """From the root hash down, each block against the hash that its parent, as it is on disk, has of it."""
    data_block, hash_block, blocks = geometry
    hashed, width = Hasher(digest), 1 << (digest.digest_size - 1).bit_length()
    counts = [blocks]
    while counts[-1] > 1:
        counts.append(-(-counts[-1] // (hash_block // width)))
    place, offsets = parts["tree"][0] + hash_block, {}
    for level in range(len(counts) - 1, 0, -1):
        offsets[level], place = place, place + counts[level] * hash_block
    facts["verity.tree"] = "inside" if place <= sum(parts["tree"]) else f"{place - sum(parts['tree'])} bytes too long"
    offsets[0] = parts["data"][0]
    bad, expected = [], [bytes.fromhex(root)]
    for level in range(len(counts) - 1, -1, -1):
        size, below = hash_block if level else data_block, []
        for i in range(counts[level]):
            block = source.read(offsets[level] + i * size, size)
            if block is None or hashed(block) != expected[i][:digest.digest_size]:
                bad.append(f"level {level} block {i}" if level else f"data block {i}")
            if level:
                block = block or bytes(size)
                below += [block[j:j + width] for j in range(0, size, width)]
        expected = below
    facts["verity.bad"] = tuple(bad[:8])


def filesystem(facts, source, parts):
    if "data" not in parts:
        return
    block = source.read(parts["data"][0], 4096)
    if block is None:
        return
    found = []
    if block[1024:1028] == bytes.fromhex("e2e1f5e0"):
        bits, blocks, incompatible = block[1036], struct.unpack("<I", block[1060:1064])[0], block[1104:1108]
        found.append(f"erofs, {blocks} blocks of 2^{bits}, incompatible {incompatible.hex()}")
    if block[:4] == b"hsqs":
        major, size = struct.unpack("<H", block[28:30])[0], struct.unpack("<Q", block[40:48])[0]
        found.append(f"squashfs {major}, {size} bytes")
    if block[510:512] == b"\x55\xaa":
        found.append("boot sector")
    if block[1080:1082] == b"\x53\xef":
        found.append("ext")
    facts["filesystem"] = "; ".join(found) or "none"


# ---- certificates ------------------------------------------------------------------------------

def certificate(der):
    """Facts of a certificate that is to be an anchor."""
    facts, faults = {}, []
    top = Item(der, 0, faults)
    faults += [f"{len(der) - top.end} bytes behind it"] if top.end != len(der) else []
    facts["der"] = "; ".join(faults) or "strict"
    fields = list(top.items[0].items)
    facts["version"] = fields.pop(0).items[0].body.hex() if fields[0].tag == 0xA0 else "00"
    facts["serial"] = fields.pop(0).body.hex()
    facts["signed-with"] = algorithm_of(fields.pop(0))
    issuer, dates, subject = fields.pop(0), fields.pop(0), fields.pop(0)
    facts["issuer"] = "as the subject" if issuer.body == subject.body else issuer.body.hex()
    facts["subject"] = subject.body.hex()
    facts["dates"] = tuple(d.body.decode() for d in dates.items)
    key = fields.pop(0)
    facts["key"] = key_fact(key)
    facts["signature"] = "right" if issuer.body == subject.body and self_signed(der, top, key) else "not its own"
    for one in fields[0].items[0].items if fields else []:
        key = f"extension-{one.items[0].body.hex()}"
        if key in facts:
            facts["twice"] = key
            continue
        facts[key] = tuple(i.body.hex() for i in one.items[1:])
    return facts


def self_signed(der, top, key):
    name = algorithm_of(top.items[1])
    digest = re.search(r"(?:SHA|sha)(\d+)", name)
    return bool(digest) and key_made(key, top.items[2].body[1:], f"sha{digest[1]}", top.items[0].whole(der))


def key_fact(key):
    kind = oid_of(key.items[0].items[0])
    if kind == "rsaEncryption":
        numbers = Item(key.items[1].body[1:], 0, [])
        n, e = (int.from_bytes(i.body, "big") for i in numbers.items)
        return f"RSA of {n.bit_length()} bits, exponent {e}"
    if kind == "ecPublicKey":
        parameters = key.items[0].items[1]
        curve = oid_of(parameters) if parameters.tag == 6 else "explicit"
        return f"EC, {curve}, point {key.items[1].body[1]:02x}{point_fact(curve, key.items[1].body[2:])}"
    return kind


def point_fact(curve, point):
    """What is odd about a point that is not compressed: the curve is y² = x³ - 3x + b, as its generator is on it."""
    if curve not in CURVES or len(point) in (0, 32, 48):
        return ""
    p, _, gx, gy = CURVES[curve]
    if len(point) != p.bit_length() // 4:
        return f" of {len(point)} bytes"
    half = len(point) // 2
    x, y = int.from_bytes(point[:half], "big"), int.from_bytes(point[half:], "big")
    return "" if (y * y - x**3 + 3 * x - (gy * gy - gx**3 + 3 * gx)) % p == 0 else " off the curve"
