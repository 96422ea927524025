# SPDX-License-Identifier: Apache-2.0
"""PKCS#7 SignedData and the signature in it. RFC 2315, RFC 8017, SEC 1; ITU-T X.690 for what DER is."""

import hashlib
import re
import tempfile

import der
import keys
import pkcs7
from table import ANY, GONE, row
from world import P256, P384

UNREAD = {"signature.*": ANY, "?signer-0.*": ANY, "?envelope.text": ANY}


def nobody(size):
    return f"by nobody known, {size} bytes"


def tree(name="ours", **changes):
    """Signed as usual, but for the changes."""
    def make(i, w):
        return pkcs7.sign(w[name], i.root.encode(), **{k: v(w) if callable(v) else v for k, v in changes.items()})
    return make


def edited(edit, key="ours"):
    """The ordinary SignedData, which `edit` changes, or makes anew."""
    def make(i, w):
        value = pkcs7.sign(w[key], i.root.encode())
        made = edit(value)
        return value if made is None else made
    return make


def signed(name, reason, case, differs, make, **more):
    def generate(i, w):
        value = make(i, w)
        i.signature = value if isinstance(value, bytes) else value.encode()
    row(f"signature-{name}", reason, case, differs, **more)(generate)


def signer(t):
    return pkcs7.signers(t)[0]


def set_at(holder, index, value):
    holder.content[index] = value


# ---- good ones ---------------------------------------------------------------------------------

for key in ("ours", "p256", "p384"):
    for digest in ("sha256", "sha384", "sha512"):
        for embed in (True, False):
            row(f"signed-{key}-{digest}{'' if embed else '-nocerts'}", "accepted", (), has={
                "signer-0.made": f"by {key} over the root hash", "signer-0.named": key,
                "signature.certificates": (key,) if embed else GONE, "signer-0.digest": f"{digest}/null"})(
                    lambda i, w, k=key, d=digest, e=embed: w.image(k, digest=d, embed=e))
for key in ("rsa-3", "rsa-4096", "rsa-2056", "expired", "future", "authority"):
    row(f"signed-{key}", "accepted", 60 if key in ("expired", "future") else (), base={"key": key}, anchors=(key,), has={
        "signer-0.made": f"by {key} over the root hash", "signer-0.named": key})(lambda i, w: None)


def openssl(*options, key="p256", tool="smime", content=lambda root: root.encode()):
    """By openssl itself, which is what people use."""
    def make(i, w):
        with tempfile.TemporaryDirectory() as directory:
            return pkcs7.openssl_sign(w.write_certificate(directory, key), w.write_key(directory, key),
                                      content(i.root), *options, tool=tool)
    return make


EC = {"base": {"key": "p256"}}
signed("openssl", "accepted", (), {}, openssl("-noattr", "-md", "sha256"), **EC)
signed("openssl-nocerts", "accepted", (), {"signature.certificates": GONE},
       openssl("-noattr", "-nocerts", "-md", "sha256"), **EC)
signed("openssl-cms", "accepted", (), {"signature.digests": ("sha256",), "signer-0.digest": "sha256"},
       openssl("-noattr", "-md", "sha256", tool="cms"), **EC)
signed("openssl-attributes", "signature.attributes", 55,
       {"signer-0.attributes": ANY, "signer-0.made": re.compile("nobody")}, openssl("-md", "sha256"), **EC)
signed("openssl-attached", "signature.attached", 54, {"signature.content": re.compile("data, attached a0")},
       openssl("-noattr", "-nodetach", "-md", "sha256"), **EC)
signed("openssl-sha1", "signature.digest", (), {"signature.digests": ("sha1/null",), "signer-0.*": ANY},
       openssl("-noattr", "-md", "sha1"), **EC)


# ---- what was signed ---------------------------------------------------------------------------

def over(name, content, shown):
    signed(f"over-{name}", "signature.wrong", 50, {"signer-0.made": shown},
           lambda i, w: pkcs7.sign(w["ours"], content(i.root)))


over("32-bytes", bytes.fromhex, "by ours over the root hash as 32 bytes")
over("newline", lambda root: root.encode() + b"\n", "by ours over the root hash and a newline")
over("nul", lambda root: root.encode() + b"\0", "by ours over the root hash and NUL")
over("uppercase", lambda root: root.upper().encode(), "by ours over the root hash in uppercase")
over("nothing", lambda root: b"", "by ours over nothing")
over("another-hash", lambda root: root[::-1].encode(), nobody(256))

