# SPDX-License-Identifier: Apache-2.0
"""The signature partition: one JSON object, then NULs."""

import json
import re

from ddi import base64_of, uuid
from table import ANY, GONE, row

SIGNED = {"signature.*": GONE, "signer-0.*": GONE}
NO_BASE64 = {"envelope.base64": GONE, **SIGNED}
BIGGER = {"file.size": ANY, **{f"gpt-512{b}.{f}": ANY for b, f in (
    ("", "last"), ("", "alternate"), ("-backup", "last"), ("-backup", "own"), ("-backup", "array"),
    ("", "entry-2.last"))}}


def compact(members):
    return json.dumps(members, separators=(",", ":")).encode()


def text(make):
    """What the partition begins with, in place of the ordinary object."""
    def generate(i, w):
        i.text = make(i, i.members())
    return generate


def change(**members):
    """Members with other values; None is left out."""
    def make(i, before):
        after = {k: members.get(k, v) for k, v in before.items()}
        return compact({k: v(before[k]) if callable(v) else v for k, v in after.items() if v is not None})
    return text(make)


def replace(before, after):
    def make(i, members):
        ordinary = compact(members)
        assert before in ordinary
        return ordinary.replace(before, after, 1)
    return text(make)


def shows(pattern):
    return re.compile(pattern, re.S)


# ---- rootHash ----------------------------------------------------------------------------------

def root_hash(name, reason, case, value, shown):
    row(f"root-hash-{name}", reason, case, {"envelope.text": shows(shown)})(change(rootHash=value))


root_hash("uppercase", "envelope.root-hash", 35, str.upper, '"rootHash":"[0-9A-F]{64}"')
root_hash("one-uppercase", "envelope.root-hash", 35, lambda h: re.sub("[a-f]", lambda m: m[0].upper(), h, count=1),
          '"rootHash":"[0-9a-f]*[A-F][0-9a-f]*"')
for digits in (0, 2, 62, 63, 65, 66, 128):
    root_hash(f"{digits}-digits", "envelope.root-hash", 36, lambda h, n=digits: (h + h + h)[:n],
              '"rootHash":"(<root hash>)*[0-9a-f]*",')
root_hash("not-hex", "envelope.root-hash", 36, lambda h: h[:63] + "g", '"rootHash":"[0-9a-f]{63}g"')
root_hash("space-before", "envelope.root-hash", 36, lambda h: " " + h, '"rootHash":" <root hash>"')
root_hash("newline-behind", "envelope.root-hash", 36, lambda h: h + "\n", r'"rootHash":"<root hash>\\\\n"')
root_hash("0x", "envelope.root-hash", 36, lambda h: "0x" + h[2:], '"rootHash":"0x[0-9a-f]{62}"')
root_hash("nul-behind", "envelope.root-hash", 38, lambda h: h + "\0", r'"rootHash":"<root hash>\\\\u0000"')
root_hash("nul-inside", "envelope.root-hash", 38, lambda h: h[:32] + "\0" + h[33:], r'"rootHash":"[0-9a-f]{32}\\\\u0000')
root_hash("number", "envelope.type", 40, 17, '"rootHash":17')
root_hash("null", "envelope.type", 40, lambda h: None, '"rootHash":null')
root_hash("array", "envelope.type", 40, lambda h: [h], '"rootHash":.".root hash')
root_hash("absent", "envelope.missing", (), None, '^{"certificateFingerprint":')
root_hash("fullwidth", "envelope.root-hash", 36, lambda h: h[:63] + "\uff11", r'[0-9a-f]{63}\\\\uff11')


@row("root-hash-escaped", "accepted", 37, {"envelope.text": shows(r'"rootHash":"\\\\u00(..[0-9a-f]{63}|.<root hash>)"')})
def _(i, w):
    i.text = compact(i.members()).replace(i.root.encode(), b"\\u%04x" % ord(i.root[0]) + i.root[1:].encode())


@row("root-hash-of-zeros", "gpt.uuid", (), {"envelope.text": shows('"rootHash":"(0{64}|0.64)"')})
def _(i, w):
    change(rootHash="0" * 64)(i, w)


# ---- the JSON text -----------------------------------------------------------------------------

def broken(name, reason, case, make, shown, envelope=16384, **also):
    build = {} if envelope == 16384 else {"envelope": envelope}
    row(name, reason, case, {"envelope.text": shows(shown), **also}, build=build)(text(make))


broken("json-white-space", "accepted", (), lambda i, m: b" \r\n\t" + json.dumps(m, indent=8).encode() + b"\n \t\r",
       r"^ \\r\\n\\t{\\n")
