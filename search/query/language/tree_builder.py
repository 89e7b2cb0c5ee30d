"""From what the grammar finds to the tree of a query, normalised as search/language/syntax.py says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from lark import Token, Transformer

from pesearch.errors import QueryError
from pesearch.search.query.language.escaping import read_seconds
from pesearch.search.query.language.lexer import Kind, Misplaced
from pesearch.search.query.language.nodes import And, Example, Literal, Node, Not, Or, Term, Then, Together, Words
from pesearch.search.query.language.term_reader import column_of, narrowing, read_term, weighing


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the tree, and where it begins in the text."""

    node: Node
    column: int


@dataclass(frozen=True, slots=True)
class _Limit:
    seconds: float
    column: int


@dataclass(frozen=True, slots=True)
class _Chain:
    """What is joined by AND, and the WITHIN behind it, which may limit more than this."""

    parts: list[Part]
    limit: _Limit | None


class TreeBuilder(Transformer[Token, Part]):
    """One method for each rule of the grammar in search/language/query.py; each is given what its rule holds."""

    def start(self, found: list[Part]) -> Part:
        return _to_be_found(found[0])

    def either(self, found: list[Part | Token]) -> Part:
        parts = [one for one in found if isinstance(one, Part)]
        return parts[0] if len(parts) == 1 else _any_of(parts)

    def sequence(self, found: list[_Chain | Token]) -> Part:
        """`a THEN b WITHIN 5s THEN c`: the limit is for what stands before it."""
        so_far: list[Part] = []
        for chain in (one for one in found if isinstance(one, _Chain)):
            if so_far and chain.limit and len(chain.parts) > 1:
                raise Misplaced(
                    chain.parts[0].column, "parentheses, for WITHIN may limit this AND or the whole THEN before it"
                )
            if chain.limit and not so_far:
                so_far = [_limited(chain.parts, chain.limit)]
            else:
                so_far.append(_all_of(chain.parts) if len(chain.parts) > 1 else chain.parts[0])
                if chain.limit:
                    so_far = [_in_turn(so_far, chain.limit.seconds)]
        return so_far[0] if len(so_far) == 1 else _in_turn(so_far)

    def chain(self, found: list[list[Part] | Token]) -> _Chain:
        """`a WITHIN 5s b` is joined here; a WITHIN behind the last part is left to `sequence`."""
        lists = [one for one in found if isinstance(one, list)]
        limit = next((_limit(one) for one in found if isinstance(one, Token)), None)
        if limit and len(lists) == 2:
            return _Chain([_all_of(lists[0] + lists[1], limit.seconds)], None)
        return _Chain(lists[0], limit)

    def conjunction(self, found: list[list[Part] | Token]) -> list[Part]:
        return [part for one in found if isinstance(one, list) for part in one]

    def run(self, found: list[Part]) -> list[Part]:
        """Things side by side: examples and plain words are one thing, all else is joined as by AND."""
        parts: list[Part] = []
        for beside, group in groupby(found, lambda part: _stands_beside(part.node)):
            some = list(group)
            if beside and len(some) > 1 and any(isinstance(part.node, Example) for part in some):
                some = [Part(_together([part.node for part in some]), some[0].column)]
            parts += some
        return parts

    def exclusion(self, found: tuple[Token, Part]) -> Part:
        operator, part = found
        return Part(Not(_to_be_found(part).node), column_of(operator))

    def term(self, found: list[Token | Part]) -> Part:
        """Words, a quote, an example or a group, with the weight and the sense before it."""
        *prefixes, last = found
        node = last.node if isinstance(last, Part) else read_term(last)
        for prefix in (one for one in prefixes if isinstance(one, Token)):
            node = _each_term(node, narrowing(prefix) if prefix.type == Kind.SENSE else weighing(prefix))
        return Part(node, found[0].column if isinstance(found[0], Part) else column_of(found[0]))

    def group(self, found: tuple[Token, Part, Token]) -> Part:
        opening, part, _ = found
        return Part(part.node, column_of(opening))


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


def _limited(parts: list[Part], limit: _Limit) -> Part:
    """A chain with its limit behind it: `a AND b WITHIN 5s`, or one in parentheses: `(a THEN b) WITHIN 5s`."""
    if len(parts) > 1:
        return _all_of(parts, limit.seconds)
    node = parts[0].node
    if not isinstance(node, And | Then) or node.within_seconds is not None:
        raise Misplaced(limit.column, "two things joined by AND or THEN before WITHIN, or a second one behind it")
    return Part(replace(node, within_seconds=limit.seconds), parts[0].column)


def _any_of(parts: list[Part]) -> Part:
    nodes: list[Node] = []
    for part in parts:
        node = _to_be_found(part).node
        nodes += node.parts if isinstance(node, Or) else (node,)
    return Part(Or(tuple(nodes)), parts[0].column)


def _in_turn(parts: list[Part], within_seconds: float | None = None) -> Part:
    nodes: list[Node] = []
    for part in parts:
        node = _to_be_found(part).node
        same = isinstance(node, Then) and node.within_seconds is None and within_seconds is None
        nodes += node.parts if isinstance(node, Then) and same else (node,)
    return Part(Then(tuple(nodes), within_seconds), parts[0].column)


def _all_of(parts: list[Part], within_seconds: float | None = None) -> Part:
    """Exclusions alone stay as they are: what they exclude from may stand outside of their parentheses."""
    nodes: list[Node] = []
    for part in parts:
        node = part.node
        if isinstance(node, And) and node.within_seconds is None and (within_seconds is None or _only_excludes(node)):
            nodes += node.parts
        else:
            nodes.append(node if isinstance(node, Not) else _to_be_found(part).node)
    return Part(And(tuple(nodes), within_seconds), parts[0].column)


def _together(nodes: Sequence[Node]) -> Together:
    return Together(tuple(node for node in nodes if isinstance(node, Example | Words)))


def _to_be_found(part: Part) -> Part:
    if _only_excludes(part.node):
        raise Misplaced(part.column, "something to look for beside what is excluded")
    return part


def _only_excludes(node: Node) -> bool:
    return isinstance(node, Not) or (isinstance(node, And) and all(isinstance(part, Not) for part in node.parts))


def _stands_beside(node: Node) -> bool:
    return isinstance(node, Example) or (isinstance(node, Words) and node.sense is None)


def _limit(token: Token) -> _Limit:
    """The time of `WITHIN 5s`."""
    written = token.removeprefix(Kind.WITHIN).lstrip()
    try:
        return _Limit(read_seconds(written), column_of(token))
    except QueryError as error:
        raise Misplaced(column_of(token) + len(token) - len(written), str(error)) from error
