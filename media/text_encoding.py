"""Text of files in any encoding: by byte order mark, by content, and by the language in the file's name.

Damaged bytes spoil one character each, never the encoding of the rest.
"""

from __future__ import annotations

import codecs
import re

from pesearch.errors import MediaError
from pesearch.media.damaged_text import REPLACEMENT, beyond_ascii, decode_damaged
from pesearch.media.encoding_detection import guess_encoding, is_mixed
from pesearch.media.mojibake import encoded_once

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_MAX_DAMAGED = 0.1
"""A text is refused if a larger share of its characters beyond ASCII is damaged."""

_MIN_ZEROS = 0.02
"""Least share of zero bytes of UTF-16: a line break every 25 characters of Japanese; subtitles have more."""

_MAX_ZEROS = 0.005
"""Largest share of zero bytes, holes apart, of text in other encodings."""

_MIN_BYTES_WITH_ZEROS = 50
_HOLE = re.compile(rb"\0{4,}")
"""What a copy that was broken off leaves in a file."""

_MAX_CONTROLS = 0.02
"""Largest share of control characters of a text; in binary content it is above 0.1."""

_BEYOND_LATIN = re.compile(r"[\u0370-\u1dff\u2000-\U0010ffff]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_HIGH_CONTROL = re.compile(r"[\x80-\x9f]")
_WORD = re.compile(r"[^\W\d_]+")
_LINE_ENDS = re.compile(r"\r+\n?")
_NAMES = {"big5hkscs": "Big5", "euc_jis_2004": "EUC-JP", "cp932": "Shift_JIS"}


def decode_text(content: bytes, language: str = "") -> tuple[str, str | None]:
    """Decoded text with line ends normalised, and a remark if its encoding was guessed or it is damaged.

    `language` is an ISO 639 code, or empty. Damaged bytes become U+FFFD. Errors: MediaError if it is no text.
    """
    text, remark = _decoded(content, language)
    text = text.replace("\ufeff", "")
    if len(_CONTROL.findall(text)) > 1 + _MAX_CONTROLS * len(text):
        raise MediaError("not text: its content is binary")
    remarks = [remark] if remark is not None else []
    if damaged := text.count(REPLACEMENT):
        remarks.append(f"damaged text: {damaged} character{'s' if damaged > 1 else ''} cannot be read")
    return _LINE_ENDS.sub(_line_ends, text), "; ".join(remarks) or None


def _line_ends(found: re.Match[str]) -> str:
    """One line end for `\\r\\n` and `\\r\\r\\n`, else one for each `\\r`."""
    return "\n" if found[0].endswith("\n") else "\n" * len(found[0])


def _decoded(content: bytes, language: str) -> tuple[str, str | None]:
    """The text, with U+FFFD for damaged characters, and how its encoding was guessed."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark) and encoding == "utf-8":  # editors add it to text in other encodings
            content = content.removeprefix(mark)
            break
        if content.startswith(mark):
            return _replacing(content[len(mark) :], encoding), None
    wide = _wide_encoding(content)
    if wide is not None and (text := _wide_text(content, wide)) is not None:
        return text, f"no byte order mark: read as {wide.upper()}"
    content = _HOLE.sub(b"\0", content.rstrip(b"\0"))
    if content.count(0) > 1 + _MAX_ZEROS * len(content) or (0 in content and len(content) < _MIN_BYTES_WITH_ZEROS):
        raise MediaError("not text: its content is binary")
    if b"\x1b$" in content and b"\x1b(" in content:
        return _replacing(content, "iso2022_jp_2"), "not UTF-8: read as ISO-2022-JP"
    if _is_mostly_utf8(content):
        text = _replacing(content, "utf-8")
        restored = encoded_once(text)
        return restored, None if restored == text else "was encoded as UTF-8 twice: decoded twice"
    guess = guess_encoding(content, language)
    if guess is None:
        raise MediaError("not text: unknown encoding")
    text = _HIGH_CONTROL.sub(REPLACEMENT, _replacing(content, guess.encoding))
    return text, f"not UTF-8: read as {public_name(guess.encoding)}"


def _replacing(content: bytes, encoding: str) -> str:
    """The text with U+FFFD for damaged characters. Errors: MediaError if they are many."""
    text = decode_damaged(content, encoding)
    damaged = text.count(REPLACEMENT)
    if damaged and (damaged > 1 + _MAX_DAMAGED * beyond_ascii(text) or damaged == len(text)):
        raise MediaError("damaged text: it does not match its encoding")
    return text


def _is_mostly_utf8(content: bytes) -> bool:
    """Whether at least as many characters of several bytes are valid as damaged.

    In other encodings bytes make such characters by chance only.
    """
    text = content.decode("utf-8", "replace")
    damaged = text.count(REPLACEMENT)
    return beyond_ascii(text) >= 2 * damaged


def _wide_encoding(content: bytes) -> str | None:
    """UTF-16 or UTF-32 if text without a byte order mark is in it: its zero bytes are all on one side."""
    zeros = [content[first::4].count(0) for first in range(4)]
    if sum(zeros) < max(2, _MIN_ZEROS * len(content)):
        return None
    if len(content) % 4 == 0 and len(content) // 4 in (min(zeros[:2]), min(zeros[2:])):
        return "utf-32-be" if min(zeros[:2]) > min(zeros[2:]) else "utf-32-le"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if min(even, odd) > 1 + max(even, odd) // 50:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _wide_text(content: bytes, encoding: str) -> str | None:
    """The text, if it is one: binary content gives words of Latin and other letters."""
    text = content.decode(encoding, "replace")
    words = [word for word in _WORD.findall(text) if _BEYOND_LATIN.search(word)]
    is_text = sum(map(is_mixed, words)) <= len(words) // 3 and text.count(REPLACEMENT) <= 1 + _MAX_DAMAGED * len(text)
    return text if is_text else None


def public_name(encoding: str) -> str:
    """The name of an encoding for users: `Windows-1251` of `cp1251`."""
    return _NAMES.get(encoding, encoding.upper().replace("CP125", "Windows-125").replace("ISO8859", "ISO 8859"))
