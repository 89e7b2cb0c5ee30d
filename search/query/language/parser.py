"""Parser of the query language, documented for users in docs/query.md.

Precedence, loosest first: OR, THEN, AND (or juxtaposition), NOT and the hyphen. A text without any syntax is plain
words, including the parentheses in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from lark import Lark, Token
from lark.common import LexerConf
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer

from pesearch.errors import QuerySyntaxError
from pesearch.search.query.language.escaping import find_invalid_utf8, unescape_words
from pesearch.search.query.language.lexer import Lexeme, LexemeKind, ParseError, tokenize
from pesearch.search.query.language.nodes import Node, Words
from pesearch.search.query.language.tree_builder import Subtree, TreeBuilder

MAX_QUERY_TERMS = 32
"""Maximum number of words, quotes and examples in one query; each is a separate search."""

MAX_DEPTH = 64
"""Maximum nesting depth of parentheses; no query of MAX_QUERY_TERMS terms needs more."""

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
_TERMS = (LexemeKind.WORDS, LexemeKind.QUOTE, LexemeKind.FILE)
_OPERATORS = (LexemeKind.AND, LexemeKind.OR, LexemeKind.THEN, LexemeKind.WITHIN)


def parse(text: str) -> Node:
    """The syntax tree of a query. Raises QuerySyntaxError with the column and what was expected there."""
    try:
        return _parsed(text)
    except ParseError as error:
        raise QuerySyntaxError(text, error.column, error.expected) from None


def _parsed(text: str) -> Node:
    lexemes = tokenize(text)
    _check_text(text, lexemes)
    kinds = {lexeme.kind for lexeme in lexemes}
    if LexemeKind.WORDS in kinds <= {LexemeKind.WORDS, LexemeKind.OPEN, LexemeKind.CLOSE} and (
        words := unescape_words(text)
    ):
        return Words(words)
    _check_size(lexemes)
    tokens = [Token(lexeme.kind, text[lexeme.column : lexeme.end], lexeme.column) for lexeme in lexemes]
    try:
        subtree: Subtree = _parser().parse(tokens)  # type: ignore[assignment]  # lark types it as its own Tree
    except UnexpectedToken as error:
        index = next((index for index, token in enumerate(tokens) if token is error.token), len(tokens))
        raise _parse_error(text, lexemes[:index], lexemes[index:]) from None
    return subtree.node


def _check_text(text: str, lexemes: list[Lexeme]) -> None:
    """Raises ParseError for invalid UTF-8 outside file names, which may contain any bytes."""
    for lexeme in lexemes:
        if (
            lexeme.kind is not LexemeKind.FILE
            and (offset := find_invalid_utf8(text[lexeme.column : lexeme.end])) is not None
        ):
            raise ParseError(lexeme.column + offset, "valid UTF-8")


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer=_PretokenizedLexer, transformer=TreeBuilder(), maybe_placeholders=False)


class _PretokenizedLexer(Lexer):
    """Passes lexemes on to lark: the text is tokenized already."""

    def __init__(self, configuration: LexerConf) -> None:
        """Lark passes its configuration, which is not used here."""

    def lex(self, tokens: list[Token]) -> Iterator[Token]:  # type: ignore[override]  # lark's own lexers take a text
        yield from tokens


def _check_size(lexemes: list[Lexeme]) -> None:
    depth = terms = 0
    for lexeme in lexemes:
        depth += (lexeme.kind is LexemeKind.OPEN) - (lexeme.kind is LexemeKind.CLOSE)
        terms += lexeme.kind in _TERMS
        if depth > MAX_DEPTH:
            raise ParseError(lexeme.column, f"at most {MAX_DEPTH} nested parentheses")
        if terms > MAX_QUERY_TERMS:
            raise ParseError(lexeme.column, f"at most {MAX_QUERY_TERMS} words, quotes and examples in a query")


def _parse_error(text: str, before: list[Lexeme], after: list[Lexeme]) -> ParseError:
    """The error for the first lexeme of `after`, which cannot follow `before`."""
    column = after[0].column if after else len(text)
    next_kind, last = after[0].kind if after else None, before[-1] if before else None
    if last and last.kind in (*_TERMS, LexemeKind.CLOSE, LexemeKind.WITHIN):
        if next_kind is None:
            return ParseError(
                column, f"a closing parenthesis for the one at character {_unclosed(before)[-1].column + 1}"
            )
        if next_kind is LexemeKind.CLOSE:
            return ParseError(column, "no closing parenthesis here: none is open (write \\) for a literal one)")
        return ParseError(column, "parentheses around the part that the first WITHIN limits")
    wanted = "something to exclude" if last and last.kind is LexemeKind.NOT else "something to look for"
    previous = f" after {text[last.column : last.end]}" if last and last.kind is not LexemeKind.OPEN else ""
    as_word = f" (write \\{next_kind} for the word itself)" if next_kind in (*_OPERATORS, LexemeKind.NOT) else ""
    return ParseError(column, f"{wanted}{previous}{as_word}")


def _unclosed(lexemes: list[Lexeme]) -> list[Lexeme]:
    """The parentheses that these lexemes leave open."""
    unclosed: list[Lexeme] = []
    for lexeme in lexemes:
        if lexeme.kind is LexemeKind.OPEN:
            unclosed.append(lexeme)
        elif lexeme.kind is LexemeKind.CLOSE:
            unclosed.pop()
    return unclosed
