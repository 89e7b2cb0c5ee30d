"""Builds the syntax tree from the rules of the grammar, normalised as `nodes` describes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from lark import Token, Transformer

from pesearch.errors import QueryError
from pesearch.search.query.language.escaping import parse_seconds
from pesearch.search.query.language.lexer import LexemeKind, ParseError
from pesearch.search.query.language.nodes import And, Example, Literal, Node, Not, Or, Term, Then, Together, Words
from pesearch.search.query.language.term_reader import column_of, read_term, sense_setter, weight_multiplier


@dataclass(frozen=True, slots=True)
class Subtree:
    """A node, and the column at which it starts."""

    node: Node
    column: int


@dataclass(frozen=True, slots=True)
class _Limit:
    seconds: float
    column: int


@dataclass(frozen=True, slots=True)
class _Chain:
    """The operands of an AND, and the WITHIN after it, which may limit more than this AND."""

    parts: list[Subtree]
    limit: _Limit | None


class TreeBuilder(Transformer[Token, Subtree]):
    """One method for each rule of the grammar in `parser`, called with the children of the rule."""

    def start(self, children: list[Subtree]) -> Subtree:
        return _require_positive(children[0])

    def either(self, children: list[Subtree | Token]) -> Subtree:
        parts = [child for child in children if isinstance(child, Subtree)]
        return parts[0] if len(parts) == 1 else _or(parts)

    def sequence(self, children: list[_Chain | Token]) -> Subtree:
        """`a THEN b WITHIN 5s THEN c`: the limit applies to the chain before it."""
        joined: list[Subtree] = []
        for chain in (child for child in children if isinstance(child, _Chain)):
            if joined and chain.limit and len(chain.parts) > 1:
                raise ParseError(
                    chain.parts[0].column, "parentheses: WITHIN could limit this AND or the whole THEN before it"
                )
            if chain.limit and not joined:
                joined = [_limited(chain.parts, chain.limit)]
            else:
                joined.append(_and(chain.parts) if len(chain.parts) > 1 else chain.parts[0])
                if chain.limit:
                    joined = [_then(joined, chain.limit.seconds)]
        return joined[0] if len(joined) == 1 else _then(joined)

    def chain(self, children: list[list[Subtree] | Token]) -> _Chain:
        """Joins `a WITHIN 5s b`; a WITHIN after the last part is left to `sequence`."""
        lists = [child for child in children if isinstance(child, list)]
        limit = next((_limit(child) for child in children if isinstance(child, Token)), None)
        if limit and len(lists) == 2:
            return _Chain([_and(lists[0] + lists[1], limit.seconds)], None)
        return _Chain(lists[0], limit)

    def conjunction(self, children: list[list[Subtree] | Token]) -> list[Subtree]:
        return [part for child in children if isinstance(child, list) for part in child]

    def run(self, children: list[Subtree]) -> list[Subtree]:
        """Juxtaposed terms: examples with plain words form a Together, others are joined as by AND."""
        parts: list[Subtree] = []
        for is_description, group in groupby(children, lambda part: _is_description(part.node)):
            members = list(group)
            if is_description and len(members) > 1 and any(isinstance(part.node, Example) for part in members):
                members = [Subtree(_together([part.node for part in members]), members[0].column)]
            parts += members
        return parts

    def exclusion(self, children: tuple[Token, Subtree]) -> Subtree:
        operator, part = children
        return Subtree(Not(_require_positive(part).node), column_of(operator))

    def term(self, children: list[Token | Subtree]) -> Subtree:
        """Words, a quote, an example or a group, with its weight and sense prefixes."""
        *prefixes, last = children
        node = last.node if isinstance(last, Subtree) else read_term(last)
        for prefix in (child for child in prefixes if isinstance(child, Token)):
            node = _each_term(
                node, sense_setter(prefix) if prefix.type == LexemeKind.SENSE else weight_multiplier(prefix)
            )
        return Subtree(node, children[0].column if isinstance(children[0], Subtree) else column_of(children[0]))

    def group(self, children: tuple[Token, Subtree, Token]) -> Subtree:
        opening, part, _ = children
        return Subtree(part.node, column_of(opening))


def _each_term(node: Node, change: Callable[[Term], Term]) -> Node:
    match node:
        case Words() | Literal() | Example():
            return change(node)
        case Not():
            return Not(_each_term(node.part, change))
        case Together():
            return _together([change(part) for part in node.parts])
        case And() | Then() | Or():
            return replace(node, parts=tuple(_each_term(part, change) for part in node.parts))


def _limited(parts: list[Subtree], limit: _Limit) -> Subtree:
    """A chain followed by its limit: `a AND b WITHIN 5s`, or `(a THEN b) WITHIN 5s`."""
    if len(parts) > 1:
        return _and(parts, limit.seconds)
    node = parts[0].node
    if not isinstance(node, And | Then) or node.within_seconds is not None:
        raise ParseError(limit.column, "two terms joined by AND or THEN before WITHIN, or a second term after it")
    return Subtree(replace(node, within_seconds=limit.seconds), parts[0].column)


def _or(parts: list[Subtree]) -> Subtree:
    nodes: list[Node] = []
    for part in parts:
        node = _require_positive(part).node
        nodes += node.parts if isinstance(node, Or) else (node,)
    return Subtree(Or(tuple(nodes)), parts[0].column)


def _then(parts: list[Subtree], within_seconds: float | None = None) -> Subtree:
    nodes: list[Node] = []
    for part in parts:
        node = _require_positive(part).node
        same = isinstance(node, Then) and node.within_seconds is None and within_seconds is None
        nodes += node.parts if isinstance(node, Then) and same else (node,)
    return Subtree(Then(tuple(nodes), within_seconds), parts[0].column)


def _and(parts: list[Subtree], within_seconds: float | None = None) -> Subtree:
    """A group that only excludes is allowed: its positive term may be outside the parentheses."""
    nodes: list[Node] = []
    for part in parts:
        node = part.node
        if isinstance(node, And) and node.within_seconds is None and (within_seconds is None or _only_excludes(node)):
            nodes += node.parts
        else:
            nodes.append(node if isinstance(node, Not) else _require_positive(part).node)
    return Subtree(And(tuple(nodes), within_seconds), parts[0].column)


def _together(nodes: Sequence[Node]) -> Together:
    return Together(tuple(node for node in nodes if isinstance(node, Example | Words)))


def _require_positive(part: Subtree) -> Subtree:
    if _only_excludes(part.node):
        raise ParseError(part.column, "something to look for besides what is excluded")
    return part


def _only_excludes(node: Node) -> bool:
    return isinstance(node, Not) or (isinstance(node, And) and all(isinstance(part, Not) for part in node.parts))


def _is_description(node: Node) -> bool:
    return isinstance(node, Example) or (isinstance(node, Words) and node.sense is None)


def _limit(token: Token) -> _Limit:
    text = token.removeprefix(LexemeKind.WITHIN).lstrip()
    try:
        return _Limit(parse_seconds(text), column_of(token))
    except QueryError as error:
        raise ParseError(column_of(token) + len(token) - len(text), str(error)) from error
