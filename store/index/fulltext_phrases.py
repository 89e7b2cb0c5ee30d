"""Phrases that begin in one line of subtitles and end in a later one.

A line that ends with the beginning of the phrase, lines that are a part of it, and a line that begins with its rest
are joined by their places (`fulltext_document.PLACES_PER_SOURCE`). So the phrase is found wherever it is, at the cost
of a few searches for parts of it, however many lines contain its words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
import tantivy

from pesearch.cues import Cue
from pesearch.store.index.fulltext_document import SCHEMA
from pesearch.store.index.fulltext_query import compile_term
from pesearch.store.index.fulltext_rows import CueRows
from pesearch.store.index.tokenizer import Term, tokenize

MAX_FIRST_LINES = 5000
"""If no more lines than this end with a beginning of the phrase, the rest is searched in their files only."""

Lines = tuple[int, tuple[Cue, ...]]
"""A file id, and consecutive lines of one of its streams of subtitles."""

_Runs = set[tuple[int, int]]
"""The places of the first and last of consecutive lines."""


class LineFinder(Protocol):
    """Searches for lines of subtitles."""

    def count(self, query: tantivy.Query, /) -> int:
        """The number of lines that match a query."""

    def find(self, query: tantivy.Query, file_ids: frozenset[int] | None = None, /) -> CueRows:
        """All lines that match a query, only in `file_ids` unless None."""


def find_across_lines(words: Sequence[str], finder: LineFinder) -> list[Lines]:
    """All runs of lines in which a phrase begins in the first and ends in the last, in order of place."""
    join = _LineJoin(tuple(words), finder)
    runs = sorted(join.runs())
    cues = join.read({place for first, last in runs for place in range(first, last + 1)})
    found = ([cues[place] for place in range(first, last + 1)] for first, last in runs)
    return [
        (lines[0][0], tuple(cue for _, cue in lines))
        for lines in found
        if _is_across([cue for _, cue in lines], tuple(words))
    ]


class _LineJoin:
    """The search for one phrase. A cut n is between its first n words and the rest."""

    def __init__(self, words: tuple[str, ...], finder: LineFinder) -> None:
        self._words = words
        self._finder = finder
        self._found: list[CueRows] = []

    def runs(self) -> _Runs:
        """The runs that may contain the phrase: a line may also have the words of an edge elsewhere."""
        heads = dict(self._heads())
        is_small = sum(self._finder.count(query) for query in heads.values()) <= MAX_FIRST_LINES
        firsts = {cut: self._find(query) for cut, query in heads.items()} if is_small else {}
        tails = self._tails(_file_ids(self._found) if is_small else None) if heads else {}
        if not is_small:
            file_ids = _file_ids(self._found)
            firsts = {cut: self._find(query, file_ids) for cut, query in heads.items() if tails[cut]}
        return {run for cut, rows in firsts.items() for run in _prepend(rows, tails[cut])}

    def read(self, places: set[int]) -> dict[int, tuple[int, Cue]]:
        """The lines at places of runs, each with its file id, by place."""
        cues: dict[int, tuple[int, Cue]] = {}
        for rows in self._found:
            wanted = rows.take(np.flatnonzero(np.isin(rows.places, list(places - cues.keys()))))
            cues.update(zip(wanted.places.tolist(), wanted.read(), strict=True))
        return cues

    def _heads(self) -> Iterator[tuple[int, tantivy.Query]]:
        """For each cut at which a line may end, the query for such lines."""
        for cut in range(1, len(self._words)):
            if not self._finder.count(_lines(self._words[:cut])):
                return  # nor is a longer beginning in any line
            query = _lines(self._words[:cut], ends=True)
            if self._finder.count(query):
                yield cut, query

    def _tails(self, file_ids: frozenset[int] | None) -> dict[int, _Runs]:
        """For each cut, the runs that begin with the words after it and continue to the end of the phrase."""
        tails: dict[int, _Runs] = {len(self._words): set()}
        within_a_line = [len(self._words)]  # the ends of parts from the cut on that are in some line
        for cut in range(len(self._words) - 1, 0, -1):
            within_a_line = [end for end in within_a_line if self._finder.count(_lines(self._words[cut:end]))]
            tails[cut] = set()
            for end in within_a_line:
                is_rest = end == len(self._words)
                rows = self._find(_lines(self._words[cut:end], begins=True, ends=not is_rest), file_ids)
                places = rows.places.tolist()
                tails[cut] |= set(zip(places, places, strict=True)) if is_rest else _prepend(rows, tails[end])
            if tails[cut]:
                within_a_line.append(cut)
        return tails

    def _find(self, query: tantivy.Query, file_ids: frozenset[int] | None = None) -> CueRows:
        self._found.append(self._finder.find(query, file_ids))
        return self._found[-1]


def _lines(words: Sequence[str], begins: bool = False, ends: bool = False) -> tantivy.Query:
    """Lines of subtitles with a phrase; the first word of the phrase is that of the line, or the last is."""
    clauses = [(tantivy.Occur.Must, compile_term(Term(tuple(words), is_prefix=False, is_literal=True)))]
    if begins:
        clauses.append((tantivy.Occur.Must, tantivy.Query.term_query(SCHEMA, "first", words[0])))
    if ends:
        clauses.append((tantivy.Occur.Must, tantivy.Query.term_query(SCHEMA, "last", words[-1])))
    return tantivy.Query.boolean_query(clauses)


def _file_ids(found: Iterable[CueRows]) -> frozenset[int]:
    return frozenset(file_id for rows in found for file_id in np.unique(rows.file_ids).tolist())


def _prepend(rows: CueRows, runs: _Runs) -> _Runs:
    """The runs with a line before them."""
    places = set(rows.places.tolist()) if runs else set[int]()
    return {(first - 1, last) for first, last in runs if first - 1 in places}


def _is_across(lines: Sequence[Cue], phrase: tuple[str, ...]) -> bool:
    """Whether a phrase begins in the first of some lines and ends in the last."""
    words = [(word, number) for number, cue in enumerate(lines) for word in tokenize(cue.text)]
    parts = (words[at : at + len(phrase)] for at in range(len(words) - len(phrase) + 1))
    return any(
        (part[0][1], part[-1][1]) == (0, len(lines) - 1) and tuple(word for word, _ in part) == phrase for part in parts
    )
