"""How words, file names and numbers are written in a query, and how they are read."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from pesearch.errors import QueryError
from pesearch.search.query.file_filter import duration_seconds
from pesearch.search.query.language.lexer import is_plain

LONGEST_SECONDS = 1e6
"""Times in a query end here: eleven days."""

_LONGEST_TIME_TEXT = 32
_ESCAPE = re.compile(r"\\(\W)", re.DOTALL)
_ESCAPED_NAME = re.compile(r"(?<![^\s(])\\(?=(?:AND|OR|NOT|THEN|WITHIN)(?![^\s()])|(?i:seen|heard|said|text|file):)")
_WITH_UNIT = re.compile(r"([0-9.]+)\s*([smh])[a-z]*", re.IGNORECASE)
_UNDECODABLE = re.compile("[\ud800-\udfff]")
_SIMPLE_PATH = re.compile(r"[\w./+,=%~:-]*\w[\w./+,=%~:-]*")


def first_undecodable(text: str) -> int | None:
    """The place of the first byte that is no UTF-8: Python keeps it as half a surrogate pair. None: there is none."""
    found = _UNDECODABLE.search(text)
    return None if found is None else found.start()


def read_words(written: str) -> str:
    """Plain words: single spaces, backslashes taken away."""
    return " ".join(read_escapes(_ESCAPED_NAME.sub("", written)).split())


def write_words(words: str) -> str:
    """Words so that no operator, prefix, file or parenthesis is read in them, with no backslash that is not needed."""
    return " ".join(_write_word(word) for word in words.split(" "))


def read_escapes(written: str) -> str:
    """A backslash before anything but a letter, a digit or `_` stands for that character; else for itself."""
    return _ESCAPE.sub(r"\1", written)


def write_quoted(text: str) -> str:
    """Text between quotation marks."""
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def read_path(written: str) -> Path:
    """A file name; `~/` is the home folder. Raises QueryError where there is none."""
    path = Path(read_escapes(written))
    try:
        return path.expanduser() if written.startswith("~/") else path
    except RuntimeError as error:
        raise QueryError("the whole path of the file, for there is no home folder to start from") from error


def write_path(path: Path) -> str:
    """A file name that is read as one; `file:"..."` where it holds spaces, quotes, parentheses and the like."""
    name = str(path) if path.is_absolute() or str(path).startswith("../") else f"./{path}"
    return name if _SIMPLE_PATH.fullmatch(name) and name.strip("./~") else f"file:{write_quoted(name)}"


def read_seconds(written: str) -> float:
    """A time as `duration_seconds` reads it, or with its unit as a word: `5 seconds`. Raises QueryError."""
    unknown = QueryError("a time such as 5s, 2m, 1h30m or 1:30")
    if len(written) > _LONGEST_TIME_TEXT:
        raise unknown
    spelt = _WITH_UNIT.fullmatch(written)
    try:
        seconds = duration_seconds(spelt[1] + spelt[2] if spelt else written)
    except QueryError as error:
        raise unknown from error
    if seconds > LONGEST_SECONDS:
        raise QueryError(f"a time of at most {LONGEST_SECONDS:.0f} s")
    return seconds


def write_number(value: float) -> str:
    """The shortest digits that read back as the number, without an exponent."""
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def _write_word(word: str) -> str:
    if word.isalnum() and not word.isupper():  # most words: there is nothing in them that could be read otherwise
        return word
    each_sign = re.sub(r"(\W)", r"\\\1", word)
    return next(
        (written for written in (word, re.sub(r"([\\()])", r"\\\1", word), each_sign) if _reads_as(written, word)),
        f"\\{word}",  # an operator has no signs
    )


def _reads_as(written: str, word: str) -> bool:
    """Also with another word behind it, for which a backslash at the end would have a meaning."""
    return is_plain(f"{written} x") and read_words(f"{written} x") == f"{word} x"
