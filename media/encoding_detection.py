"""Encodings of text that is not Unicode: recognised by chardet 7 (statistics of pairs of bytes, by language).

Measured on 326 texts of 1, 2, 4 and 8 subtitles in 23 languages and their encodings (`tests/media/languages.py`), plain
and as SubRip: right for 314, for 316 with the language in the file's name. chardetng 0.3: 300, cchardet 3.2: 260,
charset-normalizer 3.5: 238.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise

from pesearch.media.damaged_text import REPLACEMENT, WIDE_ENCODINGS, beyond_ascii, decode_damaged

_ENCODINGS = {
    "cp1252": "da de en es fi fr is it nb nl no pt sv",
    "mac-roman": "de en es fr it",
    "cp850": "da de en es fi fr it nb nl no pt sv",
    "cp1250": "bs cs hr hu pl ro sk sl sq sr",
    "iso8859-2": "bs cs hr hu pl ro sk sl sr",
    "cp852": "bs cs hr hu pl ro sk sl",
    "cp1251": "be bg kk mk mn ru sr uk",
    "koi8-r": "ru",
    "koi8-u": "uk",
    "iso8859-5": "be bg mk ru sr",
    "cp866": "be ru",
    "cp1253": "el",
    "iso8859-7": "el",
    "cp1254": "az tr",
    "cp1255": "he",
    "iso8859-8": "he",
    "cp1256": "ar fa ur",
    "iso8859-6": "ar",
    "cp1257": "et lt lv",
    "cp1258": "vi",
    "cp874": "th",
    "cp932": "ja",
    "euc_jis_2004": "ja",
    "cp949": "ko",
    "gb18030": "zh",
    "big5hkscs": "zh",
}
"""Encodings of subtitle files and of tags, and the languages that are written in them. Subsets are left out: Latin-1 is
read as Windows-1252, EUC-KR as CP949, GB 2312 as GB 18030."""

_WEIGHTS = {"mac-roman": 0.5, "cp850": 0.3, "cp852": 0.3}
"""Factors of chardet's confidence: a file with two accents fits several encodings, and those of DOS and of the old
Macintosh are the least likely."""

_WESTERN_BONUS = 0.01
"""Added to the confidence of Windows-1252, divided by the number of bytes beyond ASCII: one accent says little.