broken("json-escaped-slashes", "accepted", (), lambda i, m: compact(m).replace(b"/", b"\\/"), r'"signature":')
broken("json-escaped-key", "accepted", 37, lambda i, m: compact(m).replace(b"rootHash", b"root\\u0048ash"), r"root\\\\u0048ash")
broken("json-unknown-members", "accepted", (), lambda i, m: compact({"a": [1, {"b": None}], "": "", **m, "z": 1e300}), '"z":1e')
broken("json-order", "accepted", (), lambda i, m: compact(dict(reversed(m.items()))), '^{"signature":')
broken("json-64-members", "accepted", (), lambda i, m: compact({**m, **{str(n): n for n in range(61)}}), '"60":60}')
broken("json-65-members", "envelope.members", (), lambda i, m: compact({**m, **{str(n): n for n in range(62)}}), '"61":61}')
broken("json-nesting", "accepted", 39, lambda i, m: compact(m)[:-1] + b',"x":' + b"[" * 24000 + b"]" * 24000 + b"}",
       r"\[\*24000", 65536, **BIGGER)
broken("json-nesting-objects", "accepted", 39,
       lambda i, m: compact(m)[:-1] + b',"x":' + b'{"":' * 9000 + b"0" + b"}" * 9001, '{"":{"":', 65536, **BIGGER)
broken("json-nesting-open", "envelope.json", 39, lambda i, m: b"[" * 60000, r"^\[\*60000", 65536, **BIGGER, **NO_BASE64)
broken("json-nesting-100000", "envelope.size", 39, lambda i, m: b"[" * 100000 + b"]" * 100000, r"^\[\*100000", 200704, **BIGGER, **NO_BASE64)
broken("json-array", "envelope.json", (), lambda i, m: b"[" + compact(m) + b"]", r"^\[{")
broken("json-string", "envelope.json", (), lambda i, m: b'"rootHash"', '^"rootHash"$', **NO_BASE64)
broken("json-null", "envelope.json", (), lambda i, m: b"null", "^null$", **NO_BASE64)
broken("json-nothing", "envelope.json", (), lambda i, m: b"", "^$", **NO_BASE64)
broken("json-empty-object", "envelope.missing", (), lambda i, m: b"{}", "^{}$", **NO_BASE64)
broken("json-half", "envelope.json", (), lambda i, m: compact(m)[:-1], '"$')
broken("json-second-object", "envelope.json", 38, lambda i, m: compact(m) * 2, "}{")
broken("json-text-behind", "envelope.json", 38, lambda i, m: compact(m) + b"x", "}x$")
broken("json-comma-behind", "envelope.json", (), lambda i, m: compact(m)[:-1] + b",}", ",}$")
broken("json-comma-missing", "envelope.json", (), lambda i, m: compact(m).replace(b",", b" ", 1), '" "')
broken("json-comment", "envelope.json", (), lambda i, m: compact(m)[:-1] + b"/*x*/}", r"/\*x\*/}$")
broken("json-single-quotes", "envelope.json", (), lambda i, m: compact(m).replace(b'"rootHash"', b"'rootHash'"), "'rootHash'")
broken("json-bare-key", "envelope.json", (), lambda i, m: compact(m).replace(b'"rootHash"', b"rootHash"), "{rootHash")
broken("json-nan", "envelope.json", (), lambda i, m: compact(m)[:-1] + b',"x":NaN}', "NaN}$")
broken("json-leading-zero", "envelope.json", (), lambda i, m: compact(m)[:-1] + b',"x":01}', ":01}$")
broken("json-huge-number", "envelope.json", (), lambda i, m: compact(m)[:-1] + b',"x":1e999999}', ":1e999999}$")
broken("json-control", "envelope.json", (), lambda i, m: compact(m)[:-1] + b',"x":"\x01"}', r'"\\x01"}$')
broken("json-bad-escape", "envelope.json", (), lambda i, m: compact(m)[:-1] + b',"x":"\\x41"}', r'\\\\x41"}$')
broken("json-invalid-utf-8", "envelope.json", 42, lambda i, m: compact(m)[:-1] + b',"x":"\xff"}', r'\\xff"}$')
broken("json-overlong-utf-8", "envelope.json", 42, lambda i, m: compact(m)[:-1] + b',"x":"\xc0\xaf"}', r'\\xc0\\xaf"}$')
broken("json-surrogate-utf-8", "envelope.json", 42, lambda i, m: compact(m)[:-1] + b',"x":"\xed\xa0\x80"}', r'\\xed\\xa0\\x80"}$')
broken("json-cut-utf-8", "envelope.json", 42, lambda i, m: compact(m)[:-1] + b',"x":"\xe2\x80"}', r'\\xe2\\x80"}$')
broken("json-lone-surrogate", "envelope.json", 42, lambda i, m: compact(m)[:-1] + b',"x":"\\ud800"}', r'ud800"}$')
broken("json-utf-8", "accepted", 42, lambda i, m: compact(m)[:-1] + ',"x":"ä\U0001f512\\ud83d\\udd12"}'.encode(), "ud83d")
broken("json-bom", "envelope.json", 42, lambda i, m: b"\xef\xbb\xbf" + compact(m), r"^\\xef\\xbb\\xbf{")
broken("json-utf-16", "envelope.padding", 42, lambda i, m: compact(m).decode().encode("utf-16-le"), "^{$",
       **{"envelope.padding": ANY}, **NO_BASE64)