# ---- who signed it, and whom it names ----------------------------------------------------------

signed("stranger", "signature.untrusted", (), {
    "signature.certificates": ("stranger",), "signer-0.named": "stranger", "signer-0.made": "by stranger over the root hash"},
    tree("stranger"))
signed("stranger-named-ours", "signature.wrong", 56, {"signer-0.made": "by stranger over the root hash"},
       tree("ours", key=lambda w: w["stranger"].key))
signed("ours-named-stranger", "signature.untrusted", 56, {"signer-0.named": "stranger"},
       tree("ours", issuer=lambda w: w["stranger"].issuer, serial=lambda w: w["stranger"].serial))
signed("ours-named-p256", "signature.algorithm", 56, {"signer-0.named": "p256"},
       tree("ours", issuer=lambda w: w["p256"].issuer, serial=lambda w: w["p256"].serial))
signed("ours-other-serial", "signature.untrusted", 56, {"signer-0.named": re.compile("issuer of ours")},
       tree("ours", serial=lambda w: der.integer(4711)))
signed("ours-other-issuer", "signature.untrusted", 56, {"signer-0.named": re.compile("unknown")},
       tree("ours", issuer=lambda w: keys.name("somebody")))
signed("ours-issuer-other-string-type", "signature.untrusted", 56, {"signer-0.named": re.compile("unknown")},
       tree("ours", issuer=lambda w: keys.name(der.printable("vext tests"))))
signed("ours-issuer-empty", "signature.untrusted", 56, {"signer-0.named": re.compile("unknown 3000")},
       tree("ours", issuer=lambda w: der.sequence()))
signed("p256-named-p384", "signature.wrong", 56, {"signer-0.named": "p384"},
       tree("p256", issuer=lambda w: w["p384"].issuer, serial=lambda w: w["p384"].serial), **EC)
# Issuer and serial number of an anchor, and another key: never taken for it; as one more anchor, for itself.
row("signature-twin", "signature.wrong", 56, base={"key": "twin"}, has={"signer-0.named": "ours, twin"}, anchors=("ours",))(
    lambda i, w: None)
for anchors in (("ours", "twin"), ("twin", "ours")):
    for key in anchors:
        row(f"twins-{anchors[0]}-first-{key}", "accepted", (), base={"key": key}, anchors=anchors, has={
            "signer-0.named": re.compile("ours"), "signer-0.made": f"by {key} over the root hash"})(lambda i, w: None)
row("issued-by-anchor", "signature.untrusted", 63, base={"key": "issued"}, anchors=("authority",), has={
    "signer-0.named": "issued", "signer-0.made": "by issued over the root hash"})(lambda i, w: None)
row("no-anchors", "signature.no-anchors", (), anchors=())(lambda i, w: None)
row("negative-serial", "accepted", 61, base={"key": "negative"}, anchors=("negative",), has={
    "signature.der": re.compile("negative integer")})(lambda i, w: None)

# ---- embedded certificates are never trusted for being there -----------------------------------


def embedding(*names):
    def make(i, w):
        return pkcs7.signed_data([pkcs7.signer(w["ours"], i.root.encode())], certificates=[w[n].der for n in names])
    return make


signed("embeds-stranger", "accepted", (), {"signature.certificates": ("stranger",)}, embedding("stranger"))
signed("embeds-two", "accepted", (), {"signature.certificates": ("stranger", "ours")}, embedding("stranger", "ours"))
signed("embeds-anything", "accepted", (), {"signature.certificates": ("another value",)},
       edited(lambda t: set_at(pkcs7.signed(t), 3, der.context(0, der.utf8("no certificate")))))
signed("embeds-nothing", "accepted", (), {"signature.certificates": ()},
       edited(lambda t: set_at(pkcs7.signed(t), 3, der.context(0))))
signed("stranger-embeds-ours", "signature.untrusted", (), {
    "signer-0.named": "stranger", "signer-0.made": "by stranger over the root hash"},
    lambda i, w: pkcs7.signed_data([pkcs7.signer(w["stranger"], i.root.encode())], certificates=[w["ours"].der]))