Of 29 titles of one to three words 26 are right with it, 23 without, 27 with twice as much, which costs Lithuanian."""

_MIN_CONFIDENCE = 0.005
"""Below it, bytes are no text: one word with one accent has 0.01."""

_LANGUAGE_FACTOR = 1.25
"""Factor for encodings of the language in the file's name. With each of 22 languages in it, right or wrong, 923 of 924
texts of eight subtitles are read rightly; with a factor of 2, 883."""

_LATIN = frozenset({"cp1252", "mac-roman", "cp850", "cp1250", "iso8859-2", "cp852", "cp1254", "cp1257", "cp1258"})
_PART_BYTES = 4096
_MAX_PARTS = 16
"""Long texts are recognised in parts, which vote: a damaged byte rules out the right encoding in its part only."""

_MAX_LINE_BYTES = 16_384
"""Longer lines are cut for recognition."""

_MAX_DAMAGED_IN_PART = 0.03
_DAMAGED_FACTOR = 0.95
"""Factor for encodings that fit a part except a few of its bytes, at most this share of its characters; and for each
control character and each symbol inside a word, up to _MAX_COUNTED."""

_MAX_COUNTED = 4

_MIN_CAPITALS = 0.7
"""Share of the letters beyond ASCII that must be capitals."""

_MIN_WORDS = 4
"""So many words may have a damaged one among them."""

_NONE = "hz"
"""What chardet answers if no encoding fits: must be an encoding that it looks for."""

_LATIN_LETTER = re.compile(rb"[A-Za-z]")
_MARKUP = re.compile(
    rb"<[^<>\n]{0,500}>|\{[^{}\n]{0,200}\}|\\[Nnh]|^Dialogue:(?:[^,\n]{0,200},){9}|\"[A-Za-z_]{1,20}\"\s?:",
    re.MULTILINE,
)
"""Tags, overrides, the fields of SubStation Alpha before the text, keys of JSON: they say nothing of the language."""

_BEYOND_ASCII = re.compile(r"[^\W\d_a-zA-Z]+")
_CONTROL = re.compile(r"[\x7f-\x9f]")
_SYMBOL_INSIDE = re.compile(r"(?<=[^\W\d_])[¡-©«-´¶-¹»-¿×÷€™](?=[^\W\d_])")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Guess:
    """An encoding (a name of Python's codecs) and chardet's weighted confidence in it: above 0.1 is sure."""

    encoding: str
    confidence: float


def guess_encoding(content: bytes, language: str = "") -> Guess | None:
    """The encoding of text that is not Unicode; None if it is in no known one."""
    votes: dict[str, float] = {}
    for part in _parts(content):
        for guess in _guesses(part, language):
            votes[guess.encoding] = votes.get(guess.encoding, 0.0) + guess.confidence
    best = max(votes, key=votes.__getitem__, default=None)
    if best is None or votes[best] < _MIN_CONFIDENCE:
        return Guess("cp1252", 0.0) if _is_mostly_latin(content) else None
    return Guess(best, votes[best])


def _parts(content: bytes) -> Iterable[bytes]:
    """Parts of about _PART_BYTES that end at the end of a line, spread over the whole; without markup."""
    plain = _MARKUP.sub(b"", content.replace(b"\0", b""))
    lines = [line for line in plain.splitlines(keepends=True) if not line.isascii()]
    parts, part = [], b""
    for line in lines:
        part += line[:_MAX_LINE_BYTES]
        if len(part) >= _PART_BYTES:
            parts.append(part)
            part = b""
    parts += [part] if part else []
    return parts[:: len(parts) // _MAX_PARTS + 1]


def _guesses(part: bytes, language: str) -> list[Guess]:
    """The plausible encodings of a part; those that damaged bytes rule out are judged without these bytes."""
    confidences = _confidences(part, _ENCODINGS)
    for encoding in _ENCODINGS:
        if encoding not in confidences and (whole := _without_damage(part, encoding)) is not None:
            confidences[encoding] = _DAMAGED_FACTOR * _confidence(whole, encoding)
    for encoding in list(confidences):
        confidences[encoding] *= _DAMAGED_FACTOR ** min(_MAX_COUNTED, _misplaced(part.decode(encoding, "ignore")))
        if (small := _in_small_letters(part, encoding)) is not None:
            confidences[encoding] = _confidence(small, encoding)
    accents = max(1, len(part) - len(part.decode("ascii", "ignore")))
    return [
        Guess(encoding, confidence * _WEIGHTS.get(encoding, 1.0) * _language_factor(encoding, language) + bonus)
        for encoding, confidence in confidences.items()
        for bonus in [_WESTERN_BONUS / accents if encoding == "cp1252" else 0.0]
        if _is_plausible(part, encoding)
    ]


def _confidences(part: bytes, encodings: Collection[str]) -> dict[str, float]:
    """chardet's confidence of each encoding that fits, the best first."""
    from chardet import detect_all

    found = detect_all(
        part,
        ignore_threshold=True,
        include_encodings=(*encodings, _NONE),
        compat_names=False,
        no_match_encoding=_NONE,
        empty_input_encoding=_NONE,
    )
    confidences = {str(each["encoding"]): each["confidence"] for each in found}
    return {encoding: confidence for encoding, confidence in confidences.items() if encoding in encodings}


def _confidence(part: bytes, encoding: str) -> float:
    return _confidences(part, (encoding,)).get(encoding, 0.0)


def _in_small_letters(part: bytes, encoding: str) -> bytes | None:
    """The part in small letters, if it is in capitals: chardet knows little of those."""
    text = part.decode(encoding, "replace")
    letters = "".join(_BEYOND_ASCII.findall(text))
    small = sum(map(str.islower, letters))
    if not letters or small > (1 - _MIN_CAPITALS) * len(letters) or letters == letters.lower():
        return None
    return text.lower().encode(encoding, "ignore")


def _without_damage(part: bytes, encoding: str) -> bytes | None:
    """The part without the bytes that this encoding lacks; None if it lacks none of them, or many."""
    if part.decode(encoding, "replace").count(REPLACEMENT) > 10 + len(part) // 50:
        return None
    text = decode_damaged(part, encoding)
    damaged = text.count(REPLACEMENT)
    letters = beyond_ascii(text)
    if not 0 < damaged <= min(2, letters // 8) + _MAX_DAMAGED_IN_PART * letters:
        return None
    return text.replace(REPLACEMENT, "").encode(encoding, "ignore")


def _language_factor(encoding: str, language: str) -> float:
    return _LANGUAGE_FACTOR if language.lower() in _ENCODINGS[encoding].split(" ") else 1.0


def _is_plausible(part: bytes, encoding: str) -> bool:
    """Whether its words are of one script and case each, and most of them not Latin if the encoding is not."""
    text = part.decode(encoding, "replace")
    if len(_CONTROL.findall(text)) > 1 + _MAX_DAMAGED_IN_PART * beyond_ascii(text):
        return False
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    if encoding in WIDE_ENCODINGS:
        return sum(map(is_mixed, words)) <= len(words) // 3
    damaged = int(len(words) >= _MIN_WORDS)
    if sum(map(_has_capital_inside, words)) > damaged + len(words) // 5:
        return False
    is_latin = len(_LATIN_LETTER.findall(part)) > sum(map(len, words))
    return encoding in _LATIN or (sum(map(is_mixed, words)) <= damaged + len(words) // 20 and not is_latin)


def _misplaced(text: str) -> int:
    """How many control characters it has, and symbols between letters: signs of a wrong encoding."""
    return len(_CONTROL.findall(text)) + len(_SYMBOL_INSIDE.findall(text))


def _has_capital_inside(word: str) -> bool:
    """Whether a capital follows a small letter."""
    return any(before.islower() and after.isupper() for before, after in pairwise(word))


def is_mixed(word: str) -> bool:
    """Whether a word has ASCII letters beside others, which is wrong for words that are not Latin."""
    return any(char.isascii() for char in word)


def _is_mostly_latin(content: bytes) -> bool:
    return len(_LATIN_LETTER.findall(content)) > len(content) / 3
