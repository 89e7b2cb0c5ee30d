"""The small language of questions: `parse` reads a text as a tree. docs/query.md tells it to users.

What binds loosest comes first: OR, THEN, AND (or nothing) between two things, NOT and the hyphen. A text in which
nothing of the language stands is plain words, and so are the parentheses in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from lark import Lark, Token
from lark.common import LexerConf
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer

from pesearch.errors import QuerySyntaxError
from pesearch.search.query.language.escaping import first_undecodable, read_words
from pesearch.search.query.language.lexer import Kind, Misplaced, Piece, pieces
from pesearch.search.query.language.nodes import Node, Words
from pesearch.search.query.language.tree_builder import Part, TreeBuilder

MOST_TERMS = 32
"""Words, quotes and examples in one query. Each costs a search of its own."""

DEEPEST = 64
"""Parentheses inside one another. A tree of MOST_TERMS is written with fewer."""

_GRAMMAR = """
start: either
either: sequence (OR sequence)*
sequence: chain (THEN chain)*
chain: conjunction [WITHIN [conjunction]]
conjunction: run (AND run)*
run: (term | exclusion)+
exclusion: NOT term
term: WEIGHT? SENSE? atom | SENSE WEIGHT atom
?atom: WORDS | QUOTE | FILE | group
group: OPEN either CLOSE
%declare WORDS QUOTE FILE SENSE WEIGHT NOT AND OR THEN WITHIN OPEN CLOSE
"""
_TERMS = (Kind.WORDS, Kind.QUOTE, Kind.FILE)
_JOINING = (Kind.AND, Kind.OR, Kind.THEN, Kind.WITHIN)


def parse(text: str) -> Node:
    """The tree of a query. Raises QuerySyntaxError, which tells the place of the mistake and what was expected."""
    try:
        return _parsed(text)
    except Misplaced as mistake:
        raise QuerySyntaxError(text, mistake.column, mistake.expected) from None


def _parsed(text: str) -> Node:
    found = pieces(text)
    _check_text(text, found)
    kinds = {piece.kind for piece in found}
    if Kind.WORDS in kinds <= {Kind.WORDS, Kind.OPEN, Kind.CLOSE} and (words := read_words(text)):
        return Words(words)
    _check_size(found)
    tokens = [Token(piece.kind, text[piece.column : piece.end], piece.column) for piece in found]
    try:
        part: Part = _parser().parse(tokens)  # type: ignore[assignment]  # typed as a tree of its own
    except UnexpectedToken as error:
        place = next((place for place, token in enumerate(tokens) if token is error.token), len(tokens))
        raise _misplaced(text, found[:place], found[place:]) from None
    return part.node


def _check_text(text: str, found: list[Piece]) -> None:
    """Raises Misplaced for a byte among words that is no text: names of files may hold any bytes, words may not."""
    for piece in found:
        if piece.kind is not Kind.FILE and (wrong := first_undecodable(text[piece.column : piece.end])) is not None:
            raise Misplaced(piece.column + wrong, "text, which this byte is not")


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer=_Given, transformer=TreeBuilder(), maybe_placeholders=False)


class _Given(Lexer):
    """Hands on the pieces that were cut already."""

    def __init__(self, configuration: LexerConf) -> None:
        """As lark calls it; the configuration says nothing that is needed here."""

    def lex(self, tokens: list[Token]) -> Iterator[Token]:  # type: ignore[override]  # a text, in lark's own lexers
        yield from tokens


def _check_size(found: list[Piece]) -> None:
    depth = terms = 0
    for piece in found:
        depth += (piece.kind is Kind.OPEN) - (piece.kind is Kind.CLOSE)
        terms += piece.kind in _TERMS
        if depth > DEEPEST:
            raise Misplaced(piece.column, f"at most {DEEPEST} parentheses inside one another")
        if terms > MOST_TERMS:
            raise Misplaced(piece.column, f"an end: a query has at most {MOST_TERMS} words, quotes and examples")


def _misplaced(text: str, before: list[Piece], after: list[Piece]) -> Misplaced:
    """What was expected behind `before`, where the first of `after` cannot stand."""
    column = after[0].column if after else len(text)
    here, last = after[0].kind if after else None, before[-1] if before else None
    if last and last.kind in (*_TERMS, Kind.CLOSE, Kind.WITHIN):
        if here is None:
            return Misplaced(column, f"a closing parenthesis for the one at character {_open(before)[-1].column + 1}")
        if here is Kind.CLOSE:
            return Misplaced(column, "no closing parenthesis, for none is open (write \\) for one that is text)")
        return Misplaced(column, "parentheses around what the first WITHIN limits, before more is joined to it")
    wanted = "something to exclude" if last and last.kind is Kind.NOT else "something to look for"
    behind = f" after {text[last.column : last.end]}" if last and last.kind is not Kind.OPEN else ""
    as_word = f" (write \\{here} for the word itself)" if here in (*_JOINING, Kind.NOT) else ""
    return Misplaced(column, f"{wanted}{behind}{as_word}")


def _open(found: list[Piece]) -> list[Piece]:
    """The parentheses that are open behind these pieces."""
    still: list[Piece] = []
    for piece in found:
        if piece.kind is Kind.OPEN:
            still.append(piece)
        elif piece.kind is Kind.CLOSE:
            still.pop()
    return still
