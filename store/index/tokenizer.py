"""Tokenizer of the full-text search: case-folded words without accents, in any script.

Scripts without spaces between words (Chinese, Japanese, Thai, ...) are split into characters, so that a word is
searched as a phrase.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

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


class _CharacterTable(dict[int, str]):
    """Replacement of each character of a text in NFKD, for `str.translate`; filled on first use."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        if any(first <= point <= last for first, last in _UNSPACED) and unicodedata.category(character)[0] in "LMN":
            replacement = f" {character} "
        elif 0x0300 <= point <= 0x036F:  # accents of Latin, Greek and Cyrillic
            replacement = ""
        else:
            replacement = character if unicodedata.category(character)[0] in "LMN" else " "
        self[point] = replacement
        return replacement


_characters = _CharacterTable()


def tokenize(text: str) -> list[str]:
    """The words of a text, in order."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", decomposed.translate(_characters)).split()


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
