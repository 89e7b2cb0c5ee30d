"""Parses one term of a query (words, a quote, an example) and applies the prefixes before it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from lark import Token

from pesearch.errors import QueryError
from pesearch.search.query.language.escaping import parse_path, parse_seconds, unescape, unescape_words
from pesearch.search.query.language.lexer import QUOTED, LexemeKind, ParseError, has_media_extension
from pesearch.search.query.language.nodes import MAX_WEIGHT, MIN_WEIGHT, Example, Literal, Sense, Term, Words

_FILE = re.compile(rf"file:(?:({QUOTED})(?:@(.*))?|(.+))", re.DOTALL | re.IGNORECASE)
_TIME_RANGE = re.compile(r"([0-9][0-9.:hms]*)?[-–]([0-9][0-9.:hms]*)?", re.IGNORECASE)


def column_of(token: Token) -> int:
    """The index in the query at which a token starts."""
    return token.start_pos or 0


def read_term(token: Token) -> Term:
    """Parses a term without its prefixes. Raises ParseError."""
    if token.type == LexemeKind.WORDS:
        return _words(token)
    return _literal(token) if token.type == LexemeKind.QUOTE else _example(token)


def _words(token: Token) -> Term:
    if not (text := unescape_words(token)):
        raise ParseError(column_of(token), "a word after the backslash")
    return Words(text)


def _literal(token: Token) -> Term:
    if not (text := " ".join(unescape(token[1:-1]).split())):
        raise ParseError(column_of(token), "words between the quotation marks")
    return Literal(text)


def _example(token: Token) -> Term:
    """Parses `name`, `name@start-end`, `file:name` and `file:"name"@start-end`."""
    column, prefixed = column_of(token), _FILE.fullmatch(token)
    if prefixed and prefixed[1]:
        return _with_times(prefixed[1][1:-1], prefixed[2], column, column + prefixed.start(2))
    whole = prefixed[3] if prefixed else str(token)
    name, at, times = whole.rpartition("@")
    if (
        at
        and not name.endswith("\\")
        and (_TIME_RANGE.fullmatch(times) or (has_media_extension(name) and not has_media_extension(whole)))
    ):
        return _with_times(name, times, column, column + len(token) - len(times))
    return _with_times(whole, None, column, column)


def _with_times(name: str, times: str | None, column: int, times_column: int) -> Example:
    if not name.strip():
        raise ParseError(column, "a file name")
    try:
        path = parse_path(name)
        if times is None:
            return Example(path)
        if not (ends := _TIME_RANGE.fullmatch(times)) or not any(ends.groups()):
            raise QueryError("a time range such as 12.5-15 or 1:02-1:10")
        start, end = (parse_seconds(time) if time else None for time in ends.groups())
        if end is not None and end <= (start or 0.0):
            raise QueryError("an end that is later than the start")
    except QueryError as error:
        raise ParseError(column if times is None else times_column, str(error)) from error
    return Example(path, start, end)


def sense_setter(prefix: Token) -> Callable[[Term], Term]:
    """Returns a function that sets the sense of a term that has none, for a prefix such as `heard:`."""
    sense = Sense(prefix[:-1].lower())

    def set_sense(term: Term) -> Term:
        if term.sense:
            return term
        if isinstance(term, Example) and sense not in (Sense.SEEN, Sense.HEARD):
            raise ParseError(column_of(prefix), "seen: or heard: before an example")
        return replace(term, sense=sense)

    return set_sense


def weight_multiplier(prefix: Token) -> Callable[[Term], Term]:
    """Returns a function that multiplies the weight of a term, for a prefix such as `2:`."""
    weight = float(prefix[:-1])

    def multiply(term: Term) -> Term:
        product = term.weight * weight
        if not MIN_WEIGHT <= product <= MAX_WEIGHT:
            raise ParseError(column_of(prefix), f"a weight from {MIN_WEIGHT:g} to {MAX_WEIGHT:g}")
        return replace(term, weight=product)

    return multiply
