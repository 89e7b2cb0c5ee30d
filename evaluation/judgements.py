"""Judged queries: questions with the files, or the stretches of files, that a person says answer them.

    {"queries": [{"query": "a dog barking", "relevant": ["dog.mp4", {"path": "yard.mp4", "start": 61, "end": 66}]},
                 {"query": "mind the gap", "speech": true, "relevant": [{"path": "train.mp4", "grade": 2}]},
                 {"query": "a submarine", "relevant": []}]}

`relevant` may be empty: nothing in the library answers that. `grade` (default 1) says how well one answers, for nDCG.
Paths are taken from the folder of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pesearch.errors import QueryError
from pesearch.evaluation.table_reader import read_json
from pesearch.types import Moment

WHAT_IT_HOLDS = '{"queries": [{"query": "...", "relevant": ["file.mp4", ...]}, ...]}'


@dataclass(frozen=True, slots=True)
class Relevant:
    """What answers a query: a file, or a stretch of it where `start_seconds` and `end_seconds` are given."""

    path: Path
    start_seconds: float | None
    end_seconds: float | None
    grade: float

    def shares_time_with(self, moment: Moment) -> bool:
        """Whether a moment of the same file has some time in common with the stretch."""
        if self.start_seconds is None or self.end_seconds is None:
            return True
        return moment.start_seconds < self.end_seconds and moment.end_seconds > self.start_seconds


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A question in words, and everything that answers it: nothing where the library holds no answer."""

    text: str
    speech: bool
    relevant: tuple[Relevant, ...]


def holds_queries(path: Path) -> bool:
    """Whether a JSON file holds judged queries. Raises QueryError where it is no JSON object."""
    return "queries" in _content(path)


def read_queries(path: Path) -> tuple[JudgedQuery, ...]:
    """The judged queries of a file. Raises QueryError naming the query that is wrong."""
    listed = _content(path).get("queries")
    if not isinstance(listed, list) or not listed:
        raise QueryError(f"{path} has no queries: it should hold {WHAT_IT_HOLDS}")
    return tuple(_query(entry, path, number) for number, entry in enumerate(listed, start=1))


def _content(path: Path) -> dict[str, Any]:
    content = read_json(path)
    return content if isinstance(content, dict) else {}


def _query(entry: Any, path: Path, number: int) -> JudgedQuery:
    try:
        relevant = entry["relevant"]
        if not isinstance(relevant, list) or not isinstance(entry.get("speech", False), bool):
            raise TypeError('"relevant" should be a list, and "speech" true or false')
        if not isinstance(entry["query"], str) or not entry["query"].strip():
            raise ValueError("it asks nothing")
        return JudgedQuery(
            text=entry["query"],
            speech=entry.get("speech", False),
            relevant=tuple(_relevant(one, path.parent) for one in relevant),
        )
    except KeyError as error:
        raise QueryError(f"{path}: query {number} has no {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise QueryError(f"{path}: query {number} is not as described in docs/evaluation.md: {error}") from error


def _relevant(entry: Any, folder: Path) -> Relevant:
    if isinstance(entry, str):
        entry = {"path": entry}
    if ("start" in entry) != ("end" in entry):
        raise ValueError(f"{entry['path']!r} has a start or an end only")
    start, end = (float(entry[name]) if name in entry else None for name in ("start", "end"))
    if start is not None and end is not None and not 0 <= start < end:
        raise ValueError(f"{entry['path']!r} lasts from {start:g} to {end:g} s")
    grade = float(entry.get("grade", 1.0))
    if not 0 < grade < float("inf"):
        raise ValueError(f"the grade of {entry['path']!r} is {grade:g}: it should be above 0")
    return Relevant((folder / entry["path"]).absolute(), start, end, grade)
