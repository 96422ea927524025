# SPDX-License-Identifier: Apache-2.0
"""
Mutants of signed images: number n of seed s is always the same one.

Each starts as an ordinary image and takes some harmless changes, which a verifier should not mind, and every
second one a hostile change besides. Everything that hangs on a change is made right again (checksums, lengths, trees,
and for some signatures), unless that is the change.
"""

import functools
import json
import random
import struct

import ddi
import der
import gpt
import keys
import pkcs7
import tiny
from verity import BLOCK, Superblock, Tree
from world import ANCHORS

KINDS = ("data", "tree", "envelope")
DIGESTS = ("sha256", "sha384", "sha512")


class Mutant:
    """An image on its way, the world that it is of, its own random numbers, and the names of what was done."""

    def __init__(self, world, r):
        self.world, self.r, self.done = world, r, []
        self.key, self.digest, self.embed = r.choice(ANCHORS), "sha256", r.random() < 0.5
        self.fs = r.choice(FILE_SYSTEMS)
        self.image = ddi.Image(self.fs, self.sign, fingerprint=world[self.key].fingerprint, arch=world.arch,
                               sector=r.choice((512, 4096)), role=r.choice(("root", "usr")),
                               blocks=129 if r.random() < 0.01 else None, salt=r.choice((ddi.SALT, ddi.SALT, b"", bytes(256))), spare=r.choice((0, 1)),
                               spare_tree=r.choice((0, 1)), envelope=r.choice((8192, 16384)))

    def sign(self, root):
        return signed(self.world, self.key, self.digest, self.embed, root)

    def build(self):
        """The bytes of the file."""
        image = self.image
        out = bytearray(image.size)
        for offset, data in image.pieces():
            if 0 <= offset <= len(out) - len(data):
                out[offset:offset + len(data)] = data
        for offset, mask in image.flips:
            if offset < len(out):
                out[offset] ^= mask
        return bytes(out if image.cut is None else out[:image.cut])

    # The signature as a tree of values, and the envelope as a list of members, to be changed.
    def signature(self):
        return der.parse(self.image.signature)

    def set_signature(self, tree):
        self.image.signature = tree.encode()
        self.image.text = None

    def members(self):
        return [[json.dumps(k), json.dumps(v)] for k, v in self.image.members().items()]

    def set_members(self, members, comma=",", colon=":", around=("{", "}")):
        text = around[0] + comma.join(k + colon + v for k, v in members) + around[1]
        self.image.text = text.encode("utf-8", "surrogatepass")

    def sign_again(self):
        self.image.fingerprint = self.world[self.key].fingerprint
        self.image.signature = self.sign(self.image.root)
        self.image.text = None

    def verity_again(self, data, salt, blocks=None):
        """Another tree and so another root hash, signed; the sizes of the partitions stay, if that fits."""
        image, tree = self.image, Tree(data, salt, blocks)
        if image.blobs:
            raise ValueError("what was written beside the tree would now be in it")
        blocks = blocks or -(-len(data) // BLOCK)
        room = {k: (image.partition(k).last + 1 - image.partition(k).first) * image.sector for k in KINDS}
        if blocks * BLOCK > room["data"] or BLOCK + len(tree.encode()) > room["tree"]:
            return
        image.data, image.salt, image.tree, image.root = data, salt, tree.encode(), tree.root.hex()
        image.superblock = Superblock(blocks, salt)
        image.partition("data").uuid = ddi.uuid(tree.root[:16])
        image.partition("tree").uuid = ddi.uuid(tree.root[16:])
        self.sign_again()


FILE_SYSTEMS = tuple([tiny.erofs(n, fill) for n in (1, 2, 3) for fill in (0, 1)] + [tiny.squashfs(2 * BLOCK)])


@functools.lru_cache(None)
def signed(world, key, digest, embed, root):
    return pkcs7.sign(world[key], root.encode(), digest=digest, embed=embed).encode()


# ---- harmless changes ----------------------------------------------------------------------------

def names(m):
    for entry in m.image.entries.values():
        entry.name = ddi.utf16("".join(m.r.choice("ab \u00e9\u202e\x1b/:") for _ in range(m.r.randrange(30))))


def disk_guid(m):
    m.image.headers(guid=ddi.uuid(m.r.randbytes(16)))


def attributes(m):
    for entry in m.image.entries.values():
        entry.attributes = m.r.choice((0, 1 << 60, 1 << 59, 1, 4, 1 << 63, m.r.getrandbits(64)))


def signature_uuid(m):
    m.image.partition("envelope").uuid = ddi.uuid(m.r.randbytes(16))


def other_partition(m):
    kinds = (gpt.ESP, gpt.LINUX, ddi.uuid(m.r.randbytes(16)), gpt.TYPES[m.world.foreign, "root-verity"])
    slot = m.r.choice([s for s in range(128) if s not in m.image.entries])
    m.image.add("data", slot, 4096 * m.r.randrange(1, 4), type=m.r.choice(kinds), uuid=ddi.uuid(m.r.randbytes(16)))


def slots(m):
    m.image.entries = dict(zip(m.r.sample(range(128), len(m.image.entries)), m.image.entries.values()))


def unused_bytes(m):
    image = m.image
    tree = image.at["tree"] + BLOCK + len(image.tree)
    end = (image.partition("tree").last + 1) * image.sector
    if end > tree:
        image.blobs.append((tree, m.r.randbytes(end - tree)))
    image.blobs.append((gpt.ARRAY_LBA * image.sector + 128 * 128, m.r.randbytes(100)))
    used = image.superblock.data_blocks * BLOCK
    left = (image.partition("data").last + 1) * image.sector - image.at["data"] - used
    if left > 0:
        image.blobs.append((image.at["data"] + used, m.r.randbytes(left)))


def superblock_uuid(m):
    m.image.superblock.uuid = m.r.randbytes(16)


def superblock_padding(m):
    m.image.superblock.padding = m.r.randbytes(6)


def backup(m):
    image = m.image
    how = m.r.randrange(4)
    if how == 0:
        image.backup.flip = 1
    elif how == 1:
        image.backup.signature = bytes(8)
    elif how == 2:
        image.backup_entries = {0: gpt.Entry(gpt.LINUX, gpt.ESP, 100, 200)}
    else:
        image.backup.guid = gpt.ESP


def boot_code(m):
    image = m.image
    image.mbr = gpt.mbr(gpt.record(0xEE, 1, image.size // image.sector - 1), code=m.r.randbytes(440))


def fewer_entries(m):
    count = max(m.image.entries) + 1
    m.image.array_entries = m.r.randrange(count, 129)
    m.image.headers(count=m.image.array_entries)


def larger_header(m):
    m.image.headers(size=m.r.choice((96, 128, 512)))


def usable_range(m):
    image = m.image
    lowest, highest = min(e.first for e in image.entries.values()), max(e.last for e in image.entries.values())
    image.headers(first=m.r.choice((lowest, image.primary.first)), last=m.r.choice((highest, image.primary.last)))


def longer_file(m):
    m.image.cut = None
    m.image.patches.append((0, b""))
    m.image.size += m.image.sector * m.r.randrange(1, 9)


def order_in_file(m):
    """The partitions change places."""
    image = m.image
    if image.blobs:
        raise ValueError("what was written beside them would now be in them")
    sizes = {k: (image.partition(k).last + 1 - image.partition(k).first) * image.sector for k in KINDS}
    place = min(image.at.values())
    for kind in m.r.sample(KINDS, 3):
        entry = image.partition(kind)
        entry.first, entry.last = place // image.sector, (place + sizes[kind]) // image.sector - 1
        image.at[kind], place = place, place + sizes[kind]


def json_space(m):
    space = lambda: "".join(m.r.choice(" \t\r\n") for _ in range(m.r.randrange(4)))
    members = m.members()
    m.set_members(members, space() + "," + space(), space() + ":" + space(),
                  (space() + "{" + space(), space() + "}" + space()))


VALUES = ('null', 'true', '-0', '1e5', '0.25', '"x"', '"\\u00e9\\ud83d\\ude00"', '"\u00e9"', '[]', '[1,[2,{"a":null}]]',
          '{"rootHash":"x"}', '123456789012345678901234567890', '1E+2', '""')


def json_members(m):
    members = m.members()
    for i in range(m.r.randrange(1, 6)):
        members.insert(m.r.randrange(len(members) + 1), [json.dumps(f"x{i}" + m.r.choice(("", " ", "\u00e9"))), m.r.choice(VALUES)])
    m.set_members(members)


def json_order(m):
    members = m.members()
    m.r.shuffle(members)
    m.set_members(members)


def json_escapes(m):
    members = m.members()
    for pair in members:
        i = m.r.randrange(2)
        at = m.r.randrange(1, len(pair[i]) - 1)
        if pair[i][at] not in "\\\"":
            pair[i] = pair[i][:at] + (f"\\u{ord(pair[i][at]):04x}" if pair[i][at] != "/" else "\\/") + pair[i][at + 1:]
    m.set_members(members)


def fingerprint(m):
    members = [p for p in m.members() if "ingerprint" not in p[0]]
    if m.r.random() < 0.5:
        members.append(['"certificateFingerprint"', json.dumps(m.r.randbytes(32).hex())])
    m.set_members(members)


def embedded_certificates(m):
    tree = m.signature()
    fields = tree[1][0].content
    if fields[3].tag == 0xA0:
        del fields[3]
    chosen = m.r.sample(("ours", "p256", "p384", "stranger", "expired"), m.r.randrange(4))
    if chosen:
        fields.insert(3, der.context(0, *(der.parse(m.world[c].der) for c in chosen)))
    m.set_signature(tree)


def another_digest(m):
    m.digest = m.r.choice(DIGESTS)
    m.sign_again()


def another_anchor(m):
    m.key = m.r.choice(ANCHORS)
    m.sign_again()


def parameters(m):
    """NULL or nothing, in each of the three places."""
    tree = m.signature()
    signer = pkcs7.signers(tree)[0]
    for algorithm in (tree[1][0][1][0], signer[2], signer[3]):
        if m.r.random() < 0.5:
            algorithm.content[1:] = [] if len(algorithm) > 1 else [der.null()]
    m.set_signature(tree)


def algorithm_with_digest(m):
    if m.world[m.key].key.kind == "rsa":
        tree = m.signature()
        pkcs7.signers(tree)[0].content[3] = m.world[m.key].key.certificate_algorithm(m.digest)
        m.set_signature(tree)


def few(m):
    """Numbers of which there are not many series: signing is slow, and so are those who verify."""
    return random.Random(m.r.randrange(8))


def another_salt(m):
    m.verity_again(m.image.data, few(m).randbytes(m.r.choice((0, 1, 32, 255, 256))))


def more_blocks(m):
    m.verity_again(m.image.data, m.image.salt, -(-len(m.image.data) // BLOCK) + m.r.randrange(0, 2))


def other_data(m):
    data, r = bytearray(m.image.data), few(m)
    for _ in range(8):
        data[r.randrange(2048, len(data))] = r.randrange(256)
    m.verity_again(bytes(data), m.image.salt)


HARMLESS = [names, disk_guid, attributes, signature_uuid, other_partition, slots, unused_bytes, superblock_uuid,
            superblock_padding, backup, boot_code, fewer_entries, larger_header, usable_range, longer_file, order_in_file,
            json_space, json_members, json_order, json_escapes, fingerprint, embedded_certificates, another_digest,
            another_anchor, parameters, algorithm_with_digest, another_salt, more_blocks, other_data]


# ---- hostile changes -----------------------------------------------------------------------------

def number(r, near):
    return r.choice((0, 1, 2, near - 1, near + 1, near ^ 1 << r.randrange(16), 1 << 31, (1 << 32) - 1, r.getrandbits(16)))


def header_field(m):
    field = m.r.choice(("own", "alternate", "first", "last", "array", "revision", "size", "reserved", "count", "entry_size"))
    value = number(m.r, getattr(m.image.primary, field)) & 0xFFFFFFFF
    if field == "size":
        value %= 5000
    if field in ("count", "entry_size"):
        value %= 4096
    setattr(m.image.primary, field, value)


def checksum(m):
    setattr(m.image.primary, m.r.choice(("flip", "flip_array")), 1 << m.r.randrange(32))


def entry_field(m):
    entry = m.r.choice(list(m.image.entries.values()))
    field = m.r.choice(("first", "last"))
    setattr(entry, field, number(m.r, getattr(entry, field)))


def entry_type(m):
    entry = m.r.choice(list(m.image.entries.values()))
    entry.type = m.r.choice(list(gpt.TYPES.values()) + [gpt.ESP, gpt.NO_TYPE, ddi.uuid(m.r.randbytes(16))])


def entry_twice(m):
    slot = m.r.choice([s for s in range(128) if s not in m.image.entries])
    kind = m.r.choice(KINDS)
    m.image.add(kind, slot, 8192)


def entry_gone(m):
    del m.image.entries[m.image.slot(m.r.choice(KINDS))]


def uuids(m):
    a, b = m.image.partition("data"), m.image.partition("tree")
    if m.r.random() < 0.5:
        a.uuid, b.uuid = b.uuid, a.uuid
    else:
        m.r.choice((a, b)).uuid = ddi.uuid(m.r.randbytes(16))


def hybrid(m):
    image = m.image
    records = [gpt.record(0xEE, 1, image.size // image.sector - 1), gpt.record(m.r.choice((0x83, 0x0C, 0xEE)), 64, 100)]
    m.r.shuffle(records)
    image.mbr = gpt.mbr(*records)


def both_sector_sizes(m):
    image = m.image
    other = 4096 if image.sector == 512 else 512
    image.patches.append((other, image.primary.encode(512, b"")[:92]))


def superblock_field(m):
    field = m.r.choice(("version", "hash_type", "data_block_size", "hash_block_size", "data_blocks", "salt_size", "signature",
                        "algorithm", "salt"))
    value = getattr(m.image.superblock, field)
    if field == "salt":
        value = m.r.randbytes(len(value) or 4)
    elif field in ("signature", "algorithm"):
        value = m.r.choice((b"verity", b"sha512", b"SHA256", b"sha256 ", b"crc32c a117f60d - 0", b"\0sha256", b"sha256\0x"))
    else:
        value = number(m.r, value or 32) & (0xFFFF if field == "salt_size" else 0xFFFFFFFF)
    setattr(m.image.superblock, field, value)


def flip(m):
    image = m.image
    kind = m.r.choice(("data", "tree"))
    size = image.superblock.data_blocks * BLOCK if kind == "data" else BLOCK + len(image.tree)
    image.flip(image.at[kind] + m.r.randrange(size & 0xFFFFFF or 1), 1 << m.r.randrange(8))


def another_root(m):
    """The envelope says another root hash, and so may the partitions."""
    root = few(m).randbytes(32)
    m.image.root = root.hex()
    if m.r.random() < 0.7:
        m.image.partition("data").uuid, m.image.partition("tree").uuid = ddi.uuid(root[:16]), ddi.uuid(root[16:])
    if m.r.random() < 0.5:
        m.sign_again()


def swap(m):
    """A part of another mutant."""
    other = Mutant(m.world, m.r)
    part = m.r.choice(("signature", "data", "tree", "superblock", "root", "envelope"))
    if part == "envelope":
        m.image.root, m.image.signature, m.image.text = other.image.root, other.image.signature, None
    else:
        setattr(m.image, part, getattr(other.image, part))
        m.image.text = None


def stranger(m):
    m.key = m.r.choice(("stranger", "twin", "expired", "future", "rsa-3", "issued"))
    m.sign_again()


def other_content(m):
    root = m.image.root
    content = m.r.choice((root.upper().encode(), root.encode() + b"\n", bytes.fromhex(root), b"", root[:63].encode()))
    m.image.signature = pkcs7.sign(m.world[m.key], content, digest=m.digest).encode()


def der_edit(m):
    """One value of the PKCS#7 takes another form, another tag, other contents; or goes, or comes again."""
    tree = m.signature()
    inner_value(m, tree)
    path, value = m.r.choice(list(tree.walk())[1:])
    parent = tree.at(path[:-1])
    how = m.r.randrange(9)
    if how == 0:
        value.form = m.r.choice((der.LONG, der.INDEFINITE if value.constructed else der.LONG))
    elif how == 1:
        del parent.content[path[-1]]
    elif how == 2:
        parent.content.insert(path[-1], value.copy())
    elif how == 3:
        value.tag = m.r.choice((2, 3, 4, 5, 6, 0x0C, 0x30, 0x31, 0xA0, 0xA1, 0x80))
    elif how == 4:
        m.r.shuffle(parent.content)
    elif how == 5 and not value.constructed:
        value.content = m.r.choice((b"\0", b"\xff", b"")) + bytes(value.content)
    elif how == 6 and not value.constructed and value.content:
        at = m.r.randrange(len(value.content))
        value.content = value.content[:at] + bytes([value.content[at] ^ 1 << m.r.randrange(8)]) + value.content[at + 1:]
    elif how == 7 and not value.constructed:
        value.content = m.r.randbytes(m.r.randrange(20))
    else:
        parent.content.append(m.r.choice((der.null(), der.octets(b"x"), der.context(1), der.sequence())))
    m.image.signature = tree.encode() + (b"\0" if m.r.random() < 0.05 else b"")
    m.image.text = None


def inner_value(m, tree):
    """Of an ECDSA signature, sometimes: the numbers in the OCTET STRING become part of the tree."""
    signer = pkcs7.signers(tree)[0]
    if m.world[m.key].key.kind == "ec" and m.r.random() < 0.5 and signer[-1].tag == 4:
        value = der.parse(signer[-1].content)
        how = m.r.randrange(6)
        one = value[m.r.randrange(2)]
        if how == 0:
            one.form = der.LONG
        elif how == 1:
            one.content = b"\0" + one.content
        elif how == 2:
            one.content = one.content.lstrip(b"\0")
        elif how == 3:
            value.form = m.r.choice((der.LONG, der.INDEFINITE))
        elif how == 4:
            value.content.append(der.null())
        else:
            curve = m.world[m.key].key.curve
            value.content[1] = der.integer(curve.n - int.from_bytes(value[1].content, "big"))
        signer[-1].content = value.encode()


def der_value(m):
    """Only the numbers of an ECDSA signature."""
    m.key = m.r.choice(("p256", "p384"))
    m.sign_again()
    tree = m.signature()
    inner_value(m, tree)
    m.set_signature(tree)


def json_edit(m):
    """A token of the envelope."""
    text = m.image.envelope()
    how = m.r.randrange(12)
    at = m.r.randrange(len(text))
    if how == 0:
        text = text[:at] + m.r.choice((b"\0", b"\xff", b"\xed\xa0\x80", b"\n", b"\\", b'"', b",", b" ", b"=", b"\xef\xbb\xbf")) + text[at:]
    elif how == 1:
        text = text[:at] + text[at + m.r.randrange(1, 4):]
    elif how == 2:
        text = text.replace(b'{"', b'{"rootHash":"' + m.r.randbytes(32).hex().encode() + b'","', 1)
    elif how == 3:
        text = text.replace(b'"rootHash":"', b'"rootHash" :"' + m.r.choice((b" ", b"\\u0030", b"0x")), 1)
    elif how == 4:
        text = text + m.r.choice((b"\0x", b"x", b"{}", b"\0{}", b" ", b"\n\0", b",", b"//x"))
    elif how == 5:
        text = m.r.choice((b"\xef\xbb\xbf", b"[", b" ", b"\0", b"/**/")) + text
    elif how == 6:
        text = text.replace(m.image.root.encode(), m.image.root.upper().encode(), 1)
    elif how == 7:
        text = text.replace(b'=="', b'"').replace(b'="', m.r.choice((b'"', b'=="', b'=\\n"', b'= "')))
    elif how == 8:
        text = text[:-1] + b"," + m.r.choice((b"", b'"x":NaN', b'"x":01', b'"x":.5', b"'x':1", b'"x":"\t"', b'"x":"\\ud800"', b'"x":1e999',
                                             b'"x":"\\x41"', b'"x":+1', b'"x":1.', b'"x":tru', b'"a":1,"a":2', b'"x":"\xc3\x28"')) + b"}"
    elif how == 9:
        text = text.replace(b'"signature":"', m.r.choice((b'"signature":["', b'"signature":null,"x":"', b'"Signature":"', b'"signature":"\\n')), 1)
    elif how == 10:
        text = text.decode("latin-1").encode(m.r.choice(("utf-16-le", "utf-16-be", "utf-16")))
    else:
        text = text[:at] + bytes([text[at] ^ 1 << m.r.randrange(8)]) + text[at + 1:]
    m.image.text = text


def cut(m):
    m.image.cut = m.r.choice((0, 512, 4096, m.image.size - m.image.sector, m.image.size - 512 * m.r.randrange(1, 40),
                              m.image.at["tree"], m.r.randrange(m.image.size)))


def wrong_blocks(m):
    """The number of data blocks, or the salt, with a tree that is made again, but not signed."""
    root, signature = m.image.root, m.image.signature
    uuids_before = m.image.partition("data").uuid, m.image.partition("tree").uuid
    m.r.choice((other_data, another_salt, more_blocks))(m)
    if m.r.random() < 0.5:
        m.image.root = root
        m.image.partition("data").uuid, m.image.partition("tree").uuid = uuids_before
    m.image.signature, m.image.text = signature, None


HOSTILE = [header_field, checksum, entry_field, entry_type, entry_twice, entry_gone, uuids, hybrid, both_sector_sizes,
           superblock_field, flip, another_root, swap, stranger, other_content, der_edit, der_edit, der_value, json_edit, json_edit,
           cut, wrong_blocks]


def mutant(world, seed, n):
    """Its bytes, its sector size, and the names of what was done to it."""
    r = random.Random(f"{seed} {n}")
    m = Mutant(world, r)
    changes = [r.choice(HARMLESS) for _ in range(r.randrange(4))] + ([r.choice(HOSTILE)] if r.random() < 0.55 else [])
    for change in changes:
        try:
            change(m)
        except (StopIteration, ValueError, IndexError, KeyError, struct.error):
            continue  # it does not fit what came before
        m.done.append(change.__name__)
    return m.build(), m.image.sector, m.done


__all__ = ["mutant", "HARMLESS", "HOSTILE", "keys"]
