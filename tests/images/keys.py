# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates, with full control over every number in them.

RSA by hand because the tests need signatures that no tool makes (other paddings, forged ones, moduli of
an exact length); ECDSA too, for a signature with a chosen nonce. Formats: RFC 8017, RFC 5280, SEC 1.
"""

import base64
import contextlib
import hashlib
import random
import re
import subprocess

import der

DIGESTS = {
    "md5": "1.2.840.113549.2.5",
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "sha3_256": "2.16.840.1.101.3.4.2.8",
}

ALGORITHMS = {
    "rsaEncryption": "1.2.840.113549.1.1.1",
    "sha1WithRSA": "1.2.840.113549.1.1.5",
    "rsassaPss": "1.2.840.113549.1.1.10",
    "sha256WithRSA": "1.2.840.113549.1.1.11",
    "sha384WithRSA": "1.2.840.113549.1.1.12",
    "sha512WithRSA": "1.2.840.113549.1.1.13",
    "ecPublicKey": "1.2.840.10045.2.1",
    "ecdsaWithSHA1": "1.2.840.10045.4.1",
    "ecdsaWithSHA256": "1.2.840.10045.4.3.2",
    "ecdsaWithSHA384": "1.2.840.10045.4.3.3",
    "ecdsaWithSHA512": "1.2.840.10045.4.3.4",
    "ed25519": "1.3.101.112",
}


RANDOM = random.Random()  # of keys that sign nothing but tests


@contextlib.contextmanager
def seeded(seed):
    """What is made inside is the same on every run."""
    before = RANDOM.getstate()
    RANDOM.seed(f"vext tests: {seed}")
    try:
        yield
    finally:
        RANDOM.setstate(before)


def run(*command, data=None):
    """The output of a tool of the system, which must succeed."""
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}: "
                           f"{done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def algorithm(oid, *parameters):
    return der.sequence(der.oid(oid), *parameters)


def digest_info(name, content, null=True):
    parameters = [der.null()] if null else []
    return der.sequence(algorithm(DIGESTS[name], *parameters),
                        der.octets(hashlib.new(name, content).digest()))


# ---- RSA ---------------------------------------------------------------------------------------

SMALL_PRIMES = [p for p in range(3, 2000, 2) if all(p % q for q in range(3, int(p**0.5) + 1, 2))]


def is_prime(n, rounds=24):
    """Miller and Rabin's test: good enough for keys that sign nothing but tests."""
    if any(n % p == 0 for p in SMALL_PRIMES):
        return n in SMALL_PRIMES
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(rounds):
        x = pow(RANDOM.randrange(2, n - 1), odd, n)
        if x not in (1, n - 1) and not any((x := x * x % n) == n - 1 for _ in range(twos - 1)):
            return False
    return True


def prime(low, high, e):
    """A random one from low up to high, of use with the public exponent e."""
    while True:
        p = RANDOM.randrange(low, high) | 1
        if (p - 1) % e and is_prime(p):
            return p


