# SPDX-License-Identifier: Apache-2.0
"""
What is offered as a certificate with --anchor: one defect each. A certificate that is taken must then
make an image of its key acceptable; of one that is not, vext says why and judges nothing. RFC 5280, RFC 7468.
"""

import re
from dataclasses import dataclass

import der
import facts
import keys
from table import ANY, GONE
from world import P256, P384

FORMAT, KEY, USAGE, ALGORITHM = (f"signature.anchor-{what}" for what in ("format", "key", "usage", "algorithm"))


@dataclass
class CertificateRow:
    name: str
    reason: str     # "accepted", or why not
    cases: tuple
    differs: dict   # as in an image's row, facts being those of file_facts()
    generate: object  # () → bytes of the file, and the key

    def make(self):
        with keys.seeded(f"certificate {self.name}"):
            return self.generate()


ROWS = []


def file_facts(raw):
    """How the certificate is packed, and what is in it."""
    found = {}
    if raw[:1] == b"\x30":
        found["file"] = "DER"
        body = raw
    else:
        labels = re.findall(rb"-----BEGIN ([^-\n]*)-----", raw)
        found["file"] = "PEM, " + ", ".join(label.decode() for label in labels) if labels else "no certificate"
        before, _, rest = raw.partition(b"-----BEGIN ")
        after = rest.rpartition(b"-----END ")[2].partition(b"-----")[2]
        found["around"] = (before[:40], after.strip()[:40])
        found["line ends"] = "CRLF" if b"\r\n" in raw else "LF"
        try:
            body = keys.unpem(raw)
        except ValueError as e:
            return {**found, "unreadable": str(e)}
    try:
        found.update(facts.certificate(body))
    except (ValueError, IndexError, AttributeError, UnicodeDecodeError) as e:
        found["unreadable"] = str(e)
    return found


def ordinary_key():
    with keys.seeded("the ordinary certificate's key"):
        return keys.Ec(P256)


def ordinary(subject="a signer", key=None, **more):
    return keys.Certificate(subject, key or ordinary_key(), **{"serial": 0x1234567890, **more})


def certificate(name, reason, case, differs, make, pack=lambda body: body):
    """make: () → Certificate."""
    def generate():
        made = make()
        return pack(made.der), made
    ROWS.append(CertificateRow(f"certificate-{name}", reason, case if isinstance(case, tuple) else (case,), differs, generate))


def packed(name, reason, case, differs, pack):
    certificate(name, reason, case, differs, ordinary, pack)


PEM = {"file": "PEM, CERTIFICATE", "around": (b"", b""), "line ends": "LF"}

# ---- how it is packed --------------------------------------------------------------------------

packed("der", "accepted", (), {}, lambda d: d)
packed("pem", "accepted", (), PEM, keys.pem)
packed("pem-crlf", "accepted", (), {**PEM, "line ends": "CRLF"}, lambda d: keys.pem(d, newline="\r\n"))
packed("pem-text-before", "accepted", 59, {**PEM, "around": ANY}, lambda d: b"subject=CN = a signer\n\n" + keys.pem(d))
packed("pem-text-behind", "accepted", 59, {**PEM, "around": ANY}, lambda d: keys.pem(d) + b"# the end\n")
packed("pem-two", FORMAT, 59, {**PEM, "file": "PEM, CERTIFICATE, CERTIFICATE"}, lambda d: keys.pem(d) * 2)
packed("pem-other-first", FORMAT, 59, {**PEM, "file": "PEM, PUBLIC KEY, CERTIFICATE", "unreadable": ANY, **dict.fromkeys(
    ("der", "version", "serial", "signed-with", "issuer", "subject", "dates", "key", "signature", "extension-*"), GONE)},
       lambda d: keys.pem(d[:90], "PUBLIC KEY") + keys.pem(d))
packed("pem-key-behind", FORMAT, 59, {**PEM, "file": "PEM, CERTIFICATE, PRIVATE KEY"},
       lambda d: keys.pem(d) + keys.pem(b"secret", "PRIVATE KEY"))
for label in ("TRUSTED CERTIFICATE", "X509 CERTIFICATE", "CERTIFICATE REQUEST", "PKCS7", "X509 CRL", "certificate"):
    packed(f"pem-{label.lower().replace(' ', '-')}{'-small' if label.islower() else ''}", FORMAT, (), {**PEM, "file": f"PEM, {label}"},
           lambda d, n=label: keys.pem(d, n))