# ---- the shape ---------------------------------------------------------------------------------

signed("no-content-info", "signature.content-type", 52, UNREAD, edited(pkcs7.signed))
signed("enveloped", "signature.content-type", 52, {"signature.type": re.compile("^envelopedData")},
       edited(lambda t: set_at(t, 0, der.oid("1.2.840.113549.1.7.3"))))
signed("content-info-more", "signature.content-type", 52, {"signature.type": re.compile("3 parts")},
       edited(lambda t: t.content.append(der.null())))
signed("content-info-two", "signature.content-type", 52, {"signature.type": re.compile("with 2")},
       edited(lambda t: t[1].content.append(der.null())))
signed("content-info-empty", "signature.content-type", 52, UNREAD, edited(lambda t: der.sequence()))
signed("content-type", "signature.content-type", (), {"signature.content": ANY},
       edited(lambda t: set_at(pkcs7.signed(t)[2], 0, der.oid("1.2.840.113549.1.7.2"))))
signed("attached", "signature.attached", 54, {"signature.content": re.compile("attached")},
       lambda i, w: pkcs7.signed_data([pkcs7.signer(w["ours"], i.root.encode())], certificates=[w["ours"].der],
                                      content=[der.context(0, der.octets(i.root.encode()))]))
signed("attached-other", "signature.attached", 54, {"signature.content": re.compile("attached")},
       edited(lambda t: pkcs7.signed(t)[2].content.append(der.context(0, der.octets(b"something else")))))
signed("attached-empty", "signature.attached", 54, {"signature.content": "data, attached a000"},
       edited(lambda t: pkcs7.signed(t)[2].content.append(der.context(0))))
for version in (0, 2, 3, 5):
    signed(f"version-{version}", "signature.unexpected", (), {"signature.version": f"{version:02x}"},
           edited(lambda t, n=version: set_at(pkcs7.signed(t), 0, der.integer(n))))
    signed(f"signer-version-{version}", "signature.unexpected", (), {"signer-0.version": f"{version:02x}"},
           edited(lambda t, n=version: set_at(signer(t), 0, der.integer(n))))
signed("version-negative", "signature.unexpected", 61, {"signature.version": "ff", "signature.der": re.compile("negative")},
       edited(lambda t: set_at(pkcs7.signed(t), 0, der.integer(-1))))
signed("crl", "signature.unexpected", (), {"signature.crls": 0},
       edited(lambda t: pkcs7.signed(t).content.insert(4, der.context(1))))
signed("more-behind-signers", "signature.unexpected", (), {"signature.more": ("05",)},
       edited(lambda t: pkcs7.signed(t).content.append(der.null())))
signed("order", "signature.unexpected", (), UNREAD,
       edited(lambda t: pkcs7.signed(t).content.insert(3, pkcs7.signed(t).content.pop())))

# ---- signers -----------------------------------------------------------------------------------

signed("no-signer", "signature.signers", 51, {"signature.signers": "0, tag 31", "signer-0.*": GONE},
       edited(lambda t: pkcs7.signers(t).content.clear()))


def two(first, second):
    def make(i, w):
        names = (first, second)
        return pkcs7.signed_data([pkcs7.signer(w[n], i.root.encode()) for n in names], certificates=[w["ours"].der])
    return make


signed("two-signers", "signature.signers", 51, {"signature.signers": "2, tag 31", "signer-1.*": ANY}, two("ours", "ours"))
signed("ours-and-stranger", "signature.signers", 51, {"signature.signers": "2, tag 31", "signer-1.*": ANY}, two("ours", "stranger"))
signed("stranger-and-ours", "signature.signers", 51, {"signature.signers": "2, tag 31", "signer-*": ANY}, two("stranger", "ours"))
signed("signers-sequence", "signature.unexpected", 51, {"signature.signers": "1, tag 30"},
       edited(lambda t: setattr(pkcs7.signers(t), "tag", 0x30)))
signed("attributes", "signature.attributes", 55, {"signer-0.attributes": ("data",)},
       tree(attributes=lambda w: [der.context(0, der.sequence(der.oid(pkcs7.DATA), der.set_of()))]))
signed("attributes-empty", "signature.attributes", 55, {"signer-0.attributes": ()},
       tree(attributes=lambda w: [der.context(0)]))
