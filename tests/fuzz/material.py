# SPDX-License-Identifier: Apache-2.0
"""
Keys and certificates that the fuzz targets trust. They are made once and stay in build/fuzz, as the corpus that
grows there is signed with them; a private key that is not secret, and of use to nobody else.
"""

import json
import os

import keys

RSA_EXPONENT = 3  # makes a verification cost microseconds; vext takes any
CURVES = {"p256": keys.P256, "p384": keys.P384}


def make():
    rsa = keys.Rsa.make(2048, RSA_EXPONENT)
    made = {"rsa": {"n": rsa.n, "e": rsa.e, "primes": rsa.primes},
            **{name: {"d": keys.Ec(curve).d} for name, curve in CURVES.items()}}
    found = restored(made)
    certificates = {name: keys.Certificate(f"fuzz {name}", key) for name, key in found.items()}
    certificates["ca"] = keys.Certificate("fuzz ca", found["rsa"], usage=("keyCertSign",),
                                          extensions=[keys.basic_constraints(True)])
    made["certificates"] = {name: c.der.hex() for name, c in certificates.items()}
    return made


def restored(numbers):
    rsa = numbers["rsa"]
    found = {"rsa": keys.Rsa(rsa["n"], rsa["e"], rsa["primes"])}
    for name, curve in CURVES.items():
        key = keys.Ec(curve)
        key.d = numbers[name]["d"]
        key.q = curve.multiply(key.d, curve.g)
        found[name] = key
    return found


def load(path):
    """Certificates by name, each with its key; made if there are none yet."""
    if not os.path.exists(path):
        with open(path + ".new", "w", encoding="ascii") as file:
            json.dump(make(), file)
        os.rename(path + ".new", path)
    with open(path, encoding="ascii") as file:
        numbers = json.load(file)
    found = restored(numbers)
    return {name: keys.Certificate.load(bytes.fromhex(der), found.get(name, found["rsa"]))
            for name, der in numbers["certificates"].items()}


# ---- as C ---------------------------------------------------------------------------------------

def c_bytes(name, data):
    lines = [", ".join(f"0x{b:02x}" for b in data[i:i + 16]) for i in range(0, len(data), 16)]
    return f"static const unsigned char {name}[] = {{\n\t" + ",\n\t".join(lines) + "\n};\n"


def c_primes(rsa):
    """What the Chinese remainder theorem wants of each prime, see Rsa.raw()."""
    lines, modulus = [], 1
    for p in rsa.primes:
        numbers = (p, pow(rsa.e, -1, p - 1), modulus, pow(modulus, -1, p))
        lines.append("\t{ " + ", ".join(f'"{n:x}"' for n in numbers) + " },\n")
        modulus *= p
    return ("static const struct {\n\tconst char *prime, *exponent, *before, *inverse;\n} rsa_primes[] = {\n"
            + "".join(lines) + "};\n")


def header(certificates, template):
    """template: a PKCS#7 of the RSA key with SHA-256, whose last bytes, the signature, don't matter."""
    size = certificates["rsa"].key.size
    return "\n".join([
        "/* Made by tests/fuzz/seeds: what the targets trust. */",
        *(c_bytes(f"certificate_{name}", c.der) for name, c in certificates.items()),
        f"#define RSA_SIZE {size}u\n", c_primes(certificates["rsa"].key),
        "/* The PKCS#7 that ends with the signature. */", c_bytes("pkcs7_start", template[:-size])])
