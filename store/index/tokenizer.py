"""Tokenizer of the full-text search: case-folded words without accents, in any script.

Scripts without spaces between words (Chinese, Japanese, Thai, ...) are split into characters, so that a word is
searched as a phrase. Unquoted, such a run is searched by its pairs of neighbouring characters, which need no dictionary
(bigrams: Nie & Ren, "Chinese information retrieval: using characters or words?", 1999).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)

_OPTIONAL_MARKS = (
    (0x0300, 0x036F),  # accents of Latin, Greek and Cyrillic
    (0x0483, 0x0487),
    (0x0591, 0x05C7),  # Hebrew points
    (0x0610, 0x061A),  # Arabic vowels and other signs
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06ED),
    (0x0711, 0x0711),  # Syriac
    (0x0730, 0x074A),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE00, 0xFE0F),  # variants of the same character
    (0xFE20, 0xFE2F),
    (0xE0100, 0xE01EF),
)
"""Marks that texts may have or lack. Those of other scripts, such as the vowels of Hindi, are part of the word."""

_LETTERS = {
    "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th", "ŋ": "n",
    "\u0640": "", "\u200c": " ",
}  # fmt: skip
"""Letters that have no accent for Unicode, but for those who type without them; the Arabic stretch; and the zero-width
non-joiner, which Persian has between the parts of a word, where others write a space."""


_NEGATION = re.compile(r"(?<=n)['\u2018\u2019\u02bc]t(?![^\W_])")
"""The end of "don't", which many type without an apostrophe. Other apostrophes separate words: "dog" finds "dog's", and
"amour" finds "l'amour"."""


class _CharacterTable(dict[int, str]):
    """Replacement of each character of a text in NFKD, for `str.translate`; filled on first use."""

    def __missing__(self, point: int) -> str:
        self[point] = replacement = _replacement(chr(point), unicodedata.category(chr(point)))
        return replacement


def _replacement(character: str, category: str) -> str:
    if character in _LETTERS:
        return _LETTERS[character]
    if category == "Cf" or (category[0] == "M" and _is_in(_OPTIONAL_MARKS, character)):
        return ""  # Cf: soft hyphens, zero-width spaces, marks of direction
    return character if category[0] in "LMN" else " "


def _is_in(ranges: tuple[tuple[int, int], ...], character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)


_characters = _CharacterTable()
_unspaced = "[{}]".format("".join(f"{chr(first)}-{chr(last)}" for first, last in _UNSPACED))
_UNSPACED_CHARACTER = re.compile(f"({_unspaced})")
_RUN = re.compile(f"({_unspaced}+)|((?:(?!{_unspaced}).)+)")


def tokenize(text: str) -> list[str]:
    """The words of a text, in order."""
    folded = _fold(text)
    return (folded if folded.isascii() else _UNSPACED_CHARACTER.sub(r" \1 ", folded)).split()


def loose_phrases(text: str) -> list[tuple[str, ...]]:
    """What another text must contain, in any order, to hold all words of this one: words with spaces around them, and
    pairs of neighbouring characters of scripts without."""
    phrases: list[tuple[str, ...]] = []
    for word in _fold(text).split():
        for unspaced, spaced in _RUN.findall(word):
            phrases += list(pairwise(unspaced)) or [(unspaced or spaced,)]
    return phrases


def _fold(text: str) -> str:
    """The text in one form of case, accents and width, with spaces in place of punctuation."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _NEGATION.sub("t", decomposed).translate(_characters))


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase of a query. `is_prefix`: the last word may be incomplete; `is_literal`: it was quoted."""

    words: tuple[str, ...]
    is_prefix: bool
    is_literal: bool


_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')


def parse_terms(query: str) -> list[Term]:
    """The terms of a query: `train`, `trai*`, `"mind the gap"`, `"mind the g*"`. Parts without a word are dropped."""
    terms = []
    for quoted, plain in _TERM.findall(query):
        part = (quoted or plain).strip()
        if words := tokenize(part):
            terms.append(Term(tuple(words), part.endswith("*"), bool(quoted)))
    return terms
