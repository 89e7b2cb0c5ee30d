"""Decodes damaged text: one byte spoils one character, also where characters have two bytes."""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"

WIDE_ENCODINGS = frozenset({"cp932", "euc_jis_2004", "cp949", "gb18030", "big5hkscs"})
"""Encodings with two bytes a character: after a damaged byte, a decoder may pair wrong bytes up to the line's end."""

_RUN = re.compile("\ufffd+")
_MAX_DAMAGES_IN_LINE = 4
"""Further ones in a line are decoded as Python's codecs do."""


def decode_damaged(content: bytes, encoding: str) -> str:
    """The text, with U+FFFD for each damaged character and for zero bytes."""
    if encoding not in WIDE_ENCODINGS:
        return _RUN.sub(REPLACEMENT, content.decode(encoding, "replace").replace("\0", REPLACEMENT))
    lines = content.replace(b"\0", b"\xff").split(b"\n")
    return _RUN.sub(REPLACEMENT, "\n".join(_decode_line(line, encoding) for line in lines))


def beyond_ascii(text: str) -> int:
    """How many of its characters are not ASCII."""
    return len(text) - len(text.encode("ascii", "ignore"))


def _decode_line(line: bytes, encoding: str) -> str:
    """After a damage, decoding continues one or two bytes later, where it meets fewer further ones."""
    text = ""
    for _ in range(_MAX_DAMAGES_IN_LINE):
        try:
            return text + line.decode(encoding)
        except UnicodeDecodeError as error:
            text += line[: error.start].decode(encoding) + REPLACEMENT
            rests = [line[error.start + 2 :], line[error.start + 1 :]]
            if line[error.start + 1 : error.start + 2].isascii():
                rests.reverse()
            line = min(rests, key=lambda rest: rest.decode(encoding, "replace").count(REPLACEMENT))
    return text + line.decode(encoding, "replace")
