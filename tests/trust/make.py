#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
make.py DIR ARCH: certificates that issue each other in good and bad ways, an image signed by each, and lists of
revocations. NAME.crt is a certificate, NAME.raw an image whose signer is NAME, NAME.revoked a list.
"""

import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "images"))

import ddi  # noqa: E402  the directory has to be known first
import der  # noqa: E402
import keys  # noqa: E402
import pkcs7  # noqa: E402

CODE_SIGNING, SERVER_AUTH = "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.1"
LONG_AGO = ("19900101000000Z", "19910101000000Z")
SIGN, ISSUE = "digitalSignature", "keyCertSign"
CA = keys.basic_constraints(True)


def purpose(*oids):
    return keys.extension("2.5.29.37", der.sequence(*map(der.oid, oids)))


def certificates():
    """The name of each, and it."""
    rsa = [keys.Rsa.make(2048) for _ in range(4)]
    ec = [keys.Ec(keys.P256), keys.Ec(keys.P384)]

    def make(name, key, issuer=None, usage=(SIGN,), **more):
        return keys.Certificate(f"trust test {name}", key, issuer=made.get(issuer), usage=usage, **more)

    made = {}
    for name, arguments in {
        # anchors
        "ca": (rsa[0], None, (SIGN, ISSUE), {"extensions": [CA]}),
        "ca-only": (rsa[1], None, (ISSUE,), {"extensions": [CA]}),
        "ca-any": (ec[1], None, None, {"extensions": [CA]}),
        "ca-ec": (ec[0], None, (SIGN, ISSUE), {"extensions": [CA]}),
        "no-ca": (rsa[0], None, (SIGN, ISSUE), {}),
        "no-issue": (rsa[1], None, (SIGN,), {"extensions": [CA]}),
        "leaf": (rsa[2], None, (SIGN,), {}),
        "plain": (ec[0], None, None, {}),
        "expired": (rsa[3], None, (SIGN,), {"dates": LONG_AGO}),
        "useless": (rsa[3], None, ("keyEncipherment",), {}),
        # issued well
        "issued": (rsa[2], "ca", (SIGN,), {}),
        "issued-by-only": (rsa[2], "ca-only", (SIGN,), {}),
        "issued-by-any": (rsa[2], "ca-any", (SIGN,), {"digest": "sha384"}),
        "issued-by-ec": (ec[1], "ca-ec", (SIGN,), {}),
        "issued-plain": (ec[0], "ca", None, {"digest": "sha512"}),
        "issued-expired": (rsa[2], "ca", (SIGN,), {"dates": LONG_AGO}),
        "issued-code": (rsa[2], "ca", (SIGN,), {"extensions": [purpose(SERVER_AUTH, CODE_SIGNING)]}),
        "sub-ca": (rsa[3], "ca", (SIGN, ISSUE), {"extensions": [CA]}),
        # and not
        "grandchild": (rsa[2], "sub-ca", (SIGN,), {}),
        "by-leaf": (rsa[3], "leaf", (SIGN,), {}),
        "by-no-ca": (rsa[3], "no-ca", (SIGN,), {}),
        "by-no-issue": (rsa[3], "no-issue", (SIGN,), {}),
        "issued-tls": (rsa[2], "ca", (SIGN,), {"extensions": [purpose(SERVER_AUTH)]}),
        "issued-useless": (rsa[2], "ca", ("keyEncipherment",), {}),
        "issued-weak": (keys.Rsa.make(1024), "ca", (SIGN,), {}),
    }.items():
        key, issuer, usage, more = arguments
        made[name] = make(name, key, issuer, usage, **more)

    # A stranger who calls himself "ca", with a key of the same kind and of another.
    for name, key in {"forged": rsa[3], "forged-ec": ec[0]}.items():
        false_ca = keys.Certificate("trust test ca", key, usage=(SIGN, ISSUE), extensions=[CA])
        made[name] = keys.Certificate(f"trust test {name}", rsa[2], issuer=false_ca)
    # A boolean that is true, and not as DER has it.
    made["lax"] = keys.Certificate("trust test lax", rsa[2], issuer=made["ca"], usage=None, extensions=[
        der.sequence(der.oid("2.5.29.19"), der.Value(1, b"\x01"), der.octets(der.sequence().encode()))])
    return made


def twin(certificate):
    """The same with the other of the two signatures that ECDSA has for it."""
    tree = der.parse(certificate)
    numbers = der.parse(tree[2].content[1:])
    s = int.from_bytes(numbers[1].content, "big")
    tree.content[2] = der.bits(der.sequence(numbers[0], der.integer(keys.P256.n - s)).encode())
    return tree.encode()


def padded(certificate):
    """The same with a zero before s, which a lenient reader does not mind."""
    tree = der.parse(certificate)
    numbers = der.parse(tree[2].content[1:])
    tree.content[2] = der.bits(der.sequence(numbers[0], der.Value(2, b"\0\0" + numbers[1].content)).encode())
    return tree.encode()


def erofs():
    """Two blocks of which the first starts an erofs of that size, for whoever looks no further."""
    block = bytearray(2 * 4096)
    block[1024:1024 + 84] = struct.pack("<III BBH 20x I 40x I", 0xE0F5E1E2, 0, 0, 12, 0, 36, 2, 0)
    return bytes(block)


def main():
    where, arch = sys.argv[1:]
    made = certificates()

    def write(name, data):
        with open(os.path.join(where, name), "wb") as file:
            file.write(data)

    def image(name, certificate, salt):
        made_image = ddi.Image(erofs(), lambda root: pkcs7.sign(certificate, root.encode()).encode(),
                               fingerprint=certificate.fingerprint, arch=arch, salt=salt.ljust(32, b"."))
        made_image.write(os.path.join(where, f"{name}.raw"))
        return made_image

    def unsigned(name):
        made_image = image(name, made["leaf"], name.encode())
        del made_image.entries[made_image.slot("envelope")]
        made_image.write(os.path.join(where, f"{name}.raw"))
        return made_image

    def revoke(name, *lines, signer="ca", first="vext-revoked 1", **how):
        text = "".join(f"{line}\n" for line in (first, *lines)).encode()
        write(f"{name}.revoked", text)
        if signer:
            write(f"{name}.revoked.p7s", pkcs7.sign(made[signer], text, **how).encode())

    images = {}
    for name, certificate in made.items():
        write(f"{name}.crt", certificate.der)
        images[name] = image(name, certificate, name.encode())
    images["unsigned"] = unsigned("unsigned")
    write("issued-pem.crt", b"text\n" + keys.pem(made["issued"].der) + b"more text\n")
    write("bundle.crt", keys.pem(made["useless"].der) + keys.pem(made["issued"].der))
    write("by-ec-twin.crt", twin(made["issued-by-ec"].der))
    write("by-ec-padded.crt", padded(made["issued-by-ec"].der))
    write("junk.crt", b"no certificate\n")
    write("large.crt", keys.pem(made["issued"].der) + b"x" * 65536)

    digest = {name: c.fingerprint for name, c in made.items()}
    revoke("issued", f"certificate {digest['issued']}", "", "# why")
    revoke("image", f"root-hash {images['issued'].root}", digest="sha512")
    revoke("ca", f"certificate {digest['ca']}")
    revoke("ec", f"certificate {digest['issued-by-ec']}", signer="ca-ec")
    revoke("unsigned", f"root-hash {images['leaf'].root}", signer=None)
    revoke("by-leaf", f"root-hash {images['issued'].root}", signer="leaf")
    revoke("by-issued", f"root-hash {images['issued'].root}", signer="issued")
    revoke("by-only", f"root-hash {images['issued'].root}", signer="ca-only")
    revoke("first-line", f"certificate {digest['issued']}", first="vext-revoked 2")
    revoke("word", f"certificate {digest['issued']}", f"key {digest['issued']}")
    revoke("short", f"certificate {digest['issued'][:-2]}")
    revoke("upper", f"certificate {digest['issued'].upper()}")
    revoke("many", *[f"root-hash {n:064x}" for n in range(700)])
    revoke("more", *[f"root-hash {n:064x}" for n in range(400, 1024)], f"certificate {digest['issued']}")
    revoke("changed", f"certificate {digest['issued']}")
    revoke("changed", f"certificate {digest['leaf']}", signer=None)
    text = f"vext-revoked 1\ncertificate {digest['issued']}".encode()
    write("cut.revoked", text)
    write("cut.revoked.p7s", pkcs7.sign(made["ca"], text).encode())
    # What signs an image, offered as a list.
    write("hash.revoked", images["ca"].root.encode())
    write("hash.revoked.p7s", images["ca"].signature)
    with open(os.path.join(where, "facts"), "w", encoding="ascii") as file:
        for name, made_image in images.items():
            print(name, digest.get(name, "-"), made_image.root, file=file)


main()