UNREADABLE = {"unreadable": ANY, **dict.fromkeys(
    ("der", "version", "serial", "signed-with", "issuer", "subject", "dates", "key", "signature", "extension-*"), GONE)}
HALF = {"?der": ANY, "?version": ANY, "?unreadable": ANY, **{f"?{k}": ANY for k in (
    "serial", "signed-with", "issuer", "subject", "dates", "key", "signature", "extension-*")}}
packed("pem-no-end", FORMAT, (), {**PEM, "around": ANY, **HALF}, lambda d: keys.pem(d).rpartition(b"-----END")[0])
packed("pem-other-end", FORMAT, (), {**PEM, **HALF}, lambda d: keys.pem(d).replace(b"-----END CERTIFICATE", b"-----END X509 CRL"))
packed("pem-not-base64", FORMAT, (), {**PEM, **HALF}, lambda d: keys.pem(d).replace(b"\nM", b"\n!", 1))
packed("pem-cut", FORMAT, (), {**PEM, **HALF}, lambda d: keys.pem(d[:-30]))
packed("pem-byte-behind", FORMAT, (), {**PEM, "der": "1 bytes behind it"}, lambda d: keys.pem(d + b"\0"))
packed("pem-encrypted", FORMAT, (), {**PEM, **HALF}, lambda d: keys.pem(d).replace(
    b"-----\n", b"-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n", 1))
packed("pem-nul", FORMAT, (), {**PEM, "around": ANY}, lambda d: keys.pem(d) + b"\0")
packed("der-byte-behind", FORMAT, 53, {"der": "1 bytes behind it"}, lambda d: d + b"\0")
packed("der-two", FORMAT, 59, {"der": re.compile("bytes behind it")}, lambda d: d * 2)
packed("der-cut", FORMAT, (), {**HALF, "unreadable": ANY}, lambda d: d[:-1])
packed("empty", FORMAT, (), {"file": "no certificate", "around": ANY, "line ends": "LF", **UNREADABLE}, lambda d: b"")
packed("text", FORMAT, (), {"file": "no certificate", "around": ANY, "line ends": "LF", **UNREADABLE}, lambda d: b"nothing\n")
packed("zeros", FORMAT, (), {"file": "no certificate", "around": ANY, "line ends": "LF", **UNREADABLE}, lambda d: bytes(512))
packed("as-large-as-read", "accepted", (), {**PEM, "around": ANY}, lambda d: keys.pem(d).rjust(65535, b"#"))
packed("too-large", FORMAT, (), {**PEM, "around": ANY}, lambda d: b"#" * 65536 + keys.pem(d))

# ---- keys --------------------------------------------------------------------------------------

SIGNED = {"?signed-with": ANY}


def rsa(bits, reason, e=65537, case=49, shown=None):
    certificate(f"rsa-{bits}{'' if e == 65537 else f'-e-{e}'}", reason, case, {
        "key": shown or f"RSA of {bits} bits, exponent {e}", "signed-with": "sha256WithRSA/null"},
        lambda: ordinary(key=keys.Rsa.make(bits, e)))


for bits in (512, 1024, 1536, 2040, 2047):
    rsa(bits, KEY)
for bits in (2048, 2049, 3072, 4096):
    rsa(bits, "accepted", case=())
rsa(8192, "accepted", case=())
rsa(8200, FORMAT, case=())
rsa(2048, "accepted", 3, ())


class OtherKey:
    """A key that says something else of itself than it is."""

    def __init__(self, key, public):
        self.key, self.public = key, lambda: public(key)
        self.kind = key.kind

    def __getattr__(self, name):
        return getattr(self.key, name)


def odd_key(name, reason, shown, public, make=ordinary_key):
    certificate(f"key-{name}", reason, (), {"key": shown, "?signature": "not its own", "?unreadable": ANY, **SIGNED},
                lambda: ordinary(key=OtherKey(make(), public)))


def rsa_numbers(n, e):
    return der.sequence(keys.algorithm(keys.ALGORITHMS["rsaEncryption"], der.null()),
                        der.bits(der.sequence(der.integer(n), der.integer(e)).encode()))


