# SPDX-License-Identifier: Apache-2.0
"""Boot record and partition table, one defect each. UEFI Specification 2.10, 5; libblkid reads the entries."""

import gpt
from ddi import START, utf16
from table import ANY, GONE, row
from world import ARCH, FOREIGN
from verity import BLOCK

T, B = "gpt-512", "gpt-512-backup"
DATA, TREE, SIGNATURE = f"{T}.entry-0", f"{T}.entry-1", f"{T}.entry-2"
NO_VERITY = {"superblock.*": GONE, "verity.*": GONE}
NO_DATA = {"filesystem": GONE, **NO_VERITY}
NO_ENVELOPE = {"envelope.*": GONE, "signature.*": GONE, "signer-0.*": GONE}
NO_TABLE = {f"{T}.*": GONE, f"{B}.*": ANY, **NO_DATA, **NO_ENVELOPE}
WIDER = {f"{T}.last": ANY, f"{B}.last": ANY}  # the usable range
BIGGER = {**WIDER, "file.size": ANY, f"{T}.alternate": ANY, f"{B}.own": ANY, f"{B}.array": ANY}


# ---- the ordinary image, and others that are good ----------------------------------------------

@row("ordinary", "accepted", ())
def _(i, w):
    pass


for role in ("root", "usr"):
    for sector in (512, 4096):
        @row(f"sectors-{sector}-{role}", "accepted", 30, base={"sector": sector, "role": role},
             has={f"gpt-{sector}.entry-0.type": f"{role} {ARCH}", f"gpt-{sector}.array-crc": "right",
                  "verity.bad": (), "signer-0.made": "by ours over the root hash"})
        def _(i, w):
            pass


@row("squashfs", "accepted", (), has={"filesystem": ANY, "verity.bad": ()})
def _(i, w):
    return w.image(data=w.squashfs)


@row("other-partitions", "accepted", (), {
    **BIGGER, f"{T}.entry-7.*": ANY, f"{T}.entry-99.*": ANY})
def _(i, w):
    i.add("data", 7, 8 * BLOCK, type=gpt.LINUX, uuid="11111111-2222-3333-4444-555555555555")
    i.add("data", 99, 4 * BLOCK, type=gpt.ESP, uuid="11111111-2222-3333-4444-666666666666")


@row("entries-in-other-slots", "accepted", (), {f"{T}.entry-*": ANY})
def _(i, w):
    data, tree, signature = (i.entries[n] for n in range(3))
    i.entries = {3: signature, 60: tree, 127: data}


@row("names-of-others", "accepted", 28, {
    f"{DATA}.name": "\x1b[2J\x07\u202edata\n", f"{TREE}.name": "\\x41\"'%s%n", f"{SIGNATURE}.name": "\udc00" + 34 * "\uffff" + "x"})
def _(i, w):
    i.partition("data").name = utf16("\x1b[2J\x07\u202edata\n")
    i.partition("tree").name = utf16("\\x41\"'%s%n")
    i.partition("envelope").name = utf16("\udc00" + 34 * "\uffff" + "x")  # all 36 units, no NUL


@row("attributes", "accepted", (), {f"{DATA}.attributes": 0, f"{TREE}.attributes": 2**64 - 1})
def _(i, w):
    i.partition("data").attributes = 0
    i.partition("tree").attributes = 2**64 - 1


@row("unused-entry-not-empty", "accepted", (), {f"{T}.entry-9.type": "none, but not empty"})
def _(i, w):
    i.entries[9] = bytes(16) + b"\xff" * 112


@row("free-space-at-the-end", "accepted", (), {**BIGGER, "file.size": ANY}, build={"tail": 1 << 20})
def _(i, w):
    pass


@row("backup-others", "accepted", 22, {f"{B}.entries": "others"})
def _(i, w):
    i.backup_entries = {s: gpt.Entry(e.type, e.uuid, e.first + 8, e.last + 8) for s, e in i.entries.items()}


@row("backup-crc", "accepted", (), {f"{B}.crc": "wrong", f"{B}.array-crc": "wrong"})
def _(i, w):
    i.backup.flip = i.backup.flip_array = 1


@row("boot-code", "accepted", (), {"mbr.code": "not zeros"})
def _(i, w):
    i.mbr = b"\xeb\x63\x90" + i.mbr[3:]


