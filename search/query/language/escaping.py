"""Escapes and formats words, file names and numbers for a query, and parses them back."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from pesearch.errors import QueryError
from pesearch.search.query.file_filter import duration_seconds
from pesearch.search.query.language.lexer import is_plain

MAX_SECONDS = 1e6
"""The longest time in a query: eleven days."""

_MAX_TIME_CHARACTERS = 32
_ESCAPE = re.compile(r"\\(\W)", re.DOTALL)
_ESCAPED_NAME = re.compile(r"(?<![^\s(])\\(?=(?:AND|OR|NOT|THEN|WITHIN)(?![^\s()])|(?i:seen|heard|said|text|file):)")
_WITH_UNIT = re.compile(r"([0-9.]+)\s*([smh])[a-z]*", re.IGNORECASE)
_UNDECODABLE = re.compile("[\ud800-\udfff]")
_SIMPLE_PATH = re.compile(r"[\w./+,=%~:-]*\w[\w./+,=%~:-]*")


def find_invalid_utf8(text: str) -> int | None:
    """The index of the first invalid UTF-8 byte, which Python decodes to a lone surrogate; None if there is none."""
    match = _UNDECODABLE.search(text)
    return None if match is None else match.start()


def unescape_words(text: str) -> str:
    """Removes escapes and collapses white space."""
    return " ".join(unescape(_ESCAPED_NAME.sub("", text)).split())


def escape_words(words: str) -> str:
    """Escapes words so that they parse as plain words, with as few backslashes as possible."""
    return " ".join(_write_word(word) for word in words.split(" "))


def unescape(text: str) -> str:
    """Removes backslashes before anything but a letter, a digit or `_`; others are literal."""
    return _ESCAPE.sub(r"\1", text)


def quote(text: str) -> str:
    """Encloses a text in quotation marks and escapes those within it."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def parse_path(text: str) -> Path:
    """Parses a file name; `~/` is the home folder. Raises QueryError if there is no home folder."""
    path = Path(unescape(text))
    try:
        return path.expanduser() if text.startswith("~/") else path
    except RuntimeError as error:
        raise QueryError("an absolute path, because the home folder is unknown") from error


def format_path(path: Path) -> str:
    """Formats a file name so that it parses as an example: `file:"..."` if it has spaces, quotes or parentheses."""
    name = str(path) if path.is_absolute() or str(path).startswith("../") else f"./{path}"
    return name if _SIMPLE_PATH.fullmatch(name) and name.strip("./~") else f"file:{quote(name)}"


def parse_seconds(text: str) -> float:
    """Parses a time as `duration_seconds` does, or with its unit spelled out: `5 seconds`. Raises QueryError."""
    malformed = QueryError("a time such as 5s, 2m, 1h30m or 1:30")
    if len(text) > _MAX_TIME_CHARACTERS:
        raise malformed
    spelled = _WITH_UNIT.fullmatch(text)
    try:
        seconds = duration_seconds(spelled[1] + spelled[2] if spelled else text)
    except QueryError as error:
        raise malformed from error
    if seconds > MAX_SECONDS:
        raise QueryError(f"a time of at most {MAX_SECONDS:.0f} s")
    return seconds


def format_number(value: float) -> str:
    """The shortest decimal that parses back to the same number, without an exponent."""
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def _write_word(word: str) -> str:
    if word.isalnum() and not word.isupper():  # most words need no escaping
        return word
    all_symbols = re.sub(r"(\W)", r"\\\1", word)
    return next(
        (escaped for escaped in (word, re.sub(r"([\\()])", r"\\\1", word), all_symbols) if _parses_as(escaped, word)),
        f"\\{word}",  # an operator
    )


def _parses_as(escaped: str, word: str) -> bool:
    """A word follows in the check, since a backslash at the end would escape the space before it."""
    return is_plain(f"{escaped} x") and unescape_words(f"{escaped} x") == f"{word} x"