class Rsa:
    kind = "rsa"

    def __init__(self, n, e, primes):
        self.n, self.e, self.primes = n, e, primes

    @classmethod
    def make(cls, bits, e=65537):
        """
        A key whose modulus has exactly these bits. Of many small primes (RFC 8017, 3.2), because those are
        found in an instant; who has the public key can't tell and does not care.
        """
        primes, product = [], 1
        for left in range(max(2, bits // 256) - 1, 0, -1):
            size = (bits - product.bit_length()) // (left + 1)
            primes.append(prime(1 << size, 2 << size, e))
            product *= primes[-1]
        primes.append(prime((1 << bits - 1) // product + 1, (1 << bits) // product, e))
        return cls(product * primes[-1], e, primes)

    @classmethod
    def load(cls, path):
        info = der.parse(run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", path, "-outform", "DER"))
        numbers = [int.from_bytes(v.content, "big") for v in der.parse(info[2].content).content]
        return cls(numbers[1], numbers[2], numbers[4:6])

    @property
    def size(self):
        return (self.n.bit_length() + 7) // 8

    def public(self):
        return der.sequence(algorithm(ALGORITHMS["rsaEncryption"], der.null()),
                            der.bits(der.sequence(der.integer(self.n), der.integer(self.e)).encode()))

    def pad(self, info):
        return b"\x00\x01" + b"\xff" * (self.size - 3 - len(info)) + b"\x00" + info

    def raw(self, message):
        """The private key's operation on bytes of the modulus' size: the padding is the caller's."""
        m, result, modulus = int.from_bytes(message, "big"), 0, 1
        for p in self.primes:  # the Chinese remainder theorem
            part = pow(m % p, pow(self.e, -1, p - 1), p)
            result += modulus * ((part - result) * pow(modulus, -1, p) % p)
            modulus *= p
        return result.to_bytes(self.size, "big")

    def sign_info(self, info):
        return self.raw(self.pad(info.encode()))

    def sign(self, digest, content):
        return self.sign_info(digest_info(digest, content))

    def algorithm(self, digest):
        """What PKCS#7 (RFC 2315) wants as the signature algorithm, whatever the digest."""
        return algorithm(ALGORITHMS["rsaEncryption"], der.null())

    def certificate_algorithm(self, digest):
        return algorithm(ALGORITHMS[f"{digest}WithRSA"], der.null())


# ---- ECDSA -------------------------------------------------------------------------------------

class Curve:
    def __init__(self, oid, p, b, g, n):
        self.oid, self.p, self.a, self.b, self.g, self.n = oid, p, p - 3, b, g, n
        self.size = (p.bit_length() + 7) // 8

    def add(self, first, second):
        if first is None or second is None:
            return second if first is None else first
        (x1, y1), (x2, y2) = first, second
        if x1 == x2 and (y1 + y2) % self.p == 0:
            return None
        if first == second:
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p)
        x = (slope * slope - x1 - x2) % self.p
        return x, (slope * (x1 - x) - y1) % self.p

    def multiply(self, k, point):
        result = None
        while k:
            if k & 1:
                result = self.add(result, point)
            point = self.add(point, point)
            k >>= 1
        return result


P256 = Curve(
    "1.2.840.10045.3.1.7",
    0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
    0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5),
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551)
P384 = Curve(
    "1.3.132.0.34",
    2**384 - 2**128 - 2**96 + 2**32 - 1,
    0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    (0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
     0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F),
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973)


class Ec:
    kind = "ec"

    def __init__(self, curve):
        self.curve = curve
        self.d = RANDOM.randrange(1, curve.n)
        self.q = curve.multiply(self.d, curve.g)

    def public(self):
        point = b"\x04" + b"".join(v.to_bytes(self.curve.size, "big") for v in self.q)
        return der.sequence(algorithm(ALGORITHMS["ecPublicKey"], der.oid(self.curve.oid)), der.bits(point))

    def private(self):
        """ECPrivateKey of RFC 5915."""
        return der.sequence(der.integer(1), der.octets(self.d.to_bytes(self.curve.size, "big")),
                            der.context(0, der.oid(self.curve.oid)))

    def numbers(self, digest, content):
        n = self.curve.n
        hashed = hashlib.new(digest, content).digest()
        z = int.from_bytes(hashed, "big") >> max(0, 8 * len(hashed) - n.bit_length())
        with seeded(f"{self.d} {z}"):  # as in RFC 6979, the same signature every time
            k = RANDOM.randrange(1, n)
        r = self.curve.multiply(k, self.curve.g)[0] % n
        return r, pow(k, -1, n) * (z + r * self.d) % n

    def sign(self, digest, content):
        r, s = self.numbers(digest, content)
        return der.sequence(der.integer(r), der.integer(s)).encode()

    def algorithm(self, digest):
        return algorithm(ALGORITHMS[f"ecdsaWith{digest.upper()}"])

    certificate_algorithm = algorithm


# ---- certificates ------------------------------------------------------------------------------

USAGE = {"digitalSignature": 0, "nonRepudiation": 1, "keyEncipherment": 2, "keyAgreement": 4,
         "keyCertSign": 5, "cRLSign": 6}


def name(common_name):
    value = common_name if isinstance(common_name, der.Value) else der.utf8(common_name)
    return der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), value)))


def extension(oid, value, critical=False):
    flag = [der.boolean(True)] if critical else []
    return der.sequence(der.oid(oid), *flag, der.octets(value.encode()))


def key_usage(*usages):
    mask = 0
    for usage in usages:
        mask |= 0x80 >> USAGE[usage]
    unused = (mask & -mask).bit_length() - 1 if mask else 0
    return extension("2.5.29.15", der.bits(bytes([mask]) if mask else b"", unused), critical=True)


def basic_constraints(ca):
    return extension("2.5.29.19", der.sequence(*([der.boolean(True)] if ca else [])), critical=True)


class Certificate:
    """A certificate with its key. `der` is the whole of it."""

    def __init__(self, subject, key, *, issuer=None, serial=None, usage=("digitalSignature",),
                 dates=("20250101000000Z", "20350101000000Z"), extensions=(), digest="sha256"):
        self.key = key
        self.subject = name(subject)
        self.issuer = issuer.subject if issuer else self.subject
        if serial is None:
            serial = RANDOM.getrandbits(63) | 1 << 62
        self.serial = serial if isinstance(serial, der.Value) else der.integer(serial)
        signer = issuer.key if issuer else key
        listed = ([key_usage(*usage)] if usage is not None else []) + list(extensions)
        fields = [der.context(0, der.integer(2)), self.serial, signer.certificate_algorithm(digest), self.issuer,
                  der.sequence(*map(der.time, dates)), self.subject, key.public()]
        if listed:
            fields.append(der.context(3, der.sequence(*listed)))
        body = der.sequence(*fields)
        self.der = der.sequence(body, signer.certificate_algorithm(digest),
                                der.bits(signer.sign(digest, body.encode()))).encode()

    @classmethod
    def load(cls, der_bytes, key):
        """One that another tool made."""
        self = cls.__new__(cls)
        fields = der.parse(der_bytes)[0]
        self.key, self.der = key, der_bytes
        self.serial, self.issuer, self.subject = fields[1], fields[3], fields[5]
        return self

    @property
    def fingerprint(self):
        return hashlib.sha256(self.der).hexdigest()


def pem(der_bytes, label="CERTIFICATE", newline="\n"):
    text = base64.b64encode(der_bytes).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return newline.join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode()


def unpem(text):
    """What is in the first PEM object."""
    found = re.search(rb"-----BEGIN [^-\n]*-----(.*?)-----END ", text, re.S)
    if not found:
        raise ValueError("no PEM object")
    return base64.b64decode(re.sub(rb"\s", b"", found[1]), validate=True)