broken("json-utf-16-be", "envelope.padding", 42, lambda i, m: compact(m).decode().encode("utf-16-be"), "^$",
       **{"envelope.padding": ANY}, **NO_BASE64)


def behind(name, make, shown, reason="envelope.padding"):
    row(name, reason, 38, {"envelope.padding": shows(shown)})(make)


behind("padding-second-object", text(lambda i, m: compact(m) + b"\0" + compact(m)), '^{"rootHash":')
behind("padding-blank", text(lambda i, m: compact(m) + b"\0 "), "^ $")
behind("padding-newline", text(lambda i, m: compact(m) + b"\0\n"), r"^\\n$")
behind("padding-last-byte", lambda i, w: i.patches.append((i.at["envelope"] + 16383, b"\1")), "x01$")


# ---- members -----------------------------------------------------------------------------------

broken("duplicate-root-hash", "envelope.duplicate", (), lambda i, m: compact(m)[:-1] + b',"rootHash":"' + i.root.encode() + b'"}',
       '"rootHash":"<root hash>"}$')
broken("duplicate-root-hash-other", "envelope.duplicate", (),
       lambda i, m: b'{"rootHash":"' + b"0" * 64 + b'",' + compact(m)[1:], '^{"rootHash":"0{64}","rootHash"')
broken("duplicate-signature", "envelope.duplicate", (), lambda i, m: compact(m)[:-1] + b',"signature":""}', '"signature":""}$')
broken("duplicate-unknown", "envelope.duplicate", (), lambda i, m: compact(m)[:-1] + b',"x":1,"x":1}', '"x":1,"x":1}$')
broken("duplicate-escaped", "envelope.duplicate", 37,
       lambda i, m: compact(m)[:-1] + b',"root\\u0048ash":"' + i.root.encode() + b'"}', r'root\\\\u0048ash')
broken("duplicate-empty-key", "envelope.duplicate", (), lambda i, m: compact(m)[:-1] + b',"":1,"":2}', '"":1,"":2}$')
broken("key-other-case", "envelope.missing", (), lambda i, m: compact(m).replace(b"rootHash", b"roothash"), '"roothash"')
broken("key-nul-behind", "envelope.missing", 38, lambda i, m: compact(m).replace(b"rootHash", b"rootHash\\u0000"), r"rootHash\\\\u0000")

for kind, value in (("array", ["x"]), ("number", 7), ("object", {"a": "b"}), ("true", True)):
    row(f"signature-{kind}", "envelope.type", 40, {"envelope.text": ANY, **NO_BASE64})(change(signature=value))
broken("signature-null", "envelope.type", 40, lambda i, m: compact({**m, "signature": None}), '"signature":null', **NO_BASE64)
broken("signature-absent", "envelope.missing", (), lambda i, m: compact({k: v for k, v in m.items() if k != "signature"}),
       '">"}$|of ours>"}$', **NO_BASE64)
row("signature-empty", "envelope.empty", 47, {"envelope.text": shows('"signature":""'), "signature.*": ANY, "signer-0.*": GONE})(
    change(signature=""))
row("signature-only-padding", "envelope.base64", 47, {"envelope.text": shows('"signature":"===="'), "envelope.base64": ANY,
                                                    "signature.*": ANY, "signer-0.*": GONE})(change(signature="===="))

row("fingerprint-absent", "accepted", 46, {"envelope.text": shows('^{"rootHash":"<root hash>","signature"')})(
    change(certificateFingerprint=None))
row("fingerprint-wrong", "accepted", 46, {"envelope.text": shows('"certificateFingerprint":"f{64}"')})(
    change(certificateFingerprint="f" * 64))
row("fingerprint-of-a-stranger", "accepted", 46, {"envelope.text": shows("<fingerprint of stranger>")})(
    lambda i, w: setattr(i, "fingerprint", w["stranger"].fingerprint))
row("fingerprint-uppercase", "envelope.fingerprint", 46, {"envelope.text": ANY})(change(certificateFingerprint=str.upper))
row("fingerprint-63-digits", "envelope.fingerprint", 46, {"envelope.text": ANY})(change(certificateFingerprint=lambda f: f[:63]))
row("fingerprint-empty", "envelope.fingerprint", 46, {"envelope.text": ANY})(change(certificateFingerprint=""))
broken("fingerprint-null", "envelope.type", 46, lambda i, m: compact({**m, "certificateFingerprint": None}), "null")
row("fingerprint-array", "envelope.type", 46, {"envelope.text": ANY})(change(certificateFingerprint=[]))