signed("unsigned-attributes", "signature.attributes", 55, {"signer-0.more": ("a1",)},
       tree(unsigned=lambda w: [der.context(1, der.sequence(der.oid(pkcs7.DATA), der.set_of()))]))
signed("unsigned-attributes-empty", "signature.attributes", 55, {"signer-0.more": ("a1",)},
       tree(unsigned=lambda w: [der.context(1)]))
signed("signer-cut", "signature.unexpected", (), {"signature.shape": "other", "signer-0.made": GONE},
       edited(lambda t: signer(t).content.__delitem__(4)))
signed("issuer-and-serial-more", "signature.unexpected", (), {}, edited(lambda t: signer(t)[1].content.append(der.null())),
       has={"signer-0.named": "ours"})
signed("issuer-missing", "signature.unexpected", (), UNREAD, edited(lambda t: signer(t)[1].content.__delitem__(0)))
signed("key-identifier", "signature.unexpected", (), UNREAD,
       edited(lambda t: signer(t).content.__setitem__(slice(0, 2), [der.integer(3), der.Value(0x80, b"key")])))
signed("serial-of-another-type", "signature.unexpected", (), {"signer-0.named": re.compile("issuer of ours")},
       edited(lambda t: setattr(signer(t)[1][1], "tag", 0x04)))

# ---- digests and algorithms --------------------------------------------------------------------

for digest in ("md5", "sha1", "sha224", "sha3_256"):
    signed(f"digest-{digest}", "signature.digest", (), {"signature.digests": (f"{digest}/null",), "signer-0.digest": f"{digest}/null"},
           tree(digest=digest))
signed("digest-others", "signature.digest", (), {"signature.digests": ("sha512/null",)},
       edited(lambda t: set_at(pkcs7.signed(t)[1], 0, keys.algorithm(keys.DIGESTS["sha512"], der.null()))))
signed("digest-of-signer-others", "signature.digest", (), {"signer-0.digest": "sha512/null", "signer-0.made": nobody(256)},
       edited(lambda t: set_at(signer(t), 2, keys.algorithm(keys.DIGESTS["sha512"], der.null()))))
signed("digests-none", "signature.digest", (), {"signature.digests": ()}, edited(lambda t: pkcs7.signed(t)[1].content.clear()))
signed("digests-two", "signature.digest", (), {"signature.digests": ("sha256/null", "sha512/null")},
       edited(lambda t: pkcs7.signed(t)[1].content.append(keys.algorithm(keys.DIGESTS["sha512"], der.null()))))
signed("digests-twice", "signature.digest", (), {"signature.digests": ("sha256/null", "sha256/null")},
       edited(lambda t: pkcs7.signed(t)[1].content.append(keys.algorithm(keys.DIGESTS["sha256"], der.null()))))
signed("digest-no-parameters", "accepted", (), {"signature.digests": ("sha256",), "signer-0.digest": "sha256"},
       edited(lambda t: (pkcs7.signed(t)[1][0].content.pop(), signer(t)[2].content.pop()) and None))
signed("digest-parameters", "signature.digest", (), {"signature.digests": ("sha256/02",)},
       edited(lambda t: set_at(pkcs7.signed(t)[1][0], 1, der.integer(1))))
signed("digest-more-parameters", "signature.digest", (), {"signer-0.digest": "sha256/null/null"},
       edited(lambda t: signer(t)[2].content.append(der.null())))
for name, oid, good in (
        ("sha256WithRSA", "sha256WithRSA", True), ("sha384WithRSA", "sha384WithRSA", False),
        ("sha512WithRSA", "sha512WithRSA", False), ("sha1WithRSA", "sha1WithRSA", False), ("pss", "rsassaPss", False),
        ("ecdsa", "ecdsaWithSHA256", False), ("ecPublicKey", "ecPublicKey", False), ("ed25519", "ed25519", False)):
    # What calls itself ECDSA and holds no such value is not even looked at further.
    reason = "accepted" if good else "signature.der" if name == "ecdsa" else "signature.algorithm"
    signed(f"algorithm-{name}", reason, (), {"signer-0.algorithm": ANY},
           tree(algorithm=lambda w, o=oid: keys.algorithm(keys.ALGORITHMS[o], der.null())))