# ---- where partitions lie ----------------------------------------------------------------------

def place(part, first, size=None):
    """Moves a partition; first in sectors."""
    def generate(i, w):
        entry = i.partition(part)
        size_ = entry.last - entry.first if size is None else size
        entry.first, entry.last = first, first + size_
    return generate


for name, first in (("2e60", 2**60), ("2e63-40", 2**63 + 40), ("2e64-1", 2**64 - 8), ("2e55", 2**55)):
    row(f"start-{name}", "gpt.range", 16, {
        f"{DATA}.first": first, f"{DATA}.last": ANY, f"{T}.outside": ANY, **NO_DATA})(place("data", first))

row("start-2e60-tree", "gpt.range", 16, {
    f"{TREE}.first": 2**60, f"{TREE}.last": ANY, f"{T}.outside": (1,), **NO_VERITY})(place("tree", 2**60))
row("start-2e60-signature", "gpt.range", 16, {
    f"{SIGNATURE}.first": 2**60, f"{SIGNATURE}.last": ANY, f"{T}.outside": (2,), **NO_ENVELOPE})(
        place("envelope", 2**60))


@row("beyond-the-file", "gpt.range", 17, {f"{SIGNATURE}.last": ANY, f"{T}.outside": (2,), "envelope.*": GONE,
                                          "signature.*": GONE, "signer-0.*": GONE})
def _(i, w):
    i.partition("envelope").last = i.size // 512


@row("beyond-the-file-usable", "gpt.range", 17, {f"{SIGNATURE}.last": ANY, f"{T}.outside": (2,), **WIDER,
                                                  **NO_ENVELOPE})
