"""Splits a query into lexemes: words, quotes, files, prefixes, operators, parentheses.

A lexeme starts after a space, a parenthesis, a quote or a prefix. Symbols inside a word (`rock-n-roll`, `12"`,
`dog(s)`, `2:30`) belong to the word. A backslash removes the special meaning of the next character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from pesearch.media.suffixes import has_media_name
from pesearch.types import Sense

MIN_PREFIX_SIMILARITY = 0.75
"""Minimum difflib ratio at which an unknown prefix is reported as a typo: one wrong letter of four, or two swapped."""


class ParseError(Exception):
    """A syntax error: its column, and what was expected there."""

    def __init__(self, column: int, expected: str) -> None:
        super().__init__(column, expected)
        self.column, self.expected = column, expected


class LexemeKind(StrEnum):
    """Kinds of lexemes; the names are those of the terminals of the grammar."""

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
class Lexeme:
    """`text[column:end]` of the query. A WITHIN includes its time; a hyphen that excludes is a NOT."""

    kind: LexemeKind
    column: int
    end: int


QUOTED = r'"(?:\\.|[^"\\])*+"|[“”„‟](?:\\.|[^“”‟\\])*+[“”‟]|«(?:\\.|[^»\\])*+»'
_OPENING = '"“”„‟«'
_WORD = r"(?:\\.|\((?:[^\s()\\])*+\)|[^\s()\\]|\\$)++"
_END = rf"(?![^\s(){_OPENING}])"
_LEXEME = re.compile(
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
_TYPO = re.compile(r"([^\W\d_]{3,6}):[^\s:]")


def tokenize(text: str) -> list[Lexeme]:
    """The lexemes of a query; adjacent words are one lexeme. Raises ParseError.

    The first word after an excluding hyphen is a lexeme of its own.
    """
    lexemes: list[Lexeme] = []
    is_excluding = joins_words = False
    for lexeme in _single_lexemes(text):
        if lexeme.kind is LexemeKind.WORDS and joins_words:
            lexemes[-1] = replace(lexemes[-1], end=lexeme.end)
            continue
        lexemes.append(lexeme)
        joins_words = lexeme.kind is LexemeKind.WORDS and not is_excluding
        is_hyphen = lexeme.kind is LexemeKind.NOT and lexeme.end == lexeme.column + 1
        is_excluding = is_hyphen or (is_excluding and lexeme.kind in (LexemeKind.SENSE, LexemeKind.WEIGHT))
    return lexemes


def is_plain(text: str) -> bool:
    """Whether a text has no syntax: words only."""
    try:
        return [lexeme.kind for lexeme in tokenize(text)] == [LexemeKind.WORDS]
    except ParseError:
        return False


def has_media_extension(text: str) -> bool:
    """Whether a word ends in the extension of a media file, such as `.wav`, without a backslash before the dot."""
    name, dot, _ = text.rpartition(".")
    return bool(dot) and not name.endswith("\\") and has_media_name(Path(text))


def _single_lexemes(text: str) -> Iterator[Lexeme]:
    at = 0
    while match := _LEXEME.match(text, at):
        column, at = match.span()
        match match.lastgroup:
            case "SPACE":
                continue
            case "WITHIN":
                at = _end_of_time(text, at)
                yield Lexeme(LexemeKind.WITHIN, column, at)
            case "OPERATOR":
                yield Lexeme(LexemeKind(match[0]), column, at)
            case "MINUS":
                yield Lexeme(LexemeKind.NOT, column, at)
            case "PREFIX":
                raise ParseError(*_prefix_error(match[0][:-1], column, at))
            case "UNCLOSED":
                raise ParseError(column, "a closing quotation mark for this one")
            case "WORD":
                yield Lexeme(_word_kind(match[0], column), column, at)
            case kind:
                yield Lexeme(LexemeKind(str(kind)), column, at)


def _end_of_time(text: str, at: int) -> int:
    match = _TIME.match(text, at)
    return match.end() if match else at


def _word_kind(word: str, column: int) -> LexemeKind:
    """WORDS or FILE, by the name. Raises ParseError for a prefix that is almost a known one."""
    if word.startswith(("./", "../", "/", "~/")) and word.strip("./~"):
        return LexemeKind.FILE
    name, at, _ = word.rpartition("@")
    if has_media_extension(word) or (at and has_media_extension(name)):
        return LexemeKind.FILE
    if (typo := _TYPO.match(word)) and (similar := get_close_matches(typo[1].lower(), Sense, 1, MIN_PREFIX_SIMILARITY)):
        raise ParseError(column, f"{similar[0]}: (write {typo[1]}\\: for the word itself)")
    return LexemeKind.WORDS


def _prefix_error(name: str, column: int, at: int) -> tuple[int, str]:
    if name.lower() == "file":
        return at, 'a file name, in quotation marks if it has spaces or parentheses: file:"my clip.wav"'
    return column, "seen:, heard:, said:, text: or file: before a quotation mark"
