"""The operators of a query plan, each over the plans of its parts, and how far apart in time their answers may lie."""

from __future__ import annotations

from dataclasses import dataclass

TOGETHER_SECONDS = 10.0
"""What AND means without a limit: both within one window of each other."""

AFTER_SECONDS = 30.0
"""What THEN means without a limit: the later one begins at most so long after the earlier one ended."""


@dataclass(frozen=True, slots=True)
class All:
    """All parts within `within_seconds` of each other, and nothing of what is excluded."""

    parts: tuple[Plan, ...]
    excluded: tuple[Plan, ...] = ()
    within_seconds: float = TOGETHER_SECONDS


@dataclass(frozen=True, slots=True)
class InOrder:
    """Each part after the one before it, at most `within_seconds` later."""

    parts: tuple[Plan, ...]
    within_seconds: float = AFTER_SECONDS


@dataclass(frozen=True, slots=True)
class Either:
    """Any of the parts."""

    parts: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class AtOnce:
    """All parts in the same stretch: several ways to ask for one thing."""

    parts: tuple[Plan, ...]


Plan = int | All | InOrder | Either | AtOnce
"""What a question asks of a file: a term, by its number, or a combination."""


def reach(plan: Plan) -> float:
    """How many seconds from each other the parts of an answer to a plan may lie."""
    match plan:
        case All(parts, excluded, within_seconds):
            return within_seconds * (len(parts) > 1) + max(map(reach, (*parts, *excluded)))
        case InOrder(parts, within_seconds):
            return within_seconds * (len(parts) - 1) + max(map(reach, parts))
        case Either(parts) | AtOnce(parts):
            return max(map(reach, parts))
        case _:
            return 0.0
