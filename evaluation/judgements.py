"""Judged queries: queries with the files, or intervals of files, that a person judged relevant.

    {"queries": [{"query": "a dog barking", "relevant": ["dog.mp4", {"path": "yard.mp4", "start": 61, "end": 66}]},
                 {"query": "mind the gap", "speech": true, "relevant": [{"path": "train.mp4", "grade": 2}]},
                 {"query": "a submarine", "relevant": []}]}

An empty `relevant` says that the library has no answer. `grade` (default 1) is the gain for nDCG. Paths are relative to
the folder of the JSON file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pesearch.errors import QueryError
from pesearch.evaluation.table_reader import read_json
from pesearch.types import Moment

EXPECTED_SHAPE = '{"queries": [{"query": "...", "relevant": ["file.mp4", ...]}, ...]}'


@dataclass(frozen=True, slots=True)
class Relevant:
    """A relevance judgement: a whole file, or an interval of it if both times are given."""

    path: Path
    start_seconds: float | None
    end_seconds: float | None
    grade: float

    def overlaps(self, moment: Moment) -> bool:
        """Whether a moment of the same file overlaps the interval."""
        if self.start_seconds is None or self.end_seconds is None:
            return True
        return moment.start_seconds < self.end_seconds and moment.end_seconds > self.start_seconds


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A text query and its relevance judgements; none if the library has no answer."""

    text: str
    speech: bool
    relevant: tuple[Relevant, ...]


def has_queries(path: Path) -> bool:
    """Whether a JSON file has judged queries, as opposed to truths of clips. Raises QueryError if it is not JSON."""
    return "queries" in _content(path)


def read_queries(path: Path) -> tuple[JudgedQuery, ...]:
    """Read judged queries. Raises QueryError with the number of the invalid query."""
    entries = _content(path).get("queries")
    if not isinstance(entries, list) or not entries:
        raise QueryError(f"{path} has no queries: expected {EXPECTED_SHAPE}")
    return tuple(_query(entry, path, number) for number, entry in enumerate(entries, start=1))


def _content(path: Path) -> dict[str, Any]:
    content = read_json(path)
    return content if isinstance(content, dict) else {}


def _query(entry: Any, path: Path, number: int) -> JudgedQuery:
    try:
        relevant = entry["relevant"]
        if not isinstance(relevant, list) or not isinstance(entry.get("speech", False), bool):
            raise TypeError('"relevant" must be a list, and "speech" true or false')
        if not isinstance(entry["query"], str) or not entry["query"].strip():
            raise ValueError("the query is empty")
        return JudgedQuery(
            text=entry["query"],
            speech=entry.get("speech", False),
            relevant=tuple(_relevant(judgement, path.parent) for judgement in relevant),
        )
    except KeyError as error:
        raise QueryError(f"{path}: query {number} has no {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise QueryError(f"{path}: query {number} is not as `pesearch eval --help` describes: {error}") from error


def _relevant(entry: Any, folder: Path) -> Relevant:
    if isinstance(entry, str):
        entry = {"path": entry}
    if ("start" in entry) != ("end" in entry):
        raise ValueError(f"{entry['path']!r} needs both a start and an end, or neither")
    start, end = (float(entry[name]) if name in entry else None for name in ("start", "end"))
    if start is not None and end is not None and not 0 <= start < end:
        raise ValueError(f"{entry['path']!r} has no valid times: {start:g} to {end:g} s")
    grade = float(entry.get("grade", 1.0))
    if not 0 < grade < float("inf"):
        raise ValueError(f"the grade of {entry['path']!r} is {grade:g}: it must be above 0")
    return Relevant((folder / entry["path"]).absolute(), start, end, grade)
