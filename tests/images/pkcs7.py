# SPDX-License-Identifier: Apache-2.0
"""PKCS#7 SignedData, as trees of values that can be rearranged. Format: RFC 2315, 7 and 9."""

import os
import tempfile

import der
import keys

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"


def signer(certificate, content, *, digest="sha256", key=None, signature=None, issuer=None, serial=None,
           algorithm=None, version=1, attributes=(), unsigned=()):
    """One SignerInfo. What is not given is what belongs there."""
    key = key or certificate.key
    return der.sequence(
        der.integer(version),
        der.sequence((certificate.issuer if issuer is None else issuer).copy(),
                     (certificate.serial if serial is None else serial).copy()),
        keys.algorithm(keys.DIGESTS[digest], der.null()),
        *attributes,
        algorithm or key.algorithm(digest),
        der.octets(key.sign(digest, content) if signature is None else signature),
        *unsigned)


def signed_data(signers, *, digests=("sha256",), certificates=(), content=(), version=1, crls=()):
    """ContentInfo with SignedData; certificates as DER."""
    embedded = [der.context(0, *map(der.parse, certificates))] if certificates else []
    return der.sequence(
        der.oid(SIGNED_DATA),
        der.context(0, der.sequence(
            der.integer(version),
            der.set_of(*[keys.algorithm(keys.DIGESTS[d], der.null()) for d in digests]),
            der.sequence(der.oid(DATA), *content),
            *embedded,
            *crls,
            der.set_of(*signers))))


def sign(certificate, content, *, digest="sha256", embed=True, **changes):
    """The ordinary shape, as systemd-repart and openssl smime write it."""
    return signed_data([signer(certificate, content, digest=digest, **changes)], digests=(digest,),
                       certificates=[certificate.der] if embed else [])


def openssl_sign(certificate_file, key_file, content, *options, tool="smime"):
    """The same, or something else, made by openssl."""
    with tempfile.NamedTemporaryFile() as data:
        data.write(content)
        data.flush()
        return keys.run("openssl", tool, "-sign", "-binary", "-in", data.name, "-signer", certificate_file,
                        "-inkey", key_file, "-outform", "DER", *options)


def openssl_verify(signature, content, *certificates):
    """Does openssl say that a certificate's key made this signature? They are trusted, dates are not looked at."""
    with tempfile.TemporaryDirectory() as work:
        paths = {}
        for what, data in (("signature", signature), ("content", content), ("certificate", b"".join(map(keys.pem, certificates)))):
            paths[what] = os.path.join(work, what)
            with open(paths[what], "wb") as file:
                file.write(data)
        try:
            keys.run("openssl", "smime", "-verify", "-inform", "DER", "-in", paths["signature"], "-binary",
                     "-content", paths["content"], "-noverify", "-nointern", "-certfile", paths["certificate"])
        except RuntimeError:
            return False
        return True


# ---- the places in such a tree -----------------------------------------------------------------

def signed(tree):
    return tree[1][0]


def signers(tree):
    return signed(tree).content[-1]
