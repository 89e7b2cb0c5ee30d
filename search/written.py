"""What is written in cues: subtitles, captions, chapters and titles that hold what a term asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pesearch.search.asked import Asked, Term
from pesearch.search.combine import Stretch
from pesearch.search.syntax import Literal, Sense, Words
from pesearch.store.words import words
from pesearch.types import Cue, CueHit, CueKind

if TYPE_CHECKING:
    from pesearch.store.library import Library

CUES_A_TERM = 200
"""How many cues are looked at for each term."""

CERTAIN = 0.95
"""What a cue that holds all that is asked counts: it is there, but it may be said in passing."""

LEAST_SHARE = 0.5
"""A cue that holds fewer of the words than this share is no answer; plain words must all be there."""

OF_WHOLE_FILE = frozenset({CueKind.TITLE, CueKind.DESCRIPTION})


@dataclass(frozen=True, slots=True)
class Written:
    """The cues that answer each term, best first, by the number of the term."""

    hits: dict[int, list[CueHit]]

    def of(self, term: int, file_id: int, weight: float) -> list[Stretch]:
        """The stretches of a file in which a term is written."""
        hits = (hit for hit in self.hits.get(term, ()) if hit.file_id == file_id)
        return [_stretch(hit, weight) for hit in hits]

    def cues(self, asked: Asked, file_id: int, stretch: Stretch) -> tuple[Cue, ...]:
        """The cues that speak for a stretch of a file, best first."""
        found = (
            hit.cue
            for term, hits in self.hits.items()
            for hit in hits
            if asked.looked_for[term] and hit.file_id == file_id and _stretch(hit, 1.0).overlaps(stretch)
        )
        return tuple(dict.fromkeys(found))


def find_written(library: Library, asked: Asked, file_ids: frozenset[int] | None) -> Written:
    """Looks for every term that words can answer, in `file_ids` only when given."""
    hits = {number: list(_hits(library, term, file_ids)) for number, term in enumerate(asked.terms)}
    return Written({number: found for number, found in hits.items() if found})


def _hits(library: Library, term: Term, file_ids: frozenset[int] | None) -> Iterator[CueHit]:
    """The cues that hold enough of a term; their `score` is a certainty."""
    if not isinstance(term, Words | Literal) or term.sense in (Sense.SEEN, Sense.HEARD):
        return
    query = f'"{term.text}"' if isinstance(term, Literal) else term.text
    kinds = frozenset({CueKind.SUBTITLE}) if term.sense is Sense.SAID else None
    least = 1.0 if term.sense is None else LEAST_SHARE
    for hit in library.find_text(query, CUES_A_TERM, file_ids, kinds):
        is_spelt = isinstance(term, Words) and "*" not in term.text
        share = _share(words(term.text), hit.cue) if is_spelt else 1.0
        if share >= least:
            yield CueHit(hit.file_id, hit.cue, CERTAIN * share, hit.rank)


def _share(wanted: Sequence[str], cue: Cue) -> float:
    """How many of the words stand in the cue."""
    held = set(words(cue.text))
    return sum(word in held for word in set(wanted)) / max(len(set(wanted)), 1)


def _stretch(hit: CueHit, weight: float) -> Stretch:
    cue = hit.cue
    return Stretch(cue.start_seconds, cue.end_seconds, hit.score, weight, is_everywhere=cue.kind in OF_WHOLE_FILE)
