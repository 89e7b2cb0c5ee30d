"""The tree of a query, and its text: `str(node)` is what `parse` reads as the same tree.

What `parse` gives is normalised:
- texts hold single spaces and are not empty; weights lie in [LEAST_WEIGHT, MOST_WEIGHT];
- an And stands directly in an And, and a Then in a Then, only where one of the two has a limit; an Or never in an Or;
- a Not stands only as a part of an And that has a part to be found, and its own part is something to be found;
- a Together holds an Example and Words, or several Examples; its Words have one sense or none. Where they have one,
  its Examples have a sense too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.search.query.language.escaping import write_number, write_path, write_quoted, write_words
from pesearch.types import Sense

__all__ = ["And", "Example", "Literal", "Node", "Not", "Or", "Sense", "Term", "Then", "Together", "Words"]

LEAST_WEIGHT = 0.001
MOST_WEIGHT = 1000.0


@dataclass(frozen=True, slots=True)
class Words:
    """Plain words, asked as they read."""

    text: str
    sense: Sense | None = None
    weight: float = 1.0

    def __str__(self) -> str:
        return _prefixed(self, write_words(self.text))


@dataclass(frozen=True, slots=True)
class Literal:
    """Words that stand so in cues: captions, titles, what was transcribed."""

    text: str
    sense: Sense | None = None
    weight: float = 1.0

    def __str__(self) -> str:
        return _prefixed(self, write_quoted(self.text))


@dataclass(frozen=True, slots=True)
class Example:
    """A media file to search by, or the stretch of it from `start_seconds` to `end_seconds` (None: its start, end).

    `sense` is SEEN (its pictures alone), HEARD (its sound alone) or None. A relative path starts at `folder`, which is
    no part of the text.
    """

    path: Path
    start_seconds: float | None = None
    end_seconds: float | None = None
    weight: float = 1.0
    sense: Sense | None = None
    folder: Path = Path()

    @property
    def place(self) -> Path:
        """Where the file is."""
        return self.folder / self.path

    def __str__(self) -> str:
        return _prefixed(self, f"{write_path(self.path)}{self._stretch()}")

    def _stretch(self) -> str:
        if self.start_seconds is None and self.end_seconds is None:
            return ""
        ends = (self.start_seconds, self.end_seconds)
        return "@" + "-".join("" if seconds is None else write_number(seconds) for seconds in ends)


@dataclass(frozen=True, slots=True)
class Together:
    """One thing asked by several means at once: an example with words beside it, or several examples."""

    parts: tuple[Example | Words, ...]

    def __str__(self) -> str:
        sense = next((part.sense for part in self.parts if isinstance(part, Words)), None)
        if sense is None:
            return self._beside(None)
        return f"{sense}:({self._beside(sense)})"

    def _beside(self, sense: Sense | None) -> str:
        """The parts, without the sense that is written before them all."""
        written = [str(replace(part, sense=None)) if part.sense is sense else str(part) for part in self.parts]
        for place, (before, part) in enumerate(zip(self.parts, self.parts[1:], strict=False), 1):
            if isinstance(before, Words) and isinstance(part, Words) and part.weight == 1:
                written[place] = f"({written[place]})"  # else they would read as one with the words before
        return " ".join(written)


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts in one moment; with a limit, at most `within_seconds` from one another."""

    parts: tuple[Node, ...]
    within_seconds: float | None = None

    def __str__(self) -> str:
        return _chain(" AND ", self.parts, self.within_seconds)


@dataclass(frozen=True, slots=True)
class Then:
    """The parts one after the other; with a limit, at most `within_seconds` from one to the next."""

    parts: tuple[Node, ...]
    within_seconds: float | None = None

    def __str__(self) -> str:
        return _chain(" THEN ", self.parts, self.within_seconds)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the parts."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return _chain(" OR ", self.parts, None)


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be there."""

    part: Node

    def __str__(self) -> str:
        return f"NOT ({self.part})" if isinstance(self.part, Together) else f"NOT {_inside(self.part)}"


Term = Words | Literal | Example
Node = Term | Together | And | Then | Or | Not


def _chain(operator: str, parts: tuple[Node, ...], within_seconds: float | None) -> str:
    limit = "" if within_seconds is None else f" WITHIN {write_number(within_seconds)}s"
    return operator.join(_inside(part) for part in parts) + limit


def _inside(node: Node) -> str:
    """Text of a part: what is joined itself stands in parentheses, so that nobody needs to know what binds tighter."""
    return f"({node})" if isinstance(node, And | Then | Or) else str(node)


def _prefixed(term: Term, written: str) -> str:
    sense = f"{term.sense}:" if term.sense else ""
    if term.weight == 1:
        return f"{sense}{written}"
    if not sense and written[0] in "0123456789:-":  # `2:30` is a time of day
        written = f"({written})"
    return f"{write_number(term.weight)}:{sense}{written}"