def rsa_key():
    return keys.Rsa.make(2048)


odd_key("exponent-1", FORMAT, re.compile("exponent 1$"), lambda k: rsa_numbers(k.n, 1), rsa_key)
odd_key("exponent-2", FORMAT, re.compile("exponent 2$"), lambda k: rsa_numbers(k.n, 2), rsa_key)
odd_key("exponent-0", FORMAT, re.compile("exponent 0$"), lambda k: rsa_numbers(k.n, 0), rsa_key)
odd_key("modulus-even", FORMAT, re.compile("RSA of 2048"), lambda k: rsa_numbers(k.n - 1, k.e), rsa_key)
odd_key("modulus-0", FORMAT, ANY, lambda k: rsa_numbers(0, k.e), rsa_key)


def ec_point(point, curve="1.2.840.10045.3.1.7"):
    return der.sequence(keys.algorithm(keys.ALGORITHMS["ecPublicKey"], der.oid(curve)), der.bits(point))


def point_of(k, x=0, y=0):
    size = k.curve.size
    return b"\x04" + ((k.q[0] + x) % k.curve.p).to_bytes(size, "big") + ((k.q[1] + y) % k.curve.p).to_bytes(size, "big")


certificate("p384", "accepted", (), {"key": re.compile("P-384"), **SIGNED}, lambda: ordinary(key=keys.Ec(P384)))
for name, oid, size in (("p521", "1.3.132.0.35", 66), ("secp256k1", "1.3.132.0.10", 32), ("p224", "1.3.132.0.33", 28),
                        ("brainpool", "1.3.36.3.3.2.8.1.1.7", 32)):
    odd_key(name, FORMAT, re.compile("EC"), lambda k, o=oid, s=size: ec_point(b"\x04" + b"\x11" * (2 * s), o))
odd_key("point-compressed", "accepted", re.compile("point 0[23]"), lambda k: ec_point(bytes([2 + k.q[1] % 2]) + k.q[0].to_bytes(32, "big")))
odd_key("point-at-infinity", FORMAT, re.compile("point 00"), lambda k: ec_point(b"\0"))
odd_key("point-off-the-curve", FORMAT, re.compile("off the curve"), lambda k: ec_point(point_of(k, y=1)))
odd_key("point-zero", FORMAT, re.compile("off the curve"), lambda k: ec_point(b"\x04" + bytes(64)))
odd_key("point-short", FORMAT, re.compile("63 bytes"), lambda k: ec_point(point_of(k)[:-1]))
odd_key("parameters-explicit", FORMAT, re.compile("explicit"), lambda k: der.sequence(
    der.sequence(der.oid(keys.ALGORITHMS["ecPublicKey"]), der.sequence(der.integer(1))), der.bits(point_of(k))))
odd_key("ed25519", FORMAT, "ed25519", lambda k: der.sequence(keys.algorithm(keys.ALGORITHMS["ed25519"]), der.bits(b"\x55" * 32)))
odd_key("pss", FORMAT, "rsassaPss", lambda k: der.sequence(
    keys.algorithm(keys.ALGORITHMS["rsassaPss"]), der.bits(der.sequence(der.integer(k.n), der.integer(k.e)).encode())), rsa_key)

# ---- what it may do ----------------------------------------------------------------------------

USED = "extension-551d0f"
certificate("no-usage", "accepted", 57, {USED: GONE}, lambda: ordinary(usage=None))
for usage in ("keyCertSign", "cRLSign", "nonRepudiation", "keyEncipherment", "keyAgreement"):
    certificate(f"usage-{usage}", USAGE, 57, {USED: ANY}, lambda u=usage: ordinary(usage=(u,)))
certificate("usage-none", USAGE, 57, {USED: ANY}, lambda: ordinary(usage=()))
certificate("usage-several", "accepted", 57, {USED: ANY}, lambda: ordinary(usage=("digitalSignature", "nonRepudiation", "keyCertSign")))
certificate("ca", "accepted", (), {"extension-551d13": ANY}, lambda: ordinary(extensions=[keys.basic_constraints(True)]))
certificate("no-ca", "accepted", (), {"extension-551d13": ANY}, lambda: ordinary(extensions=[keys.basic_constraints(False)]))
certificate("unknown-extension", "accepted", (), {"extension-2a0304": ANY},
            lambda: ordinary(extensions=[keys.extension("1.2.3.4", der.null())]))
