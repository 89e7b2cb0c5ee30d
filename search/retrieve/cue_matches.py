"""What is written in cues: subtitles, captions, chapters and titles that say what a term asks for, in its words or in
others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pesearch.cues import CueKind, FoundBy, FoundCue
from pesearch.search.query.language.nodes import Literal, Sense, Words
from pesearch.search.query.plan import QueryPlan, Term
from pesearch.search.retrieve.candidates import Ranking
from pesearch.search.retrieve.cue_meaning import Meaning
from pesearch.search.retrieve.cue_words import (
    APART,
    SAID,
    CueMatch,
    find_phrase,
    find_prefix,
    find_together,
    find_words,
)
from pesearch.search.score.intervals import Interval
from pesearch.types import Part

if TYPE_CHECKING:
    from pesearch.store.library import Library

CUES_A_TERM = 200
"""How many cues are looked at for each term."""

CERTAIN = 0.95
"""What a cue counts that holds the very words: they are there, but may be said in passing."""

LEAST_SHARE = 0.5
"""Of words that are asked for as said or written a cue must hold this share; of plain words it must hold all."""

OF_WHOLE_FILE = frozenset({CueKind.TITLE, CueKind.DESCRIPTION})


@dataclass(frozen=True, slots=True)
class CueMatches:
    """The cues that answer each term, best first, by the number of the term."""

    matches: dict[int, list[CueMatch]]

    def of(self, term: int, file_id: int, weight: float) -> list[Interval]:
        """The stretches of a file in which a term is written."""
        return [_stretch(match, weight) for match in self.matches.get(term, ()) if match.file_id == file_id]

    def rankings(self, asked: QueryPlan) -> list[Ranking]:
        """For each term that is looked for where it is written, best first."""
        return [
            Ranking.of([_part(match) for match in found])
            for term, found in self.matches.items()
            if asked.is_positive[term]
        ]

    def cues(self, asked: QueryPlan, file_id: int, stretch: Interval) -> tuple[FoundCue, ...]:
        """The cues that speak for a stretch of a file, each once: those whose words were found, then those that mean
        what was asked."""
        found = [
            match
            for term, matches in self.matches.items()
            for match in matches
            if asked.is_positive[term] and match.file_id == file_id and _stretch(match, 1.0).overlaps(stretch)
        ]
        once: dict[tuple[float, float, str, str], FoundCue] = {}
        for match in sorted(found, key=lambda match: match.found_by is FoundBy.MEANING):
            once.setdefault((match.start_seconds, match.end_seconds, match.text, match.source), _cue(match))
        return tuple(once.values())


def match_cues(library: Library, asked: QueryPlan, file_ids: frozenset[int] | None, meaning: Meaning) -> CueMatches:
    """Looks for every term that words can answer, in `file_ids` only when given."""
    meant = meaning.find(asked, CUES_A_TERM, file_ids)
    matches = {
        number: _best_of(_matches(library, term, file_ids), meant.get(number, ()))
        for number, term in enumerate(asked.terms)
    }
    return CueMatches({number: found for number, found in matches.items() if found})


def _best_of(by_words: list[CueMatch], by_meaning: Sequence[CueMatch]) -> list[CueMatch]:
    """Each cue as it answers more surely, best first; of equals what the words found."""
    if not by_meaning:
        return by_words
    found: dict[tuple[int, float, str], CueMatch] = {}
    for match in sorted((*by_words, *by_meaning), key=lambda match: -match.score):
        found.setdefault((match.file_id, match.start_seconds, match.text), match)
    return list(found.values())[:CUES_A_TERM]


def _matches(library: Library, term: Term, file_ids: frozenset[int] | None) -> list[CueMatch]:
    if not isinstance(term, Words | Literal) or term.sense in (Sense.SEEN, Sense.HEARD):
        return []
    kinds = SAID if term.sense is Sense.SAID else None
    if term.text.endswith("*"):
        return find_prefix(library, term.text, CUES_A_TERM, file_ids, kinds)
    if isinstance(term, Literal):
        return find_phrase(library, term.text, CUES_A_TERM, file_ids, kinds)
    if term.sense is None:
        return find_together(library, term.text, CUES_A_TERM, file_ids)
    found = find_words(library, term.text, CUES_A_TERM, file_ids, kinds)
    return [match for match in found if match.score >= LEAST_SHARE * APART]


def _part(match: CueMatch) -> Part:
    if match.kind in OF_WHOLE_FILE:
        return Part(match.file_id, 0.0, math.inf)
    return Part(match.file_id, match.start_seconds, match.end_seconds)


def _cue(match: CueMatch) -> FoundCue:
    return FoundCue(
        match.start_seconds, match.end_seconds, match.text, match.kind, match.source, found_by=match.found_by
    )


def _stretch(match: CueMatch, weight: float) -> Interval:
    is_everywhere = match.kind in OF_WHOLE_FILE
    return Interval(match.start_seconds, match.end_seconds, CERTAIN * match.score, weight, is_everywhere)
