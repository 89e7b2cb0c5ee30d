"""Matches terms with cues (subtitles, captions, chapters, titles), by their words and by their meaning."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING

import numpy as np

from pesearch.cues import FoundBy, FoundCue
from pesearch.search.query.plan import QueryPlan
from pesearch.search.retrieve.candidates import Ranking
from pesearch.search.retrieve.cue_join import CueJoin
from pesearch.search.retrieve.cue_meaning import MeaningMatcher, SimilarCues
from pesearch.search.retrieve.cue_words import CueMatch, compile_words
from pesearch.search.retrieve.term_cues import FoundCues, TermCues
from pesearch.search.score.interval import Interval
from pesearch.store.index.fulltext_query import CueScope
from pesearch.types import Part

if TYPE_CHECKING:
    from pesearch.store.library import Library

MIN_RANKED_CUES = 2000
"""At least this many cues of each term are ranked as candidates, after what the query combines and excludes: 20 for
each of the 80 parts of files that a query scores, since neighbouring cues are in one part."""

RANKED_CUES_PER_MOMENT = 16
"""Cues of each term that are ranked per requested moment, if that is more."""

MAX_SIMILAR_CUES = 2000
"""Cues that are found for each term by meaning among all files: 34 ms for 65,536 vectors of 64 dimensions, 18 ms for
200 cues. If there are more, those in the files that are scored are searched again, for MAX_SIMILAR_CUES_IN_PARTS."""

MAX_SIMILAR_CUES_IN_PARTS = 20_000
"""Cues found for each term by meaning in the files that are scored, 0.3 s at most. A term that reaches it is in
`CueMatches.limited_terms`."""

LITERAL_CERTAINTY = 0.95
"""Certainty of a moment whose cue contains the phrase literally: less than 1, since it may be said in passing."""


class CueMatches:
    """The matching cues of the terms of one query, by term number.

    All that match in a part of a file are read when it is scored, so that whatever is combined or excluded is compared
    with all of them.
    """

    def __init__(
        self,
        terms: Mapping[int, TermCues],
        rankings: Sequence[Ranking] = (),
        find_similar: Callable[[frozenset[int]], Mapping[int, SimilarCues]] = lambda _: {},
    ) -> None:
        """`rankings` are those of candidates; `find_similar` finds in some files the cues by meaning of terms that have
        more of them than `terms` contains."""
        self.rankings = tuple(rankings)
        self._terms = terms
        self._find_similar = find_similar
        self._found: dict[Part, dict[int, FoundCues]] = {}
        self._intervals: dict[tuple[int, Part], list[Interval]] = {}
        self._limited: set[int] = set()

    @property
    def limited_terms(self) -> frozenset[int]:
        """Terms of which not all cues by meaning were found in a part that was scored."""
        return frozenset(self._limited)

    def load(self, parts: Sequence[Part]) -> None:
        """Finds the cues in some parts, faster than part by part."""
        missing = [part for part in dict.fromkeys(parts) if part not in self._found]
        if not missing:
            return
        self._found.update({part: {} for part in missing})
        similar = self._find_similar(frozenset(part.file_id for part in missing))
        self._limited.update(term for term, found in similar.items() if not found.is_complete)
        for term, cues in self._terms.items():
            found = cues.within(CueScope(parts=tuple(missing)))
            if term in similar:
                found = FoundCues.merge([found, FoundCues.of(similar[term].matches)])
            for part, in_part in _by_part(found, missing):
                self._found[part][term] = in_part

    def of(self, term: int, part: Part, weight: float) -> list[Interval]:
        """The intervals of cues that match a term and overlap a part, or are about its whole file."""
        if part not in self._found:
            self.load([part])
        found = self._found[part].get(term)
        if found is None:
            return []
        if (term, part) not in self._intervals:
            self._intervals[term, part] = _intervals(found, weight)
        return self._intervals[term, part]

    def cues(self, plan: QueryPlan, file_id: int, interval: Interval) -> tuple[FoundCue, ...]:
        """The distinct cues that support an interval of a file that was scored: matches by words, then by meaning."""
        supporting = [
            match
            for term, cues in self._terms.items()
            if plan.is_positive[term]
            for match in _distinct(cues.read(found) for found in self._overlapping(term, file_id, interval))
        ]
        supporting.sort(key=lambda match: match.found_by is FoundBy.MEANING)
        return tuple(_found_cue(match) for match in _distinct([supporting]))

    def _overlapping(self, term: int, file_id: int, interval: Interval) -> Iterator[FoundCues]:
        for part, of_part in self._found.items():
            if part.file_id == file_id and term in of_part:
                rows = [row for row, cue in enumerate(_intervals(of_part[term], 1.0)) if cue.overlaps(interval)]
                yield of_part[term].take(np.array(rows, dtype=np.int64))


def match_cues(
    library: Library, plan: QueryPlan, file_ids: frozenset[int] | None, meaning: MeaningMatcher, k: int = 10
) -> CueMatches:
    """Searches the cues for every term of text, in `file_ids` only unless None, for k moments."""
    index = library.full_text()
    similar = meaning.find(plan, MAX_SIMILAR_CUES, file_ids)
    terms = {
        number: TermCues(index, words, file_ids, similar[number].matches if number in similar else ())
        for number, term in enumerate(plan.terms)
        if (words := compile_words(term)).queries
    }
    terms = {number: cues for number, cues in terms.items() if cues.count}
    limited = frozenset(number for number, found in similar.items() if not found.is_complete)
    candidates = CueJoin(plan, terms, limited).candidates(max(MIN_RANKED_CUES, RANKED_CUES_PER_MOMENT * k))

    def find_similar(in_files: frozenset[int]) -> dict[int, SimilarCues]:
        within = in_files if file_ids is None else in_files & file_ids
        found = meaning.find(plan, MAX_SIMILAR_CUES_IN_PARTS, within) if limited else {}
        return {number: found[number] for number in limited}

    return CueMatches(terms, [_ranking(found) for found in candidates if len(found)], find_similar)


def _by_part(found: FoundCues, parts: Iterable[Part]) -> Iterator[tuple[Part, FoundCues]]:
    """The cues of each part, best first."""
    order = np.argsort(found.times.file_ids, kind="stable")
    file_ids = found.times.file_ids[order]
    for part in parts:
        first, stop = np.searchsorted(file_ids, part.file_id), np.searchsorted(file_ids, part.file_id, side="right")
        if stop > first:
            of_file = order[first:stop]
            inside = of_file[found.times.take(of_file).in_part(part)]
            yield part, found.take(inside)


def _ranking(found: FoundCues) -> Ranking:
    """A ranking of parts of files, best first."""
    starts = np.where(found.times.is_whole_file, 0.0, found.times.starts)
    ends = np.where(found.times.is_whole_file, math.inf, found.times.ends)
    return Ranking(found.times.file_ids, np.stack([starts, ends], axis=1))


def _intervals(found: FoundCues, weight: float) -> list[Interval]:
    times, certainties = found.times, LITERAL_CERTAINTY * found.scores
    return [
        Interval(*columns)
        for columns in zip(
            times.starts.tolist(),
            times.ends.tolist(),
            certainties.tolist(),
            repeat(weight),
            times.is_whole_file.tolist(),
            strict=False,
        )
    ]


def _distinct(matches: Iterable[Iterable[CueMatch]]) -> list[CueMatch]:
    """Each cue once, with its first match."""
    distinct: dict[tuple[float, float, str, str], CueMatch] = {}
    for match in chain.from_iterable(matches):
        distinct.setdefault((match.start_seconds, match.end_seconds, match.text, match.source), match)
    return list(distinct.values())


def _found_cue(match: CueMatch) -> FoundCue:
    return FoundCue(
        match.start_seconds, match.end_seconds, match.text, match.kind, match.source, found_by=match.found_by
    )