certificate("unknown-critical-extension", FORMAT, (), {"extension-2a0304": ANY},
            lambda: ordinary(extensions=[keys.extension("1.2.3.4", der.null(), critical=True)]))
certificate("usage-twice", FORMAT, (), {"twice": ANY}, lambda: ordinary(extensions=[keys.key_usage("keyCertSign")]))
certificate("code-signing", "accepted", (), {"extension-551d25": ANY},
            lambda: ordinary(extensions=[keys.extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.3")))]))

# ---- names, numbers, dates, and its own signature ----------------------------------------------

for name, dates in (("expired", ("19700101000000Z", "19710101000000Z")), ("future", ("20900101000000Z", "20990101000000Z")),
                    ("reversed", ("20300101000000Z", "20200101000000Z")), ("forever", ("20200101000000Z", "99991231235959Z"))):
    certificate(f"date-{name}", "accepted", 60, {"dates": ANY}, lambda d=dates: ordinary(dates=d))
certificate("date-nonsense", FORMAT, 60, {"dates": ANY}, lambda: ordinary(dates=("20251301000000Z", "20351332999999Z")))
for name, subject in (("terminal", "\x1b[2J\nrefused x: y\r\u202e"), ("quotes", "a\"b\\c,d=e+f;g<h>"), ("long", "n" * 64 + " " * 300),
                      ("unicode", "Ünïcode \U0001f512"), ("empty", ""), ("nul", "a\0b"), ("percent", "%s%n%x")):
    certificate(f"subject-{name}", "accepted", (), {"subject": ANY}, lambda s=subject: ordinary(s))
certificate("subject-invalid-utf-8", "accepted", (), {"subject": ANY}, lambda: ordinary(der.utf8(b"\xff\xfe\x80")))
certificate("serial-0", "accepted", (), {"serial": "00"}, lambda: ordinary(serial=0))
certificate("serial-of-20-bytes", "accepted", (), {"serial": "7f" + "ff" * 19}, lambda: ordinary(serial=2**159 - 1))
certificate("serial-negative", "accepted", 61, {"serial": "fb", "der": re.compile("negative")}, lambda: ordinary(serial=-5))
certificate("issuer-others", "accepted", (), {"issuer": ANY, "signature": "not its own"},
            lambda: ordinary(issuer=ordinary("somebody else", keys.Ec(P256))))
certificate("own-signature-wrong", "accepted", (), {"signature": "not its own"}, lambda: spoilt(ordinary()))
for digest in ("sha384", "sha512"):
    certificate(f"signed-with-{digest}", "accepted", (), {"signed-with": ANY}, lambda d=digest: ordinary(digest=d))
certificate("signed-with-sha1", ALGORITHM, (), {"signed-with": "ecdsaWithSHA1"}, lambda: ordinary(digest="sha1"))
certificate("version-1", FORMAT, (), {"version": "00"}, lambda: rebuilt(lambda b: b.content.__delitem__(0)))
certificate("version-1-plain", "accepted", (), {"version": "00", USED: GONE},
            lambda: rebuilt(lambda b: (b.content.__delitem__(7), b.content.__delitem__(0))))
certificate("version-4", FORMAT, (), {"version": "03"}, lambda: rebuilt(lambda b: b.content.__setitem__(0, der.context(0, der.integer(3)))))
certificate("algorithms-differ", FORMAT, (), {"signed-with": ANY},
            lambda: rebuilt(lambda b: b.content.__setitem__(2, keys.algorithm(keys.ALGORITHMS["ecdsaWithSHA384"]))))
certificate("no-subject", FORMAT, (), HALF, lambda: rebuilt(lambda b: b.content.__delitem__(5)))


def spoilt(made):
    """The last byte of its own signature is another one; an anchor is trusted for being one, not for that."""
    made.der = made.der[:-1] + bytes([made.der[-1] ^ 1])
    return made


def rebuilt(edit):
    """Parts of it changed, and signed again."""
    made = ordinary()
    whole = der.parse(made.der)
    edit(whole[0])
    whole.content[2] = der.bits(made.key.sign("sha256", whole[0].encode()))
    made.der = whole.encode()
    return made
