"""Nodes of the syntax tree of a query. `str(node)` is a query that `parse` reads as the same tree.

Trees from `parse` are normalised:
- texts are not empty and have single spaces; weights are in [MIN_WEIGHT, MAX_WEIGHT];
- an And is directly inside an And, and a Then inside a Then, only if one of the two has a time limit; an Or never is
  directly inside an Or;
- a Not occurs only as a part of an And with a positive part, and its own part is positive;
- a Together holds an Example and Words, or several Examples; its Words share one sense or have none. If they have one,
  its Examples have a sense too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.search.query.language.escaping import escape_words, format_number, format_path, quote
from pesearch.types import Sense

__all__ = ["And", "Example", "Literal", "Node", "Not", "Or", "Sense", "Term", "Then", "Together", "Words"]

MIN_WEIGHT = 0.001
"""The smallest weight of a term."""

MAX_WEIGHT = 1000.0
"""The greatest weight of a term."""


@dataclass(frozen=True, slots=True)
class Words:
    """Plain words."""

    text: str
    sense: Sense | None = None
    weight: float = 1.0

    def __str__(self) -> str:
        return _prefixed(self, escape_words(self.text))


@dataclass(frozen=True, slots=True)
class Literal:
    """A quoted phrase, searched literally in cues: subtitles, captions, titles."""

    text: str
    sense: Sense | None = None
    weight: float = 1.0

    def __str__(self) -> str:
        return _prefixed(self, quote(self.text))


@dataclass(frozen=True, slots=True)
class Example:
    """A media file as an example, or its part from `start_seconds` to `end_seconds` (None: its start, end).

    `sense` is SEEN (its pictures only), HEARD (its sound only) or None. A relative path starts at `folder`, which is
    not part of the text of the query.
    """

    path: Path
    start_seconds: float | None = None
    end_seconds: float | None = None
    weight: float = 1.0
    sense: Sense | None = None
    folder: Path = Path()

    @property
    def resolved_path(self) -> Path:
        """The path of the file, relative to the current folder or absolute."""
        return self.folder / self.path

    def __str__(self) -> str:
        return _prefixed(self, f"{format_path(self.path)}{self._range_suffix()}")

    def _range_suffix(self) -> str:
        if self.start_seconds is None and self.end_seconds is None:
            return ""
        ends = (self.start_seconds, self.end_seconds)
        return "@" + "-".join("" if seconds is None else format_number(seconds) for seconds in ends)


@dataclass(frozen=True, slots=True)
class Together:
    """One thing described in several ways: an example with words, or several examples."""

    parts: tuple[Example | Words, ...]

    def __str__(self) -> str:
        sense = next((part.sense for part in self.parts if isinstance(part, Words)), None)
        if sense is None:
            return self._join_parts(None)
        return f"{sense}:({self._join_parts(sense)})"

    def _join_parts(self, sense: Sense | None) -> str:
        """The parts, without the sense prefix that they share."""
        texts = [str(replace(part, sense=None)) if part.sense is sense else str(part) for part in self.parts]
        for index, (before, part) in enumerate(zip(self.parts, self.parts[1:], strict=False), 1):
            if isinstance(before, Words) and isinstance(part, Words) and part.weight == 1:
                texts[index] = f"({texts[index]})"  # else it would merge with the words before
        return " ".join(texts)


@dataclass(frozen=True, slots=True)
class And:
    """All parts in one moment; with a limit, at most `within_seconds` from each other."""

    parts: tuple[Node, ...]
    within_seconds: float | None = None

    def __str__(self) -> str:
        return _chain(" AND ", self.parts, self.within_seconds)


@dataclass(frozen=True, slots=True)
class Then:
    """The parts one after another; with a limit, at most `within_seconds` between neighbours."""

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
    """A part that must be absent."""

    part: Node

    def __str__(self) -> str:
        return f"NOT ({self.part})" if isinstance(self.part, Together) else f"NOT {_parenthesized(self.part)}"


Term = Words | Literal | Example
Node = Term | Together | And | Then | Or | Not


def _chain(operator: str, parts: tuple[Node, ...], within_seconds: float | None) -> str:
    limit = "" if within_seconds is None else f" WITHIN {format_number(within_seconds)}s"
    return operator.join(_parenthesized(part) for part in parts) + limit


def _parenthesized(node: Node) -> str:
    """The text of a part; And, Then and Or are parenthesised, so that no operator precedence is relied on."""
    return f"({node})" if isinstance(node, And | Then | Or) else str(node)


def _prefixed(term: Term, text: str) -> str:
    sense = f"{term.sense}:" if term.sense else ""
    if term.weight == 1:
        return f"{sense}{text}"
    if not sense and text[0] in "0123456789:-":  # else `2:30` would be a weight
        text = f"({text})"
    return f"{format_number(term.weight)}:{sense}{text}"
