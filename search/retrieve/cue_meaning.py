"""What is meant by a text, among cues: those that say the same in other words.

A question and a cue are alike by the cosine of their texts. How much that says is read as for media (`background`): how
far it stands out from what the question scores by chance. Chance is what the library's own cues give, each text once;
where these are few, everyday words as well; and a question to which everyday words alone come as near means nothing
that the models know.
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
from pesearch.search.retrieve.cue_words import SAID, CueMatch, match_of
from pesearch.search.score.normalization import ChanceStats, ScoreNormalizer, ScoreNormalizers
from pesearch.types import FloatArray, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

MEANT = 0.75
"""How surely a cue answers that means what is asked for certain: less than one that holds all its words (`APART`)."""

LEAST_SPREAD = 0.05
"""Cosines of texts that have nothing to do with one another spread so much at least, whatever a few samples say."""


@dataclass(frozen=True, slots=True, eq=False)
class Chance:
    """What texts score by chance in a library: `texts` float32 [n, dim] are some of its cues, and everyday words."""

    background: ScoreNormalizer
    texts: FloatArray

    @classmethod
    def of(cls, background: ScoreNormalizer) -> Chance:
        """Each text once: what is repeated all the time (a name, `[music]`) is no more usual for that."""
        distinct = {row.tobytes(): row for row in background.sample}
        return cls(background, np.concatenate([np.stack(list(distinct.values())), background.words]))

    def usual(self, queries: FloatArray) -> ChanceStats:
        """That of queries [q, dim]."""
        to_words = ChanceStats.of(self.background.words @ queries.T)
        least = ChanceStats(np.array(-1.0), np.array(LEAST_SPREAD))
        return ChanceStats.of(self.texts @ queries.T).at_least(to_words).at_least(least)


_OF_LIBRARIES: WeakKeyDictionary[ScoreNormalizers, Chance] = WeakKeyDictionary()


def chance(library: Library, held: ScoreNormalizers, models: ModelSet) -> Chance | None:
    """That of a library; None where no cue has been embedded."""
    background = held.of(library, models, SpaceName.CUE) if library.rows(SpaceName.CUE) else None
    kept = _OF_LIBRARIES.get(held)
    if background is not None and (kept is None or kept.background is not background):
        kept = _OF_LIBRARIES[held] = Chance.of(background)
    return None if background is None else kept


class Meaning:
    """Finds what terms of a question mean among the cues of a library."""

    def __init__(
        self, library: Library, held: ScoreNormalizers, models: ModelSet, probes: Sequence[QueryVector]
    ) -> None:
        """`probes` are those of the question: what they hold need not be embedded again."""
        self._library = library
        self._chance = chance(library, held, models)
        self._models = models
        self._probes = probes

    def find(self, asked: QueryPlan, k: int, file_ids: frozenset[int] | None) -> dict[int, list[CueMatch]]:
        """At most k cues for each term of words that is looked for, best first, by the number of the term; in
        `file_ids` only when given."""
        wanted = [number for number, term in enumerate(asked.terms) if asked.is_positive[number] and _is_of_words(term)]
        if self._chance is None or not wanted:
            return {}
        queries, background = self._vectors(asked, wanted), self._chance.background
        usual = self._chance.usual(queries)
        found = self._library.find_similar_cues(queries, background.even(usual).astype(np.float32), k, file_ids)
        matches: dict[int, list[CueMatch]] = {}
        for at, (number, hits) in enumerate(zip(wanted, found, strict=True)):
            scores = np.array([hit.score for hit in hits])
            sure = MEANT * background.probability(scores, ChanceStats(usual.median[at], usual.spread[at]))
            matches[number] = [
                match_of(hit, score, FoundBy.MEANING)
                for hit, score in zip(hits, sure.tolist(), strict=True)
                if asked.terms[number].sense is not Sense.SAID or hit.cue.kind in SAID
            ]
        return matches

    def _vectors(self, asked: QueryPlan, wanted: Sequence[int]) -> FloatArray:
        """Terms as they meet cues, float32 [terms, dim]."""
        had = {
            probe.part: probe.vector / np.linalg.norm(probe.vector)
            for probe in self._probes
            if probe.space is SpaceName.AUDIO and probe.measure is Measure.TEXT
        }
        terms = {number: asked.terms[number] for number in wanted if number not in had}
        new = {number: term.text for number, term in terms.items() if isinstance(term, Words)}
        embedded = self._models.embed_texts(list(new.values()), {SpaceName.CUE}).of(SpaceName.CUE) if new else None
        if embedded is not None:
            had.update(zip(new, embedded, strict=True))
        return np.stack([had[number] for number in wanted])


def _is_of_words(term: Term) -> bool:
    """Whether a term asks for what words mean: not for the very words, nor for what is seen or heard alone."""
    is_plain = isinstance(term, Words) and not term.text.endswith("*")
    return is_plain and term.sense not in (Sense.SEEN, Sense.HEARD)
