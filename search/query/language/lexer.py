"""A query cut into its pieces: words, quotes, files, prefixes, operators, parentheses.

A piece begins at a space, a parenthesis, a quote or behind a prefix: what stands inside a word (`rock-n-roll`, `12"`,
`dog(s)`, `2:30`) is part of the word. A backslash takes away what the next character would mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from pesearch.media.sniff import has_media_name
from pesearch.types import Sense

CLOSE_ENOUGH = 0.75
"""Likeness (difflib's ratio) from which a prefix is a slip of the pen: one letter of four wrong, or two swapped."""


class Misplaced(Exception):
    """Something that cannot stand where it stands: its column, and what was expected there."""

    def __init__(self, column: int, expected: str) -> None:
        super().__init__(column, expected)
        self.column, self.expected = column, expected


class Kind(StrEnum):
    """What a piece is; the grammar calls them so."""

    WORDS = "WORDS"
    QUOTE = "QUOTE"
    FILE = "FILE"
    SENSE = "SENSE"
    WEIGHT = "WEIGHT"
    NOT = "NOT"
    AND = "AND"
    OR = "OR"
    THEN = "THEN"
    WITHIN = "WITHIN"
    OPEN = "OPEN"
    CLOSE = "CLOSE"


@dataclass(frozen=True, slots=True)
class Piece:
    """`text[column:end]` of the query. WITHIN has its time with it, a hyphen that excludes is a NOT."""

    kind: Kind
    column: int
    end: int


QUOTED = r'"(?:\\.|[^"\\])*+"|[“”„‟](?:\\.|[^“”‟\\])*+[“”‟]|«(?:\\.|[^»\\])*+»'
_OPENING = '"“”„‟«'
_WORD = r"(?:\\.|\((?:[^\s()\\])*+\)|[^\s()\\]|\\$)++"
_END = rf"(?![^\s(){_OPENING}])"
_PIECE = re.compile(
    rf"""
      (?P<SPACE>\s+)
    | (?P<WITHIN>WITHIN{_END})
    | (?P<OPERATOR>(?:AND|OR|NOT|THEN){_END})
    | (?P<OPEN>\()
    | (?P<CLOSE>\))
    | (?P<MINUS>-(?=[0-9.]+:[^\s\d:)-]|[^\s\d)>=-]))
    | (?P<SENSE>(?i:{"|".join(Sense)}):)
    | (?P<WEIGHT>[0-9]{{1,20}}(?:\.[0-9]{{1,20}})?:(?=[^\s0-9:)-]))
    | (?P<FILE>(?i:file):(?:(?:{QUOTED})(?:@{_WORD})?|(?![{_OPENING}(]){_WORD}))
    | (?P<PREFIX>[^\W\d_]+:(?=[{_OPENING}])|(?i:file):(?=\())
    | (?P<QUOTE>{QUOTED})
    | (?P<UNCLOSED>[{_OPENING}])
    | (?P<WORD>{_WORD})
    """,
    re.VERBOSE | re.DOTALL,
)
_TIME = re.compile(rf"\s+(?:[0-9.]+\s+(?:s|secs?|seconds?|m|mins?|minutes?|h|hours?){_END}|[^\s()]+)", re.IGNORECASE)
_SLIP = re.compile(r"([^\W\d_]{3,6}):[^\s:]")


def pieces(text: str) -> list[Piece]:
    """The pieces of a query, words that stand side by side as one. Raises Misplaced.

    Of the words behind a hyphen that excludes, the first is a piece of its own.
    """
    found: list[Piece] = []
    excluding = going_on = False
    for piece in _single_pieces(text):
        if piece.kind is Kind.WORDS and going_on:
            found[-1] = replace(found[-1], end=piece.end)
            continue
        found.append(piece)
        going_on = piece.kind is Kind.WORDS and not excluding
        is_hyphen = piece.kind is Kind.NOT and piece.end == piece.column + 1
        excluding = is_hyphen or (excluding and piece.kind in (Kind.SENSE, Kind.WEIGHT))
    return found


def is_plain(text: str) -> bool:
    """Whether a text is nothing but words that stand side by side."""
    try:
        return [piece.kind for piece in pieces(text)] == [Kind.WORDS]
    except Misplaced:
        return False


def has_media_end(text: str) -> bool:
    """Whether a word ends as a media file is named, `.wav`; with a backslash before the dot it is a word."""
    name, dot, _ = text.rpartition(".")
    return bool(dot) and not name.endswith("\\") and has_media_name(Path(text))


def _single_pieces(text: str) -> Iterator[Piece]:
    at = 0
    while match := _PIECE.match(text, at):
        column, at = match.span()
        match match.lastgroup:
            case "SPACE":
                continue
            case "WITHIN":
                at = _end_of_time(text, at)
                yield Piece(Kind.WITHIN, column, at)
            case "OPERATOR":
                yield Piece(Kind(match[0]), column, at)
            case "MINUS":
                yield Piece(Kind.NOT, column, at)
            case "PREFIX":
                raise Misplaced(*_prefix_mistake(match[0][:-1], column, at))
            case "UNCLOSED":
                raise Misplaced(column, "a second quotation mark that ends what begins here")
            case "WORD":
                yield Piece(_word_kind(match[0], column), column, at)
            case kind:
                yield Piece(Kind(str(kind)), column, at)


def _end_of_time(text: str, at: int) -> int:
    match = _TIME.match(text, at)
    return match.end() if match else at


def _word_kind(word: str, column: int) -> Kind:
    """A word of plain text, or a file by its name. A prefix that is nearly a known one is a mistake."""
    if word.startswith(("./", "../", "/", "~/")) and word.strip("./~"):
        return Kind.FILE
    name, at, _ = word.rpartition("@")
    if has_media_end(word) or (at and has_media_end(name)):
        return Kind.FILE
    if (slip := _SLIP.match(word)) and (near := get_close_matches(slip[1].lower(), Sense, 1, CLOSE_ENOUGH)):
        raise Misplaced(column, f"{near[0]}: (write {slip[1]}\\: for the word itself)")
    return Kind.WORDS


def _prefix_mistake(name: str, column: int, at: int) -> tuple[int, str]:
    if name.lower() == "file":
        return at, 'a file name, in quotation marks if it holds spaces or parentheses: file:"my clip.wav"'
    return column, "seen:, heard:, said:, text: or file: before a quotation mark"
