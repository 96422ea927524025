# SPDX-License-Identifier: Apache-2.0
"""A small DER editor: values as a tree, and an encoder that can be told to break the rules.

Format: ITU-T X.690 (2021).
"""

SHORTEST = "shortest"      # DER
LONG = "one byte too long"  # BER: a definite length with one byte more than needed
INDEFINITE = "indefinite"  # BER: 0x80, and two zero bytes at the end


class Value:
    """One value. content: bytes, or a list of values when the tag is a constructed one."""

    def __init__(self, tag, content, form=SHORTEST):
        self.tag = tag
        self.content = content
        self.form = form

    def __getitem__(self, index):
        return self.content[index]

    def __len__(self):
        return len(self.content)

    @property
    def constructed(self):
        return isinstance(self.content, list)

    def body(self):
        return b"".join(v.encode() for v in self.content) if self.constructed else bytes(self.content)

    def encode(self):
        body = self.body()
        if self.form == INDEFINITE:
            return bytes([self.tag, 0x80]) + body + b"\0\0"
        return bytes([self.tag]) + length(len(body), self.form) + body

    def walk(self, path=()):
        """This value and all below it, each with the indexes that lead to it."""
        yield path, self
        if self.constructed:
            for i, value in enumerate(self.content):
                yield from value.walk(path + (i,))

    def at(self, path):
        value = self
        for i in path:
            value = value[i]
        return value

    def copy(self):
        content = [v.copy() for v in self.content] if self.constructed else self.content
        return Value(self.tag, content, self.form)


def length(n, form=SHORTEST):
    digits = n.to_bytes((n.bit_length() + 7) // 8, "big")
    if form == LONG:
        if n < 0x80:
            return bytes([0x81, n])
        return bytes([0x80 | (len(digits) + 1), 0]) + digits
    if form != SHORTEST:
        return bytes(form)  # taken as it is
    return bytes([n]) if n < 0x80 else bytes([0x80 | len(digits)]) + digits


def parse(data):
    """One value of strict DER with nothing behind it."""
    value, rest = _take(data)
    if rest:
        raise ValueError(f"{len(rest)} bytes behind the value")
    return value


def _take(data):
    tag, first, rest = data[0], data[1], data[2:]
    size = first
    if first >= 0x80:
        count = first & 0x7F
        size, rest = int.from_bytes(rest[:count], "big"), rest[count:]
    if size > len(rest):
        raise ValueError("the value ends behind the data")
    body, rest = rest[:size], rest[size:]
    if not tag & 0x20:
        return Value(tag, body), rest
    values = []
    while body:
        value, body = _take(body)
        values.append(value)
    return Value(tag, values), rest


# ---- makers ------------------------------------------------------------------------------------

def sequence(*values):
    return Value(0x30, list(values))


def set_of(*values):
    return Value(0x31, list(values))


def context(number, *values):
    return Value(0xA0 | number, list(values))


def integer(n):
    return Value(0x02, n.to_bytes(n.bit_length() // 8 + 1, "big", signed=True))


def boolean(value):
    return Value(0x01, b"\xff" if value else b"\x00")


def octets(data):
    return Value(0x04, data)


def bits(data, unused=0):
    return Value(0x03, bytes([unused]) + data)


def null():
    return Value(0x05, b"")


def utf8(text):
    return Value(0x0C, text if isinstance(text, bytes) else text.encode())


def printable(text):
    return Value(0x13, text.encode())


def time(text):
    """YYYYMMDDHHMMSSZ; UTCTime for the years that it can say, as RFC 5280 wants it."""
    if "1950" <= text[:4] < "2050":
        return Value(0x17, text[2:].encode())
    return Value(0x18, text.encode())


def oid(text):
    numbers = [int(n) for n in text.split(".")]
    out = bytearray()
    for n in [numbers[0] * 40 + numbers[1]] + numbers[2:]:
        groups = [n & 0x7F]
        while n := n >> 7:
            groups.append(0x80 | n & 0x7F)
        out += bytes(reversed(groups))
    return Value(0x06, bytes(out))
