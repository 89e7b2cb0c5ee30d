"""The tokenizer of CLIP (byte pair encoding), which gives the same numbers as open_clip's.

open_clip's own imports torch. Its list of merges is read from its package, which need not be imported for that.
"""

from __future__ import annotations

import html
import zlib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import regex

from pesearch.encoders.numpy_models.unsupported import UnsupportedModel

MERGE_COUNT = 48_894
"""CLIP uses this many merges of the list."""

MERGE_BYTES = 600_000
"""These merges end before this byte of the list, which is five times as long."""

START_TEXT, END_TEXT = "<start_of_text>", "<end_of_text>"
SPECIAL = {START_TEXT: 512 + MERGE_COUNT, END_TEXT: 513 + MERGE_COUNT}
"""The last numbers of the vocabulary, after 256 bytes, 256 bytes that end a word, and the merges."""

_WORD = regex.compile(
    rf"{START_TEXT}|{END_TEXT}|'s|'t|'re|'ve|'m|'ll|'d|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+", regex.IGNORECASE
)
_END_OF_WORD = "</w>"


class ClipTokenizer:
    """Tokenizes texts to at most `context_length` tokens. Thread-safe."""

    def __init__(self, context_length: int) -> None:
        """Raises UnsupportedModel if open_clip's list of merges is not installed."""
        self._context_length = context_length
        self._ranks = _merge_ranks()
        symbols = _byte_symbols()
        self._numbers = {symbol: number for number, symbol in enumerate(symbols.values())}
        self._numbers |= {symbol + _END_OF_WORD: 256 + number for symbol, number in self._numbers.items()}

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        """The token numbers of each text, from START_TEXT to END_TEXT."""
        return [self._tokenize(text) for text in texts]

    def _tokenize(self, text: str) -> list[int]:
        tokens = [SPECIAL[START_TEXT]]
        for word in _WORD.findall(_clean(text)):
            tokens += [SPECIAL[word]] if word in SPECIAL else self._split(word)
        return [*tokens[: self._context_length - 1], SPECIAL[END_TEXT]]

    def _split(self, word: str) -> list[int]:
        """Merges the two neighbours that come first in the list, wherever they are, until none are in it."""
        symbols = [_byte_symbols()[byte] for byte in word.encode()]
        symbols[-1] += _END_OF_WORD
        while pairs := [pair for pair in pairwise(symbols) if " ".join(pair) in self._ranks]:
            first, second = min(pairs, key=lambda pair: self._ranks[" ".join(pair)])
            self._numbers[first + second] = 512 + self._ranks[f"{first} {second}"]
            symbols = _merge(symbols, first, second)
        return [self._numbers[symbol] for symbol in symbols]


def _merge(symbols: Sequence[str], first: str, second: str) -> list[str]:
    merged: list[str] = []
    for symbol in symbols:
        if symbol == second and merged and merged[-1] == first:
            merged[-1] = first + second
        else:
            merged.append(symbol)
    return merged


def _clean(text: str) -> str:
    """Text with repaired encoding and without HTML entities, in lower case, each white space a single blank."""
    if not (text.isascii() and text.isprintable()) or "&" in text:  # anything else ftfy leaves as it is
        import ftfy

        text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return " ".join(text.split()).lower()


@cache
def _byte_symbols() -> dict[int, str]:
    """A printable character for each byte, in the order of the vocabulary: its own, or one from 256 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = sorted(set(range(256)) - set(printable))
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + number) for number, byte in enumerate(others)}


@cache
def _merge_ranks() -> dict[str, int]:
    """The place of each merge, as two symbols with a blank between them, in the list."""
    package = find_spec("open_clip")
    if package is None or package.origin is None:
        raise UnsupportedModel("open_clip is not installed")
    file = Path(package.origin).parent / "bpe_simple_vocab_16e6.txt.gz"
    try:
        text = zlib.decompressobj(wbits=31).decompress(file.read_bytes(), MERGE_BYTES).decode(errors="ignore")
    except (OSError, zlib.error) as error:
        raise UnsupportedModel(f"{file} cannot be read ({error})") from error
    lines = text.split("\n", 1 + MERGE_COUNT)
    return {line: rank for rank, line in enumerate(lines[1 : 1 + MERGE_COUNT])}