signed("algorithm-no-parameters", "accepted", (), {"signer-0.algorithm": "rsaEncryption"},
       tree(algorithm=lambda w: keys.algorithm(keys.ALGORITHMS["rsaEncryption"])))
signed("algorithm-parameters", "signature.algorithm", (), {"signer-0.algorithm": "rsaEncryption/30"},
       tree(algorithm=lambda w: keys.algorithm(keys.ALGORITHMS["rsaEncryption"], der.sequence())))
for name, good in (("rsaEncryption", False), ("sha256WithRSA", False), ("ecdsaWithSHA384", False), ("ecdsaWithSHA512", False),
                   ("ecdsaWithSHA1", False), ("ecPublicKey", False)):
    signed(f"ec-algorithm-{name}", "signature.algorithm", (), {"signer-0.algorithm": ANY},
           tree("p256", algorithm=lambda w, n=name: keys.algorithm(keys.ALGORITHMS[n])), **EC)
signed("ec-algorithm-null", "accepted", (), {"signer-0.algorithm": "ecdsaWithSHA256/null"},
       tree("p256", algorithm=lambda w: keys.algorithm(keys.ALGORITHMS["ecdsaWithSHA256"], der.null())), **EC)

# ---- RSA ---------------------------------------------------------------------------------------

def rsa(name, value, size=256, key="ours", **more):
    """value: (key, DigestInfo as it should be) → signature."""
    def make(i, w):
        of = w[key].key
        made = value(of, keys.digest_info("sha256", i.root.encode()))
        return pkcs7.sign(w[key], i.root.encode(), signature=made)
    signed(f"rsa-{name}", "signature.wrong", (), {"signer-0.made": nobody(size)}, make, **more)


def padded(of, info, block=1, fill=b"\xff", length=None, behind=b""):
    length = of.size - 3 - len(info) - len(behind) if length is None else length
    return of.raw((b"\0" + bytes([block]) + fill * length + b"\0" + info + behind).ljust(of.size, b"\xaa")[:of.size])


def info_with(info, digest=None, *parameters):
    """DigestInfo of the same hash with another algorithm."""
    oid = info[0][0] if digest is None else der.oid(keys.DIGESTS[digest])
    return der.sequence(der.sequence(oid, *parameters), info[1])


def changed(info, edit):
    edit(info)
    return info


rsa("block-type-2", lambda k, info: padded(k, info.encode(), block=2))
rsa("block-type-0", lambda k, info: padded(k, info.encode(), block=0, fill=b"\0"))
rsa("fill-of-others", lambda k, info: padded(k, info.encode(), fill=b"\xfe"))
# Bleichenbacher 2006: eight bytes of fill, the hash, and then whatever is needed.
rsa("short-fill", lambda k, info: padded(k, info.encode(), length=8))
rsa("bytes-behind-info", lambda k, info: padded(k, info.encode(), behind=b"\0\0\0\0"))
rsa("no-null", lambda k, info: padded(k, info_with(info).encode()))
rsa("digest-of-another-kind", lambda k, info: padded(k, info_with(info, "sha1", der.null()).encode()))
rsa("parameters-in-info", lambda k, info: padded(k, info_with(info, None, der.octets(b"x" * 40)).encode()))
rsa("info-not-der", lambda k, info: padded(k, changed(info, lambda v: setattr(v, "form", der.LONG)).encode()))
rsa("info-hash-not-der", lambda k, info: padded(k, changed(info, lambda v: setattr(v[1], "form", der.LONG)).encode()))
rsa("hash-only", lambda k, info: padded(k, bytes(info[1].content)))
rsa("no-padding", lambda k, info: k.raw(info.encode().rjust(k.size, b"\0")))
rsa("zero", lambda k, info: bytes(k.size))
rsa("one", lambda k, info: bytes(k.size - 1) + b"\1")
rsa("modulus", lambda k, info: k.n.to_bytes(k.size, "big"))
rsa("modulus-minus-one", lambda k, info: (k.n - 1).to_bytes(k.size, "big"))
rsa("plus-modulus", lambda k, info: larger(k, k.sign_info(info)), size=257)
rsa("leading-zero", lambda k, info: b"\0" + k.sign_info(info), size=257)
rsa("byte-behind", lambda k, info: k.sign_info(info) + b"\0", size=257)
rsa("cut", lambda k, info: k.sign_info(info)[:-1], size=255)
rsa("empty", lambda k, info: b"", size=0)
rsa("complement", lambda k, info: (k.n - int.from_bytes(k.sign_info(info), "big")).to_bytes(k.size, "big"))
rsa("pss", lambda k, info: k.raw(b"\0" + pss(bytes(info[1].content), k.size - 1)))


