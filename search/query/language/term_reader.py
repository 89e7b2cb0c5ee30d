"""One term of a query as it is written: words, a quote, an example, and what the prefixes before it change."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from lark import Token

from pesearch.errors import QueryError
from pesearch.search.query.language.escaping import read_escapes, read_path, read_seconds, read_words
from pesearch.search.query.language.lexer import QUOTED, Kind, Misplaced, has_media_end
from pesearch.search.query.language.nodes import LEAST_WEIGHT, MOST_WEIGHT, Example, Literal, Sense, Term, Words

_FILE = re.compile(rf"file:(?:({QUOTED})(?:@(.*))?|(.+))", re.DOTALL | re.IGNORECASE)
_STRETCH = re.compile(r"([0-9][0-9.:hms]*)?[-–]([0-9][0-9.:hms]*)?", re.IGNORECASE)


def column_of(token: Token) -> int:
    """Where a token begins in the text."""
    return token.start_pos or 0


def read_term(token: Token) -> Term:
    """A term without prefixes. Raises Misplaced."""
    if token.type == Kind.WORDS:
        return _words(token)
    return _literal(token) if token.type == Kind.QUOTE else _example(token)


def _words(token: Token) -> Term:
    if not (text := read_words(token)):
        raise Misplaced(column_of(token), "a word behind the backslash")
    return Words(text)


def _literal(token: Token) -> Term:
    if not (text := " ".join(read_escapes(token[1:-1]).split())):
        raise Misplaced(column_of(token), "words between the quotation marks")
    return Literal(text)


def _example(token: Token) -> Term:
    """`name`, `name@start-end`, `file:name`, `file:"name"@start-end`."""
    column, named = column_of(token), _FILE.fullmatch(token)
    if named and named[1]:
        return _stretch(named[1][1:-1], named[2], column, column + named.start(2))
    whole = named[3] if named else str(token)
    name, at, times = whole.rpartition("@")
    if (
        at
        and not name.endswith("\\")
        and (_STRETCH.fullmatch(times) or (has_media_end(name) and not has_media_end(whole)))
    ):
        return _stretch(name, times, column, column + len(token) - len(times))
    return _stretch(whole, None, column, column)


def _stretch(name: str, times: str | None, column: int, times_column: int) -> Example:
    if not name.strip():
        raise Misplaced(column, "a file name")
    try:
        path = read_path(name)
        if times is None:
            return Example(path)
        if not (ends := _STRETCH.fullmatch(times)) or not any(ends.groups()):
            raise QueryError("a stretch of time such as 12.5-15 or 1:02-1:10")
        start, end = (read_seconds(written) if written else None for written in ends.groups())
        if end is not None and end <= (start or 0.0):
            raise QueryError("an end that is later than the start")
    except QueryError as error:
        raise Misplaced(column if times is None else times_column, str(error)) from error
    return Example(path, start, end)


def narrowing(prefix: Token) -> Callable[[Term], Term]:
    """What `heard:` does to a term: its sense, where it has none of its own."""
    sense = Sense(prefix[:-1].lower())

    def narrowed(term: Term) -> Term:
        if term.sense:
            return term
        if isinstance(term, Example) and sense not in (Sense.SEEN, Sense.HEARD):
            raise Misplaced(column_of(prefix), "seen: or heard: before an example")
        return replace(term, sense=sense)

    return narrowed


def weighing(prefix: Token) -> Callable[[Term], Term]:
    """What `2:` does to a term: weights around weights are multiplied."""
    weight = float(prefix[:-1])

    def weighed(term: Term) -> Term:
        product = term.weight * weight
        if not LEAST_WEIGHT <= product <= MOST_WEIGHT:
            raise Misplaced(column_of(prefix), f"a weight from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}")
        return replace(term, weight=product)

    return weighed
