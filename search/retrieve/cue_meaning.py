"""Finds cues that mean the same as a term in other words.

Scores are cosines between texts, calibrated as those of media are (`score.normalization`): by how far a score stands
out from the chance scores of the same query. The chance sample is the library's own cues, each distinct text once,
and everyday things. A query that scores no higher on any cue than on these finds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from pesearch.cues import FoundBy
from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.query.language.nodes import Sense, Words
from pesearch.search.query.plan import QueryPlan, Term
from pesearch.search.retrieve.cue_words import SPOKEN_KINDS, CueMatch, cue_match
from pesearch.search.score.cohort import THINGS
from pesearch.search.score.library_normalizer import ScoreNormalizers, has_grown
from pesearch.search.score.match_threshold import MatchThreshold
from pesearch.search.score.normalization import ChanceStats
from pesearch.types import FloatArray, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

MEANING_FACTOR = 0.75
"""Score of a certain match by meaning: less than that of a cue with all the words (SCATTERED_WORDS_SCORE)."""

MIN_COSINE_SPREAD = 0.05
"""Lower bound of the spread of cosines between unrelated texts, since a small sample may underestimate it."""


CUE_SAMPLE_SIZE = 1024
"""Vectors of cues, evenly spaced over the library, that are the chance sample."""


@dataclass(frozen=True, slots=True, eq=False)
class CueNormalizer:
    """The normalizer of the cue space.

    texts: float32 [n, dim], its chance sample: distinct cues and THINGS.
    things: float32 [THINGS, dim].
    rows: Number of cues.
    """

    texts: FloatArray
    things: FloatArray
    rows: int

    @classmethod
    def of(cls, sample: FloatArray, things: FloatArray, rows: int) -> CueNormalizer:
        """Keeps each distinct text once, so that a repeated one (a name, `[music]`) does not weigh more."""
        distinct = {row.tobytes(): row for row in sample}
        return cls(np.concatenate([np.stack(list(distinct.values())), things]), things, rows)

    @property
    def threshold(self) -> MatchThreshold:
        """The deviation at which a cue is as likely a match as not."""
        return MatchThreshold.of_rows(self.rows)

    def chance_stats(self, queries: FloatArray) -> ChanceStats:
        """Chance scores of queries [q, dim]: on the sample, but at least those on everyday things."""
        on_things = ChanceStats.of(self.things @ queries.T)
        lower_bound = ChanceStats(np.array(-1.0), np.array(MIN_COSINE_SPREAD))
        return ChanceStats.of(self.texts @ queries.T).at_least(on_things).at_least(lower_bound)


_CACHE: WeakKeyDictionary[ScoreNormalizers, CueNormalizer] = WeakKeyDictionary()


def cue_normalizer(library: Library, normalizers: ScoreNormalizers, models: ModelSet) -> CueNormalizer | None:
    """The normalizer for the cues of a library, rebuilt when their number has changed; None if no cue is embedded."""
    rows, cached = library.rows(SpaceName.CUE), _CACHE.get(normalizers)
    if rows and (cached is None or has_grown(cached.rows, rows)):
        cohort = normalizers.cohort(library, models).cue
        assert cohort is not None
        sample = library.sample(SpaceName.CUE, CUE_SAMPLE_SIZE)
        cached = _CACHE[normalizers] = CueNormalizer.of(sample, cohort[: len(THINGS)], rows)
    return cached if rows else None


MAX_COPIES = 4
"""A cue in several sources of a file, as next to copies of it, is found once for all; so k results may be k /
MAX_COPIES cues."""


@dataclass(frozen=True, slots=True)
class SimilarCues:
    """Cues that mean the same as a term, best first. is_complete: Whether these are all; otherwise the best."""

    matches: tuple[CueMatch, ...]
    is_complete: bool


class MeaningMatcher:
    """Matches the terms of one query with cues by meaning."""

    def __init__(
        self,
        library: Library,
        normalizers: ScoreNormalizers,
        models: ModelSet,
        query_vectors: Sequence[QueryVector],
    ) -> None:
        """`query_vectors` are those of the query: texts among them are not embedded a second time."""
        self._library = library
        self._cue_normalizer = cue_normalizer(library, normalizers, models)
        self._models = models
        self._query_vectors = query_vectors

    def find(self, plan: QueryPlan, k: int, file_ids: frozenset[int] | None) -> dict[int, SimilarCues]:
        """At most k cues for each positive term of plain words, by term number.

        file_ids: The files to search; None for all.
        """
        numbers = [number for number, term in enumerate(plan.terms) if plan.is_positive[number] and _has_meaning(term)]
        if self._cue_normalizer is None or not numbers:
            return {}
        queries, threshold = self._embed(plan, numbers), self._cue_normalizer.threshold
        stats = self._cue_normalizer.chance_stats(queries)
        min_cosines = (stats.median + stats.spread * threshold.centre).astype(np.float32)
        found = self._library.find_similar_cues(queries, min_cosines, k, file_ids)
        matches: dict[int, SimilarCues] = {}
        for row, (number, hits) in enumerate(zip(numbers, found, strict=True)):
            cosines = np.array([hit.score for hit in hits])
            of_query = ChanceStats(stats.median[row], stats.spread[row])
            scores = MEANING_FACTOR * threshold.probability(of_query.deviations(cosines))
            of_term = tuple(
                cue_match(hit.file_id, hit.cue, score, FoundBy.MEANING)
                for hit, score in zip(hits, scores.tolist(), strict=True)
                if plan.terms[number].sense is not Sense.SAID or hit.cue.kind in SPOKEN_KINDS
            )
            matches[number] = SimilarCues(of_term, is_complete=len(hits) * MAX_COPIES < k)
        return matches

    def _embed(self, plan: QueryPlan, numbers: Sequence[int]) -> FloatArray:
        """Unit vectors of terms in the cue space, float32 [terms, dim]."""
        embedded = {
            query_vector.term: query_vector.vector / np.linalg.norm(query_vector.vector)
            for query_vector in self._query_vectors
            if query_vector.space is SpaceName.AUDIO and query_vector.measure is Measure.TEXT
        }
        missing = {number: plan.terms[number] for number in numbers if number not in embedded}
        texts = {number: term.text for number, term in missing.items() if isinstance(term, Words)}
        vectors = self._models.embed_texts(list(texts.values()), {SpaceName.CUE}).of(SpaceName.CUE) if texts else None
        if vectors is not None:
            embedded.update(zip(texts, vectors, strict=True))
        return np.stack([embedded[number] for number in numbers])


def _has_meaning(term: Term) -> bool:
    """Whether a term is plain words: not a phrase, a prefix, or restricted to what is seen or heard."""
    is_plain = isinstance(term, Words) and not term.text.endswith("*")
    return is_plain and term.sense not in (Sense.SEEN, Sense.HEARD)