def larger(k, signature):
    return (int.from_bytes(signature, "big") + k.n).to_bytes(k.size + 1, "big")


def pss(digest, size):
    """EMSA-PSS of RFC 8017, 9.1.1, with SHA-256 and 32 bytes of salt; a bit shorter than the modulus."""
    salt = b"\x55" * 32
    h = hashlib.sha256(bytes(8) + digest + salt).digest()
    block = bytes(size - 32 - 32 - 2) + b"\1" + salt
    mask = b"".join(hashlib.sha256(h + n.to_bytes(4, "big")).digest() for n in range(-(-len(block) // 32)))
    masked = bytes(a ^ b for a, b in zip(block, mask))
    return masked + h + b"\xbc"


def cube_root(k, info):
    """
    A signature that nobody's key made: with an exponent of 3, a number whose cube begins with the padding
    and the hash. Bleichenbacher 2006 again; a verifier that does not look at what follows takes it.
    """
    prefix = b"\0\1" + b"\xff" * 8 + b"\0" + info.encode()
    target = int.from_bytes(prefix.ljust(k.size, b"\xff"), "big")
    low, high = 0, 1 << (k.n.bit_length() // 3 + 2)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= target else (low, middle - 1)
    assert (low**3).to_bytes(k.size, "big").startswith(prefix), "the cube does not begin as it should"
    return low.to_bytes(k.size, "big")


rsa("cube-root", cube_root, key="rsa-3", base={"key": "rsa-3"}, anchors=("rsa-3",))

# ---- ECDSA -------------------------------------------------------------------------------------

def ec(name, reason, value, key="p256", shown=re.compile("nobody"), **more):
    """value: (key, r, s) → signature, or the numbers of it."""
    def make(i, w):
        of = w[key].key
        made = value(of, *of.numbers("sha256", i.root.encode()))
        if isinstance(made, tuple):
            made = der.sequence(*map(der.integer, made)).encode()
        return pkcs7.sign(w[key], i.root.encode(), signature=made)
    differs = {} if shown is None else {"signer-0.made": shown}
    signed(f"ec-{name}", reason, (), differs, make, base={"key": key}, **more)


for key, curve in (("p256", P256), ("p384", P384)):
    n = curve.n
    for name, numbers in (
            ("r-0", lambda k, r, s: (0, s)), ("s-0", lambda k, r, s: (r, 0)), ("both-0", lambda k, r, s: (0, 0)),
            ("r-n", lambda k, r, s, n=n: (n, s)), ("s-n", lambda k, r, s, n=n: (r, n)),
            ("r-plus-n", lambda k, r, s, n=n: (r + n, s)), ("s-plus-n", lambda k, r, s, n=n: (r, s + n)),
            ("r-negative", lambda k, r, s: (-r, s)), ("s-negative", lambda k, r, s: (r, -s)),
            ("r-1", lambda k, r, s: (1, s)), ("swapped", lambda k, r, s: (s, r)), ("one", lambda k, r, s: (1, 1)),
            ("huge", lambda k, r, s: (r + 2**4000, s))):
        ec(f"{key}-{name}", "signature.der" if "negative" in name else "signature.wrong", numbers, key)
    # Both halves of the curve are as good: no malleability that matters, what is signed stays the same.
    ec(f"{key}-other-s", "accepted", lambda k, r, s, n=n: (r, n - s), key, None)
ec("concatenated", "signature.der", lambda k, r, s: r.to_bytes(32, "big") + s.to_bytes(32, "big"))
ec("byte-behind", "signature.der", lambda k, r, s: der.sequence(der.integer(r), der.integer(s)).encode() + b"\0")
ec("third-number", "signature.der", lambda k, r, s: (r, s, 0))
ec("one-number", "signature.der", lambda k, r, s: (r,))
ec("no-number", "signature.der", lambda k, r, s: ())
ec("empty", "signature.der", lambda k, r, s: b"")
ec("set", "signature.der", lambda k, r, s: b"\x31" + der.sequence(der.integer(r), der.integer(s)).encode()[1:])
# mbedTLS by itself takes all of these.
ec("long-length", "signature.der", lambda k, r, s: der.Value(0x30, [der.integer(r), der.integer(s)], der.LONG).encode())
ec("long-length-inside", "signature.der",
   lambda k, r, s: der.sequence(der.integer(r), der.Value(2, der.integer(s).content, der.LONG)).encode())
ec("r-with-zeros", "signature.der",
   lambda k, r, s: der.sequence(der.Value(2, b"\0\0" + r.to_bytes(32, "big")), der.integer(s)).encode())


@row("signature-ec-without-sign", "signature.der", 61, {"signer-0.made": re.compile("nobody")}, base={"key": "p256"})
def _(i, w):
    # A number of 256 bits without the zero before it is a negative one, which as a positive one is right.
    r, s = w["p256"].key.numbers("sha256", i.root.encode())
    s = max(s, P256.n - s)  # the one of the two that has 256 bits
    value = der.sequence(der.integer(r), der.Value(2, s.to_bytes(32, "big"))).encode()
    assert s >> 255, "no negative number"
    i.signature = pkcs7.sign(w["p256"], i.root.encode(), signature=value).encode()


# ---- DER ---------------------------------------------------------------------------------------

signed("byte-behind", "signature.trailing", 53, {"signature.der": "1 bytes behind it"}, edited(lambda t: t.encode() + b"\0"))
signed("twice", "signature.trailing", 53, {"signature.der": re.compile("bytes behind it")}, edited(lambda t: t.encode() * 2))
signed("cut", "signature.der", 53, UNREAD, edited(lambda t: t.encode()[:-1]))
signed("one-byte", "signature.der", (), UNREAD, edited(lambda t: b"\x30"))
signed("text", "signature.der", (), UNREAD, edited(lambda t: b"-----BEGIN PKCS7-----"))
signed("set-outside", "signature.der", (), {}, edited(lambda t: setattr(t, "tag", 0x31)), has={"signature.der": "strict"})
for name, path in (("outside", ()), ("content-info", (1,)), ("signed-data", (1, 0)), ("content", (1, 0, 2)),
                   ("certificates", (1, 0, 3)), ("signers", (1, 0, 4)), ("signer", (1, 0, 4, 0)), ("issuer", (1, 0, 4, 0, 1))):
    signed(f"indefinite-{name}", "signature.der", 61, UNREAD,
           edited(lambda t, p=path: setattr(t.at(p), "form", der.INDEFINITE)))
for name, path in (("outside", ()), ("type", (0,)), ("signed-data", (1, 0)), ("version", (1, 0, 0)), ("digests", (1, 0, 1)),
                   ("content", (1, 0, 2)), ("signer", (1, 0, 4, 0)), ("serial", (1, 0, 4, 0, 1, 1)), ("value", (1, 0, 4, 0, 4)),
                   ("digest-oid", (1, 0, 4, 0, 2, 0)), ("digest-null", (1, 0, 4, 0, 2, 1)), ("certificate", (1, 0, 3, 0))):
    signed(f"long-length-{name}", "signature.der", 61, {"signature.der": re.compile("length not minimal"),
           **({"signature.certificates": ANY} if name == "certificate" else {"signer-0.named": ANY} if name == "serial" else {})},
           edited(lambda t, p=path: setattr(t.at(p), "form", der.LONG)))
signed("serial-with-zeros", "signature.der", 61, {"signature.der": re.compile("integer not minimal"), "signer-0.named": ANY},
       edited(lambda t: set_at(signer(t)[1], 1, der.Value(2, b"\0\0" + bytes(signer(t)[1][1].content)))))
signed("version-with-zeros", "signature.der", 61, {"signature.der": re.compile("integer not minimal"), "signature.version": "0001"},
       edited(lambda t: set_at(pkcs7.signed(t), 0, der.Value(2, b"\0\1"))))
signed("version-empty", "signature.der", 61, {"signature.der": re.compile("integer not minimal"), "signature.version": ""},
       edited(lambda t: set_at(pkcs7.signed(t), 0, der.Value(2, b""))))
signed("serial-negative", "signature.untrusted", 61, {"signature.der": re.compile("negative"), "signer-0.named": ANY},
       edited(lambda t: set_at(signer(t)[1], 1, der.integer(-5))))
signed("null-with-contents", "signature.der", 61, {"signature.der": re.compile("null with")},
       edited(lambda t: set_at(pkcs7.signed(t)[1][0], 1, der.Value(5, b"\0"))))
signed("boolean-1", "signature.der", 61, {"signature.der": re.compile("boolean"), "signature.certificates": ANY},
       edited(lambda t: set_at(pkcs7.signed(t), 3, der.context(0, der.Value(1, b"\1")))))
signed("oid-empty", "signature.der", 61, {"signature.der": re.compile("empty object"), "signature.certificates": ANY},
       edited(lambda t: set_at(pkcs7.signed(t), 3, der.context(0, der.Value(6, b"")))))
signed("octets-constructed", "signature.unexpected", 61, {"signature.shape": "other", "signer-0.made": ANY},
       edited(lambda t: set_at(signer(t), 4, der.Value(0x24, [der.octets(bytes(signer(t)[4].content))]))), has={"signature.der": "strict"})
signed("bits-for-octets", "signature.unexpected", 61, {"signer-0.made": ANY},
       edited(lambda t: set_at(signer(t), 4, der.bits(bytes(signer(t)[4].content)))))
signed("high-tag-number", "signature.der", 61, UNREAD,
       edited(lambda t: set_at(pkcs7.signed(t), 3, der.context(0, der.Value(0x1F, b"\0")))))
signed("length-of-5-bytes", "signature.der", 61, UNREAD,
       edited(lambda t: setattr(t.at((1, 0, 3)), "form", b"\x85\0\0\0\0\x10")))
signed("length-2e32-1", "signature.der", 61, UNREAD, edited(lambda t: setattr(t.at((1, 0, 3)), "form", b"\x84\xff\xff\xff\xff")))
signed("oid-with-zeros", "signature.digest", 61, {"signature.digests": ANY},
       edited(lambda t: set_at(pkcs7.signed(t)[1][0], 0, der.Value(6, b"\x80" + bytes(pkcs7.signed(t)[1][0][0].content)))))


def nested(depth):
    value = der.null()
    for _ in range(depth):
        value = der.sequence(value)
    return der.context(0, value)


def deep(depth):
    """The same as bytes, without calling itself so often."""
    out = b""
    for _ in range(depth):
        out = b"\x30" + der.length(len(out)) + out
    return out


signed("nesting-8", "accepted", (), {"signature.certificates": ("another value",)},
       edited(lambda t: set_at(pkcs7.signed(t), 3, nested(8))))
signed("nesting-60", "signature.der", (), {"signature.certificates": ("another value",)}, edited(lambda t: set_at(pkcs7.signed(t), 3, nested(60))))

signed("nesting-1200", "signature.der", (), {"signature.der": ANY},
       edited(lambda t: set_at(pkcs7.signed(t), 3, der.Value(0xA0, deep(1200)))), has={"signature.der": ANY})


# ---- size --------------------------------------------------------------------------------------

BIGGER = {"file.size": ANY, "gpt-512.last": ANY, "gpt-512.alternate": ANY, "gpt-512-backup.last": ANY, "gpt-512-backup.own": ANY,
          "gpt-512-backup.array": ANY, "gpt-512.entry-2.last": ANY}


def of_size(size):
    """Grown to just this size by what is embedded."""
    def edit(t):
        pkcs7.signed(t).content[3] = der.context(0, der.octets(b""))
        pkcs7.signed(t)[3][0].content = b"\xa5" * (size - len(t.encode()))
        pkcs7.signed(t)[3][0].content = b"\xa5" * (len(pkcs7.signed(t)[3][0].content) - len(t.encode()) + size)
        assert len(t.encode()) == size
    return edit


signed("of-16384-bytes", "accepted", (), {**BIGGER, "signature.certificates": ("another value",)}, edited(of_size(16384)),
       build={"envelope": 65536})
signed("of-16385-bytes", "envelope.size", (), {**BIGGER, "signature.certificates": ("another value",)}, edited(of_size(16385)),
       build={"envelope": 65536})
