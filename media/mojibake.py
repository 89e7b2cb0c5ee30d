"""Restores texts that were decoded as Latin-1 or Windows-1252 and are in another encoding: "Ñèðåíà" is "Сирена".

Tags of MP3, AVI and WAV have no encoding, or state Latin-1 whatever they are in.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pesearch.media.encoding_detection import guess_encoding

_MIN_CONFIDENCE = 0.08
"""Of `guess_encoding`: 29 titles of one to three words in Western languages are below it in every other encoding, and
23 of 25 in Cyrillic, Greek, Hebrew, Arabic, Thai, Korean and Japanese above it in theirs."""

_CONTROLS = re.compile(r"[\x80-\x9f]")


def restore(texts: Sequence[str]) -> tuple[list[str], str | None]:
    """The texts as they were meant, and their encoding if it had to be guessed.

    It is guessed from all, which must be of one file. What is in doubt stays as it is.
    """
    found = [encoded_once(text) for text in texts]
    content = [_bytes(text) for text in found]
    guess = guess_encoding(b"\n".join(each for each in content if each is not None))
    encoding = guess.encoding if guess is not None and guess.confidence >= _MIN_CONFIDENCE else "cp1252"
    restored = [
        text
        if each is None or (encoding == "cp1252" and not _CONTROLS.search(text))
        else each.decode(encoding, "replace")
        for text, each in zip(found, content, strict=True)
    ]
    return restored, None if restored == found else encoding


def encoded_once(text: str) -> str:
    """The text, decoded once more if it was encoded as UTF-8 twice."""
    content = _bytes(text)
    if content is None:
        return text
    try:
        return content.decode()
    except UnicodeDecodeError:
        return text


def _bytes(text: str) -> bytes | None:
    """The bytes of a text that was read as Latin-1 or Windows-1252; None if it was not, or is ASCII."""
    if text.isascii():
        return None
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        pass
    try:
        return b"".join(bytes([ord(char)]) if ord(char) < 0x100 else char.encode("cp1252") for char in text)
    except UnicodeEncodeError:
        return None
