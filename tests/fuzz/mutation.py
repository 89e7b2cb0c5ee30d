"""Mutations of an input: random edits, and parts of other inputs."""

from __future__ import annotations

import random
from collections.abc import Sequence

MAX_BYTES = 4096
"""Longer inputs are cut: they are slow and show no more."""

DICTIONARY = (
    b"", b"\0", b"\n", b"\r\n", b"\t", b" ", b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b"(", b")", b"<", b">", b"&",
    b"-", b"*", b"^", b":", b";", b",", b"/", b"..", b"-->", b"null", b"true", b"NaN", b"Infinity", b"1e999", b"-0",
    b"9" * 30, b"0x7f", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3\x28", b"\xed\xa0\x80", "٣".encode(), "ﬁ".encode(),
    "é".encode(), "e\u0301".encode(), "\u202e".encode(), "東京".encode(), "😀".encode(), b"\\ud800", b"AND",
    b"THEN", b"NOT",
)  # fmt: skip


def mutated(inputs: Sequence[bytes], chance: random.Random) -> bytes:
    """One of the inputs after one to eight edits."""
    data = bytearray(chance.choice(inputs))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        start = chance.randint(0, len(data))
        end = min(len(data), start + chance.choice((0, 1, 1, 2, 8, 64)))
        data[start:end] = _replacement(bytes(data[start:end]), inputs, chance)
    return bytes(data[:MAX_BYTES])


def _replacement(part: bytes, inputs: Sequence[bytes], chance: random.Random) -> bytes:
    kind = chance.randrange(5)
    if kind == 0:
        return b""
    if kind == 1:
        return bytes([chance.randrange(256)])
    if kind == 2:
        return part * chance.choice((2, 3, 50))
    if kind == 3:
        other = chance.choice(inputs)
        start = chance.randint(0, len(other))
        return other[start : start + chance.randint(1, 64)]
    return chance.choice(DICTIONARY)
