"""Decodes damaged text: one byte spoils one character, also where characters have two bytes."""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"

WIDE_ENCODINGS = frozenset({"cp932", "euc_jis_2004", "cp949", "gb18030", "big5hkscs"})
"""Encodings with two bytes a character: after a damaged byte, a decoder may pair wrong bytes up to the line's end."""

_RUN = re.compile("\ufffd+")
_UNASSIGNED = re.compile("[\x80\xa0\uf8f0-\uf8f3]")
_UNLIKELY = re.compile("[\ufffd\x80\xa0\uf8f0-\uf8f3\uff61-\uff9f]")
"""Damage and halfwidth Katakana, which wrong pairs of bytes give."""

_PIECE_CHARACTERS = 1 << 20

_MAX_DAMAGES_IN_LINE = 4
"""Further ones in a line are decoded as Python's codecs do."""


def decode_damaged(content: bytes, encoding: str) -> str:
    """The text, with U+FFFD for each damaged character and for zero bytes."""
    if encoding not in WIDE_ENCODINGS:
        return _RUN.sub(REPLACEMENT, content.decode(encoding, "replace").replace("\0", REPLACEMENT))
    lines = content.replace(b"\0", b"\xff").split(b"\n")
    return _RUN.sub(REPLACEMENT, "\n".join(_decode_line(line, encoding) for line in lines))


def beyond_ascii(text: str) -> int:
    """How many of its characters are not ASCII. Counted in pieces: a sidecar may have 24 MB."""
    pieces = (text[at : at + _PIECE_CHARACTERS] for at in range(0, len(text), _PIECE_CHARACTERS))
    return sum(len(piece) - len(piece.encode("ascii", "ignore")) for piece in pieces)


def _decode_line(line: bytes, encoding: str) -> str:
    """After a damage, decoding continues one or two bytes later, where it meets fewer further ones."""
    text = ""
    for _ in range(_MAX_DAMAGES_IN_LINE):
        damage = _first_damage(line, encoding)
        if damage is None:
            return text + line.decode(encoding)
        text += line[:damage].decode(encoding) + REPLACEMENT
        rests = [line[damage + 2 :], line[damage + 1 :]]
        if line[damage + 1 : damage + 2].isascii():
            rests.reverse()
        line = min(rests, key=lambda rest: len(_UNLIKELY.findall(rest.decode(encoding, "replace"))))
    return text + line.decode(encoding, "replace")


def _first_damage(line: bytes, encoding: str) -> int | None:
    """Where the first byte is that is no character; Python's CP932 has characters for five bytes that are none."""
    try:
        text, damage = line.decode(encoding), None
    except UnicodeDecodeError as error:
        text, damage = line[: error.start].decode(encoding), error.start
    unassigned = _UNASSIGNED.search(text) if encoding == "cp932" else None
    return damage if unassigned is None else len(text[: unassigned.start()].encode(encoding))
