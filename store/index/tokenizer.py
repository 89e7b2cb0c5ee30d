"""A text as the words that are compared: small letters, without accents, in any script.

Scripts that put no space between words (Chinese, Japanese, Thai, ...) are taken character by character: a word of
theirs is then a phrase.
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


class _Letters(dict[int, str]):
    """What becomes of each character of a text in NFKD, found out when it is first met."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        if any(first <= point <= last for first, last in _UNSPACED) and unicodedata.category(character)[0] in "LMN":
            kept = f" {character} "
        elif 0x0300 <= point <= 0x036F:  # accents of Latin, Greek and Cyrillic
            kept = ""
        else:
            kept = character if unicodedata.category(character)[0] in "LMN" else " "
        self[point] = kept
        return kept


_letters = _Letters()


def words(text: str) -> list[str]:
    """The words of a text, in order."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", decomposed.translate(_letters)).split()


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand one after the other. `is_prefix`: the last may go on; `is_literal`: it was put in quotes."""

    words: tuple[str, ...]
    is_prefix: bool
    is_literal: bool


_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')


def terms(query: str) -> list[Term]:
    """What a query asks for: `train`, `trai*`, `"mind the gap"`, `"mind the g*"`. What holds no word is left out."""
    found = []
    for quoted, plain in _TERM.findall(query):
        part = (quoted or plain).strip()
        if split := words(part):
            found.append(Term(tuple(split), part.endswith("*"), bool(quoted)))
    return found
