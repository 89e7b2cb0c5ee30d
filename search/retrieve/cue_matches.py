"""Matches terms with cues (subtitles, captions, chapters, titles), by their words and by their meaning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pesearch.cues import CueKind, FoundBy, FoundCue
from pesearch.search.query.language.nodes import Literal, Sense, Words
from pesearch.search.query.plan import QueryPlan, Term
from pesearch.search.retrieve.candidates import Ranking
from pesearch.search.retrieve.cue_meaning import MeaningMatcher
from pesearch.search.retrieve.cue_words import (
    SCATTERED_WORDS_SCORE,
    SPOKEN_KINDS,
    CueMatch,
    find_all_words,
    find_phrase,
    find_prefix,
    find_words,
)
from pesearch.search.score.intervals import Interval
from pesearch.types import Part

if TYPE_CHECKING:
    from pesearch.store.library import Library

MAX_CUES_PER_TERM = 200
"""Cues that are retrieved for each term."""

LITERAL_CERTAINTY = 0.95
"""Certainty of a moment whose cue contains the phrase literally: less than 1, since it may be said in passing."""

MIN_WORD_SHARE = 0.5
"""A term under `said:` or `text:` matches cues with at least this share of its words; plain words need all."""

WHOLE_FILE_KINDS = frozenset({CueKind.TITLE, CueKind.DESCRIPTION})
"""Cues that describe their whole file rather than a time in it."""


@dataclass(frozen=True, slots=True)
class CueMatches:
    """The matching cues of each term, best first, by term number."""

    matches: dict[int, list[CueMatch]]

    def of(self, term: int, file_id: int, weight: float) -> list[Interval]:
        """The intervals of a file whose cues match a term."""
        return [_interval(match, weight) for match in self.matches.get(term, ()) if match.file_id == file_id]

    def rankings(self, plan: QueryPlan) -> list[Ranking]:
        """A ranking for each positive term with matches."""
        return [
            Ranking.of([_part(match) for match in matches])
            for term, matches in self.matches.items()
            if plan.is_positive[term]
        ]

    def cues(self, plan: QueryPlan, file_id: int, interval: Interval) -> tuple[FoundCue, ...]:
        """The distinct cues that support an interval of a file: matches by words, then those by meaning."""
        supporting = [
            match
            for term, matches in self.matches.items()
            for match in matches
            if plan.is_positive[term] and match.file_id == file_id and _interval(match, 1.0).overlaps(interval)
        ]
        distinct: dict[tuple[float, float, str, str], FoundCue] = {}
        for match in sorted(supporting, key=lambda match: match.found_by is FoundBy.MEANING):
            distinct.setdefault((match.start_seconds, match.end_seconds, match.text, match.source), _found_cue(match))
        return tuple(distinct.values())


def match_cues(
    library: Library, plan: QueryPlan, file_ids: frozenset[int] | None, meaning: MeaningMatcher
) -> CueMatches:
    """Searches the cues for every term of text, in `file_ids` only unless None."""
    by_meaning = meaning.find(plan, MAX_CUES_PER_TERM, file_ids)
    matches = {
        number: _merge(_match_words(library, term, file_ids), by_meaning.get(number, ()))
        for number, term in enumerate(plan.terms)
    }
    return CueMatches({number: term_matches for number, term_matches in matches.items() if term_matches})


def _merge(by_words: list[CueMatch], by_meaning: Sequence[CueMatch]) -> list[CueMatch]:
    """Each cue with its better score, best first; of equal scores, the match by words."""
    if not by_meaning:
        return by_words
    distinct: dict[tuple[int, float, str], CueMatch] = {}
    for match in sorted((*by_words, *by_meaning), key=lambda match: -match.score):
        distinct.setdefault((match.file_id, match.start_seconds, match.text), match)
    return list(distinct.values())[:MAX_CUES_PER_TERM]


def _match_words(library: Library, term: Term, file_ids: frozenset[int] | None) -> list[CueMatch]:
    if not isinstance(term, Words | Literal) or term.sense in (Sense.SEEN, Sense.HEARD):
        return []
    kinds = SPOKEN_KINDS if term.sense is Sense.SAID else None
    if term.text.endswith("*"):
        return find_prefix(library, term.text, MAX_CUES_PER_TERM, file_ids, kinds)
    if isinstance(term, Literal):
        return find_phrase(library, term.text, MAX_CUES_PER_TERM, file_ids, kinds)
    if term.sense is None:
        return find_all_words(library, term.text, MAX_CUES_PER_TERM, file_ids)
    matches = find_words(library, term.text, MAX_CUES_PER_TERM, file_ids, kinds)
    return [match for match in matches if match.score >= MIN_WORD_SHARE * SCATTERED_WORDS_SCORE]


def _part(match: CueMatch) -> Part:
    if match.kind in WHOLE_FILE_KINDS:
        return Part(match.file_id, 0.0, math.inf)
    return Part(match.file_id, match.start_seconds, match.end_seconds)


def _found_cue(match: CueMatch) -> FoundCue:
    return FoundCue(
        match.start_seconds, match.end_seconds, match.text, match.kind, match.source, found_by=match.found_by
    )


def _interval(match: CueMatch, weight: float) -> Interval:
    is_everywhere = match.kind in WHOLE_FILE_KINDS
    return Interval(match.start_seconds, match.end_seconds, LITERAL_CERTAINTY * match.score, weight, is_everywhere)