def _(i, w):
    i.partition("envelope").last = i.size // 512
    i.headers(last=i.size // 512)


@row("beyond-the-usable", "gpt.range", 17, {f"{T}.last": ANY, f"{B}.last": ANY})
def _(i, w):
    i.headers(last=i.partition("envelope").last - 1)


@row("before-the-usable", "gpt.range", 17, {f"{T}.first": ANY, f"{B}.first": ANY})
def _(i, w):
    i.headers(first=i.partition("data").first + 1)


@row("on-the-table", "gpt.range", (), {f"{DATA}.first": 33, f"{DATA}.last": ANY, f"{T}.outside": (0,),
                                       "verity.*": ANY, "filesystem": "none"})
def _(i, w):
    i.partition("data").last -= i.partition("data").first - 33
    i.partition("data").first = 33


@row("on-the-table-usable", "gpt.range", (), {f"{DATA}.first": 3, f"{DATA}.last": ANY, f"{T}.outside": (0,),
                                              "verity.*": ANY, "filesystem": "none", f"{T}.first": 3, f"{B}.first": 3})
def _(i, w):
    i.partition("data").last -= i.partition("data").first - 3
    i.partition("data").first = 3
    i.headers(first=3)


@row("size-zero", "gpt.range", (), {f"{DATA}.last": START // 512 - 1, f"{T}.outside": (0,), **NO_DATA})
def _(i, w):
    i.partition("data").last = i.partition("data").first - 1


@row("end-before-start", "gpt.range", (), {f"{TREE}.last": START // 512, f"{T}.outside": (1,), **NO_VERITY})
def _(i, w):
    i.partition("tree").last = START // 512


@row("size-2e64", "gpt.range", (), {f"{DATA}.last": 2**64 - 1, f"{T}.outside": (0,), f"{T}.overlaps": ANY, **NO_DATA})
def _(i, w):
    i.partition("data").last = 2**64 - 1


@row("overlap-tree", "gpt.overlap", 18, {f"{DATA}.last": ANY, f"{T}.overlaps": ((1, 0),)})
def _(i, w):
    i.partition("data").last += 1


@row("overlap-signature", "gpt.overlap", 18, {f"{TREE}.last": ANY, f"{T}.overlaps": ((2, 1),)})
def _(i, w):
    i.partition("tree").last = i.partition("envelope").last


@row("overlap-data-signature", "gpt.overlap", 18, {f"{DATA}.last": ANY, f"{T}.overlaps": ((1, 0), (2, 0))})
def _(i, w):
    i.partition("data").last = i.partition("envelope").last


@row("overlap-other", "gpt.overlap", 18, {f"{T}.entry-5.*": ANY, f"{T}.overlaps": ((5, 0),)})
def _(i, w):
    data = i.partition("data")
    i.entries[5] = gpt.Entry(gpt.LINUX, "11111111-2222-3333-4444-555555555555", data.first + 8, data.first + 15)


# ---- how many of a kind ------------------------------------------------------------------------

def again(part, slot, type_=None):
    def generate(i, w):
        more = {} if type_ is None else {"type": gpt.TYPES[i.arch, type_]}
        i.add(part, slot, 4 * BLOCK, **more)
    return generate


# Where another one is the first, the facts of what is in it are others.
row("two-data", "gpt.duplicate", 19, {**BIGGER, f"{T}.entry-3.*": ANY})(again("data", 3))
row("two-trees", "gpt.duplicate", (), {**BIGGER, f"{T}.entry-3.*": ANY})(again("tree", 3))
row("two-signatures", "gpt.duplicate", 20, {**BIGGER, f"{T}.entry-3.*": ANY})(again("envelope", 3))


@row("two-data-first", "gpt.duplicate", 19, {**BIGGER, f"{T}.entry-*": ANY, "filesystem": "none", "verity.*": ANY})
def _(i, w):
    i.add("data", 3, (w.blocks() + 6) * BLOCK)
    i.entries = {0: i.entries[3], 1: i.entries[1], 2: i.entries[2], 3: i.entries[0]}


@row("two-signatures-first", "gpt.duplicate", 20, {**BIGGER, f"{T}.entry-*": ANY, **NO_ENVELOPE, "envelope.text": ""})
def _(i, w):
    i.add("envelope", 3, 4 * BLOCK)
    i.entries = {0: i.entries[0], 1: i.entries[1], 2: i.entries[3], 3: i.entries[2]}


@row("two-triples", "gpt.mixed", 21, {**BIGGER, f"{T}.entry-3.*": ANY, f"{T}.entry-4.*": ANY, f"{T}.entry-5.*": ANY})
def _(i, w):
    for slot, (part, kind) in enumerate((("data", "usr"), ("tree", "usr-verity"), ("envelope", "usr-verity-sig")), 3):
        i.add(part, slot, 4 * BLOCK, type=gpt.TYPES[i.arch, kind])


for kind, part in (("usr", "data"), ("usr-verity", "tree"), ("usr-verity-sig", "envelope")):
    row(f"mixed-{kind}", "gpt.mixed", 21, {**BIGGER, f"{T}.entry-3.*": ANY})(again(part, 3, kind))


@row("mixed-halves", "gpt.mixed", 21, {f"{SIGNATURE}.type": f"usr-verity-sig {ARCH}"})
def _(i, w):
    i.partition("envelope").type = gpt.TYPES[i.arch, "usr-verity-sig"]


def without(*parts):
    def generate(i, w):
        for part in parts:
            del i.entries[i.slot(part)]
    return generate


row("no-data", "gpt.no-data", (), {f"{DATA}.*": GONE, **NO_DATA})(without("data"))
row("no-tree", "gpt.no-verity", (), {f"{TREE}.*": GONE, **NO_VERITY})(without("tree"))
row("no-signature", "policy.unsigned", 34, {f"{SIGNATURE}.*": GONE, **NO_ENVELOPE})(without("envelope"))
row("only-data", "gpt.no-verity", (), {f"{TREE}.*": GONE, f"{SIGNATURE}.*": GONE, **NO_VERITY, **NO_ENVELOPE})(
    without("tree", "envelope"))
row("only-signature", "gpt.no-data", (), {f"{DATA}.*": GONE, f"{TREE}.*": GONE, **NO_DATA})(without("data", "tree"))
row("no-partitions", "gpt.no-data", (), {f"{T}.entry-*": GONE, **NO_DATA, **NO_ENVELOPE})(
    without("data", "tree", "envelope"))


# ---- types and UUIDs ---------------------------------------------------------------------------

def foreign(*parts):
    def generate(i, w):
        for part in parts:
            entry = i.partition(part)
            kind = next(k for (arch, k), t in gpt.TYPES.items() if t == entry.type)
            entry.type = gpt.TYPES[w.foreign, kind]
    return generate


row("foreign", "gpt.architecture", 27, {
    f"{DATA}.type": f"root {FOREIGN}", f"{TREE}.type": f"root-verity {FOREIGN}",
    f"{SIGNATURE}.type": f"root-verity-sig {FOREIGN}"})(foreign("data", "tree", "envelope"))
row("foreign-data", "gpt.architecture", 27, {f"{DATA}.type": f"root {FOREIGN}"})(foreign("data"))
row("foreign-tree", "gpt.no-verity", 27, {f"{TREE}.type": f"root-verity {FOREIGN}"})(foreign("tree"))
row("foreign-signature", "policy.unsigned", 27, {f"{SIGNATURE}.type": f"root-verity-sig {FOREIGN}"})(
    foreign("envelope"))
row("foreign-besides", "accepted", 27, {**BIGGER, f"{T}.entry-3.*": ANY})(
    lambda i, w: i.add("data", 3, 4 * BLOCK, type=gpt.TYPES[w.foreign, "root"]) and None)


@row("generic-linux-data", "gpt.no-data", 27, {f"{DATA}.type": gpt.LINUX.replace("-", ""), **NO_DATA})
def _(i, w):
    i.partition("data").type = gpt.LINUX


@row("uuid-data", "gpt.uuid", 32, {f"{DATA}.uuid": ANY})
def _(i, w):
    i.partition("data").uuid = i.partition("data").uuid[:-1] + "%x" % (int(i.partition("data").uuid[-1], 16) ^ 1)


@row("uuid-tree", "gpt.uuid", 32, {f"{TREE}.uuid": ANY})
def _(i, w):
    i.partition("tree").uuid = "%x" % (int(i.partition("tree").uuid[0], 16) ^ 8) + i.partition("tree").uuid[1:]


@row("uuids-swapped", "gpt.uuid", 32, {f"{DATA}.uuid": "second half of the root hash",
                                       f"{TREE}.uuid": "first half of the root hash"})
def _(i, w):
    data, tree = i.partition("data"), i.partition("tree")
    data.uuid, tree.uuid = tree.uuid, data.uuid


# ---- header and array --------------------------------------------------------------------------

def header(both=False, **fields):
    def generate(i, w):
        for one in (i.primary, i.backup) if both else (i.primary,):
            for key, value in fields.items():
                setattr(one, key, value)
    return generate


row("header-crc", "gpt.checksum", 22, {f"{T}.crc": "wrong"})(header(flip=1))
row("header-crc-backup-others", "gpt.checksum", 22, {f"{T}.crc": "wrong", f"{B}.entries": "others"})(
    lambda i, w: header(flip=1)(i, w) or setattr(i, "backup_entries", {}))
row("header-crc-both", "gpt.checksum", 23, {f"{T}.crc": "wrong", f"{B}.crc": "wrong"})(header(True, flip=0x80000000))
row("array-crc", "gpt.checksum", 24, {f"{T}.array-crc": "wrong"})(header(flip_array=1))
row("array-crc-both", "gpt.checksum", 24, {f"{T}.array-crc": "wrong", f"{B}.array-crc": "wrong"})(
    header(True, flip_array=1))
row("array-byte", "gpt.checksum", 24, {f"{T}.array-crc": "wrong", f"{B}.entries": "others", f"{T}.entry-0.attributes": ANY})(
    lambda i, w: i.flip(2 * 512 + 48))
row("header-gone", "gpt.missing", 22, {f"{T}.*": GONE, f"{B}.array-crc": GONE, f"{B}.entries": GONE, **NO_DATA,
                                       **NO_ENVELOPE})(header(signature=b"EFI PARU"))
row("header-zeros", "gpt.missing", 22, {f"{T}.*": GONE, f"{B}.array-crc": GONE, f"{B}.entries": GONE, **NO_DATA,
                                        **NO_ENVELOPE})(lambda i, w: i.patches.append((512, bytes(512))))
for field, bad in (("revision", (0, 0x00010001, 0x00020000)), ("reserved", (1, 2**31)), ("own", (0, 2, 2**63)),
                   ("size", (91, 0, 513))):
    for value in bad:
        row(f"header-{field}-{value:x}", "gpt.header", (), {f"{T}.{field}": value})(header(**{field: value}))
row("header-size-2e32-1", "gpt.header", (), {f"{T}.size": 2**32 - 1, f"{T}.crc": "beyond reach"})(header(size=2**32 - 1))
for value in (0, 1, 3, 2**63, 2**64 - 1):
    elsewhere = {f"{T}.array": value, f"{T}.array-crc": ANY, f"{T}.entry-*": ANY, f"{B}.*": ANY}
    if value != 3:
        elsewhere |= {f"{T}.outside": ANY}
    if value >= 3:
        elsewhere |= {**NO_DATA, **NO_ENVELOPE}
    if value > 3:
        elsewhere |= {f"{T}.overlaps": GONE}
    row(f"header-array-{value:x}", "gpt.header", (), elsewhere)(header(array=value))
row("header-size-93", "accepted", (), {f"{T}.size": 93})(header(size=93, tail=b"\xff"))
row("header-size-512", "accepted", (), {f"{T}.size": 512})(header(size=512, tail=b"\xff" * 420))
row("header-alternate", "accepted", (), {f"{T}.alternate": 2**40})(header(alternate=2**40))
row("header-usable-reversed", "gpt.header", (), {f"{T}.last": 33})(header(last=33))
row("header-usable-last", "gpt.range", (), {f"{T}.last": 2**64 - 1})(header(last=2**64 - 1))
row("header-usable-first", "gpt.range", (), {f"{T}.first": ANY})(
    lambda i, w: setattr(i.primary, "first", i.primary.last))

def entries(count):
    return {f"{part}.count": count for part in (T, B)}


row("entries-0", "gpt.entries", 25, {**entries(0), f"{T}.entry-*": GONE, **NO_DATA, **NO_ENVELOPE})(header(True, count=0))
row("entries-2", "policy.unsigned", 25, {**entries(2), f"{SIGNATURE}.*": GONE, **NO_ENVELOPE})(header(True, count=2))
row("entries-3", "accepted", 25, entries(3))(header(True, count=3))
row("entries-129", "gpt.entries", 25, {f"{T}.count": 129})(header(count=129))
row("entries-2e20", "gpt.entries", 25, {f"{T}.count": 2**20}, base={"start": 2**28})(header(count=2**20))
row("entries-2e32-1", "gpt.entries", 25, {**entries(2**32 - 1), f"{T}.*": ANY, f"{B}.*": ANY, **NO_DATA, **NO_ENVELOPE})(
    header(True, count=2**32 - 1))
for size in (64, 127, 129, 256, 4096, 0):
    unread = {f"{T}.entry-size": size, f"{B}.entry-size": size, f"{T}.*": ANY, f"{B}.*": ANY, **NO_VERITY}
    if size not in (129, 256):
        unread |= {**NO_DATA, **NO_ENVELOPE}
    elif size == 129:
        unread |= NO_ENVELOPE
    row(f"entry-size-{size}", "gpt.entries", 26, unread)(header(True, entry_size=size))


@row("entries-all-used", "accepted", 25, {**BIGGER, f"{T}.entry-*": ANY})
def _(i, w):
    for slot in range(3, 128):
        i.add("data", slot, 512, type=gpt.LINUX, uuid=f"11111111-2222-3333-4444-{slot:012x}")


# ---- boot record -------------------------------------------------------------------------------

def boot_record(*records, **more):
    def generate(i, w):
        last = i.size // 512 - 1
        i.mbr = gpt.mbr(*(r(last) if r else None for r in records), **more)
    return generate


PROTECTIVE = lambda last: gpt.record(0xEE, 1, last)
LINUX = lambda last: gpt.record(0x83, 64, 64)
BSD = lambda last: gpt.record(0xA5, 64, 64)

row("mbr-hybrid", "gpt.protective-mbr", 29, {"mbr.records": ("ee", "83", "-", "-")})(boot_record(PROTECTIVE, LINUX))
row("mbr-hybrid-first", "gpt.protective-mbr", 29, {"mbr.records": ("83", "ee", "-", "-")})(boot_record(LINUX, PROTECTIVE))
row("mbr-bsd", "gpt.protective-mbr", 29, {"mbr.records": ("ee", "a5", "-", "-")})(boot_record(PROTECTIVE, BSD))
row("mbr-two-protective", "gpt.protective-mbr", 29, {"mbr.records": ("ee", "ee", "-", "-")})(
    boot_record(PROTECTIVE, PROTECTIVE))
row("mbr-type-0", "gpt.protective-mbr", 29, {"mbr.records": ("ee", "00", "-", "-")})(
    boot_record(PROTECTIVE, lambda last: gpt.record(0, 64, 64)))
row("mbr-linux-only", "gpt.protective-mbr", 29, {"mbr.records": ("83", "-", "-", "-")})(boot_record(LINUX))
row("mbr-none", "gpt.protective-mbr", 29, {"mbr.records": ("-", "-", "-", "-")})(boot_record())
row("mbr-signature", "gpt.protective-mbr", 29, {"mbr.signature": "55ab"})(boot_record(PROTECTIVE, signature=b"\x55\xab"))
row("mbr-zeros", "gpt.protective-mbr", 29, {"mbr.signature": "0000", "mbr.records": ("-",) * 4})(
    lambda i, w: setattr(i, "mbr", bytes(512)))
row("mbr-protective-last", "accepted", 29, {"mbr.records": ("-", "-", "-", "ee")})(
    boot_record(None, None, None, PROTECTIVE))


@row("mbr-only", "gpt.missing", 29, {**NO_TABLE, "mbr.records": ("83", "-", "-", "-")})
def _(i, w):
    boot_record(lambda last: gpt.record(0x83, START // 512, 4096))(i, w)
    end = i.size - i.table_size()
    i.patches += [(512, bytes(START - 512)), (end, bytes(i.size - end))]


# ---- both sector sizes; no table at all --------------------------------------------------------

@row("both-sector-sizes", "gpt.ambiguous", 31, {
    "gpt-4096.*": ANY, f"{T}.entry-24.*": ANY, f"{T}.outside": (24,)})
def _(i, w):
    # A whole header where 4096-byte sectors have it: that is in an unused entry of the other table.
    other = w.image(sector=4096)
    i.entries[24] = other.primary.encode(4096, gpt.array(other.entries))[:128]


@row("both-sector-sizes-4096", "gpt.ambiguous", 31, {"gpt-512.*": ANY}, base={"sector": 4096})
def _(i, w):
    i.patches += [(512, b"EFI PART")]


def plain(name, reason, case, content):
    row(name, reason, case, {**NO_TABLE, "file.size": ANY, "mbr.*": ANY})(
        lambda i, w: setattr(i, "plain", content(w)))


plain("plain-squashfs", "image.format", 33, lambda w: w.squashfs.ljust(-(-len(w.squashfs) // 4096) * 4096, b"\0"))
plain("plain-erofs", "image.format", 33, lambda w: w.erofs)
plain("zeros", "image.format", (), lambda w: bytes(1 << 17))
plain("text", "image.format", (), lambda w: b"This is not an image.\n".ljust(4096, b"."))
plain("one-sector", "image.format", (), lambda w: bytes(512))
plain("empty", "image.empty", 6, lambda w: b"")
plain("one-byte", "image.size", 7, lambda w: b"x")


@row("one-sector-boot-record", "gpt.missing", (), {**NO_TABLE, "file.size": 512})
def _(i, w):
    i.cut = 512


# ---- the file's end ----------------------------------------------------------------------------

@row("cut-backup", "accepted", (), {"file.size": ANY, f"{B}.*": GONE})
def _(i, w):
    i.cut = i.size - i.table_size()


@row("cut-signature", "gpt.range", (), {"file.size": ANY, f"{B}.*": GONE, f"{T}.outside": (2,), **NO_ENVELOPE})
def _(i, w):
    i.cut = i.size - i.table_size() - 512


@row("appended", "accepted", (), {"file.size": ANY, f"{B}.*": GONE})
def _(i, w):
    i.cut = i.size + (1 << 20)


@row("odd-length", "image.size", 7, {"file.size": ANY, f"{B}.*": GONE}, base={})
def _(i, w):
    i.cut = i.size - 1


@row("odd-length-4096", "accepted", 7, {"file.size": ANY}, base={"sector": 4096})
def _(i, w):
    i.cut = i.size + 512