# ---- base64 ------------------------------------------------------------------------------------

def encoded(name, change_, fact, case=45, **also):
    row(f"base64-{name}", "envelope.base64", case, {"envelope.base64": shows(fact), "envelope.text": ANY, **also})(
        change(signature=change_))


@row("base64-no-padding", "envelope.base64", 43, {"envelope.base64": shows("not canonical")}, base={"embed": False})
def _(i, w):
    assert base64_of(i.signature).endswith("="), "the signature's length hides the defect"
    change(signature=lambda s: s.rstrip("="))(i, w)


@row("base64-trailing-bits", "envelope.base64", 44, {"envelope.base64": shows("not canonical")}, base={"embed": False})
def _(i, w):
    def with_bits(s):
        body = s.rstrip("=")
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        return body[:-1] + alphabet[alphabet.index(body[-1]) + 1] + "=" * (len(s) - len(body))
    change(signature=with_bits)(i, w)


@row("base64-more-padding", "envelope.base64", 43, {"envelope.base64": ANY, "envelope.text": ANY})
def _(i, w):
    change(signature=lambda s: s + "====")(i, w)


encoded("newline", lambda s: s[:64] + "\n" + s[64:], "others")
encoded("carriage-return", lambda s: s[:64] + "\r\n" + s[64:], "others")
encoded("blank", lambda s: s[:64] + " " + s[64:], "others .' '.")
encoded("blank-before", lambda s: " " + s, "others .' '.")
encoded("newline-behind", lambda s: s + "\n", "others|not canonical")
encoded("tab", lambda s: s[:4] + "\t" + s[4:], "others")
encoded("nul", lambda s: s[:64] + "\0" + s[64:], "not canonical")
encoded("url-alphabet", lambda s: s.replace("+", "-").replace("/", "_"), "others .*[-_]")
encoded("other-character", lambda s: s[:64] + "!" + s[64:], "others .'!'.")
row("base64-one-character-less", "envelope.base64", 43, {"envelope.base64": shows("not canonical"), **SIGNED, "signature.der": ANY},
    base={"embed": False})(change(signature=lambda s: s.rstrip("=")[:-1]))
encoded("text-behind", lambda s: s + "AAAA" if s.endswith("=") else s + "=AAA", "not canonical", **{"signature.*": ANY})


# ---- sizes -------------------------------------------------------------------------------------

row("envelope-64-kib", "accepted", 41, BIGGER, build={"envelope": 65536})(lambda i, w: None)
row("envelope-64-kib-and-a-sector", "envelope.size", 41, BIGGER, build={"envelope": 65536 + 512})(lambda i, w: None)
row("envelope-5-mib", "envelope.size", 41, BIGGER, build={"envelope": 5 << 20})(lambda i, w: None)
row("envelope-4-kib", "accepted", 41, BIGGER, build={"envelope": 4096})(lambda i, w: None)


@row("envelope-full", "accepted", 41, {"envelope.text": shows(r" \*\d+$")})
def _(i, w):
    i.text = compact(i.members()).ljust(16384)


@row("envelope-full-64-kib", "accepted", 41, {**BIGGER, "envelope.text": shows(r" \*\d+$")}, build={"envelope": 65536})
def _(i, w):
    i.text = compact(i.members()).ljust(65536)


@row("envelope-cut", "envelope.json", 41, {**BIGGER, "envelope.text": ANY, **NO_BASE64}, build={"envelope": 512})
def _(i, w):
    i.text = compact(i.members())[:512]


# ---- parts of another good image ---------------------------------------------------------------

def other(w):
    return w.image(data=w.squashfs)


@row("swapped-envelope", "gpt.uuid", 48, {"envelope.text": ANY, "signer-0.made": shows("by nobody known")})
def _(i, w):
    i.text = compact(other(w).members())


@row("swapped-signature", "signature.wrong", 48, {"signer-0.made": shows("by nobody known")})
def _(i, w):
    i.signature = other(w).signature


@row("swapped-root-hash", "superblock.path", 48, has={"verity.bad": ("level 1 block 0",), "signer-0.made": "by ours over the root hash"})
def _(i, w):
    # All that names the root hash is of the other image; only the tree and the data are not.
    from_ = other(w)
    i.root, i.signature = from_.root, from_.signature
    root = bytes.fromhex(i.root)
    i.partition("data").uuid, i.partition("tree").uuid = uuid(root[:16]), uuid(root[16:])
