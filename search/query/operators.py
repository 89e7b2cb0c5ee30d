"""Operators of a query plan: a tree over term numbers, with the time limits between their parts."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_AND_SECONDS = 10.0
"""Time limit of an AND without WITHIN: one window."""

DEFAULT_THEN_SECONDS = 30.0
"""Time limit of a THEN without WITHIN, from the end of one part to the start of the next."""


@dataclass(frozen=True, slots=True)
class All:
    """All parts within `within_seconds` of each other, without any of `excluded`."""

    parts: tuple[PlanNode, ...]
    excluded: tuple[PlanNode, ...] = ()
    within_seconds: float = DEFAULT_AND_SECONDS


@dataclass(frozen=True, slots=True)
class InOrder:
    """Each part starts at most `within_seconds` after the previous one ends."""

    parts: tuple[PlanNode, ...]
    within_seconds: float = DEFAULT_THEN_SECONDS


@dataclass(frozen=True, slots=True)
class Either:
    """Any of the parts."""

    parts: tuple[PlanNode, ...]


@dataclass(frozen=True, slots=True)
class AtOnce:
    """All parts in the same interval: several descriptions of one thing."""

    parts: tuple[PlanNode, ...]


PlanNode = int | All | InOrder | Either | AtOnce
"""A term, by its number, or an operator over further nodes."""


def max_gap(node: PlanNode) -> float:
    """The greatest distance in seconds between the parts of one match of a plan."""
    match node:
        case All(parts, excluded, within_seconds):
            return within_seconds * (len(parts) > 1) + max(map(max_gap, (*parts, *excluded)))
        case InOrder(parts, within_seconds):
            return within_seconds * (len(parts) - 1) + max(map(max_gap, parts))
        case Either(parts) | AtOnce(parts):
            return max(map(max_gap, parts))
        case _:
            return 0.0
