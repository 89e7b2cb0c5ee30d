"""A question as vectors, and the files that may answer it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pesearch.search.calibrate import Measure, Probe
from pesearch.search.examples import audio_vectors, image_vectors, video_vectors
from pesearch.search.question import Question, terms
from pesearch.types import FloatArray, Hit, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

EVERYDAY_WORDS = (
    "person", "crowd", "dog", "cat", "bird", "fish", "flower", "tree", "mountain", "sea", "sky", "sun", "night",
    "street", "car", "train", "boat", "bicycle", "house", "room", "table", "book", "phone", "clock", "food", "ball",
    "drum", "bell", "fire", "rain", "snow", "sign",
)  # fmt: skip
"""What frames may well show: a text has to fit a frame better than these usually do."""

HITS_A_PROBE = 100
"""How deep each space is searched for each vector."""

FILES_A_MOMENT, LEAST_FILES = 4, 40
"""How many files are looked at closely: so many for each moment that is asked for, and at least so many."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as vectors: part 0 and on are `wholes` parts (the text as a whole, each example), then `terms`.

    `everyday` float32 [m, dim] are EVERYDAY_WORDS in the frame space; None where no text is asked there.
    """

    wholes: int
    terms: tuple[str, ...]
    probes: tuple[Probe, ...]
    everyday: FloatArray | None = None

    @property
    def parts(self) -> int:
        """How many parts there are: the wholes, and the terms of a text that has more than one."""
        return self.wholes + (len(self.terms) if len(self.terms) > 1 else 0)

    def part_of(self, term: int) -> int:
        """The part that asks for a term: the text as a whole where it is the only one."""
        return self.wholes + term if len(self.terms) > 1 else 0


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What each probe found, best first, and the files that are worth a closer look, likeliest first."""

    hits: tuple[tuple[Hit, ...], ...]
    file_ids: tuple[int, ...]


def ask(question: Question, models: ModelSet) -> Asked:
    """Embeds all that is asked. Raises QuestionError for an example that cannot be read or met by the model set."""
    examples = list(_examples(question, models))
    text = question.text.strip()
    wholes = len(examples) + bool(text)
    named = ((text,) if question.speech else terms(text)) if text else ()
    asked = Asked(wholes, named, ())
    probes: list[Probe] = []
    everyday: FloatArray | None = None
    if text:
        spaces = {SpaceName.AUDIO} if question.speech else {space.name for space in models.spaces}
        probes += _text_probes([text, *(named if len(named) > 1 else ())], asked, spaces, models)
        if SpaceName.FRAME in spaces:
            everyday = everyday_vectors(models)
    for number, example in enumerate(examples, start=bool(text)):
        probes += [Probe(number, *found) for found in example]
    return Asked(wholes, named, tuple(probes), everyday)


@lru_cache(maxsize=1)
def everyday_vectors(models: ModelSet) -> FloatArray | None:
    """EVERYDAY_WORDS in the frame space, float32 [m, dim]; embedded once for the models that are open."""
    return models.embed_texts(EVERYDAY_WORDS, {SpaceName.FRAME}).frame


def _text_probes(texts: list[str], asked: Asked, spaces: set[SpaceName], models: ModelSet) -> Iterable[Probe]:
    """Each text in each space that it meets; the first is the whole text."""
    parts = [0, *range(asked.wholes, asked.parts)]
    embedded = models.embed_texts(texts, spaces)
    for space in sorted(spaces):
        vectors = embedded.of(space)
        for part, vector in zip(parts, () if vectors is None else vectors, strict=vectors is not None):
            yield Probe(part, space, vector, Measure.TEXT)


def _examples(question: Question, models: ModelSet) -> Iterable[list[tuple[SpaceName, FloatArray, Measure]]]:
    """For each example the vectors that it is asked with."""
    if question.audio:
        sound = audio_vectors(question.audio, models)[SpaceName.AUDIO]
        found = [(SpaceName.AUDIO, vector, Measure.LIKENESS) for vector in sound]
        if SpaceName.VIDEO in {space.name for space in models.spaces}:
            found += [(SpaceName.VIDEO, vector, Measure.SOUND_TO_VIDEO) for vector in sound]
        yield found
    if question.video:
        yield list(_likenesses(video_vectors(question.video, models)))
    if question.image:
        yield list(_likenesses({SpaceName.FRAME: image_vectors(question.image, models)}))


def _likenesses(vectors: Mapping[SpaceName, FloatArray]) -> Iterable[tuple[SpaceName, FloatArray, Measure]]:
    return ((space, vector, Measure.LIKENESS) for space, rows in vectors.items() for vector in rows)


def retrieve(library: Library, asked: Asked, k: int, file_ids: frozenset[int] | None) -> Retrieved:
    """Searches each space with all its probes at once, in `file_ids` only when given."""
    hits: dict[int, tuple[Hit, ...]] = {}
    for space, numbers in _by_space(asked.probes).items():
        queries = np.stack([asked.probes[number].vector for number in numbers])
        found = library.search(space, queries, HITS_A_PROBE, file_ids)
        hits |= {number: tuple(one) for number, one in zip(numbers, found, strict=True)}
    ordered = tuple(hits[number] for number in range(len(asked.probes)))
    return Retrieved(ordered, _likeliest(ordered, max(FILES_A_MOMENT * k, LEAST_FILES)))


def _by_space(probes: Iterable[Probe]) -> dict[SpaceName, list[int]]:
    spaces: dict[SpaceName, list[int]] = defaultdict(list)
    for number, probe in enumerate(probes):
        spaces[probe.space].append(number)
    return spaces


def _likeliest(hits: Iterable[Iterable[Hit]], count: int) -> tuple[int, ...]:
    """The files by reciprocal rank fusion over the probes (Cormack et al. 2009, with their 60)."""
    scores: dict[int, float] = defaultdict(float)
    for found in hits:
        first = {hit.file_id: hit.rank for hit in reversed(list(found))}
        for file_id, rank in first.items():
            scores[file_id] += 1 / (60 + rank)
    return tuple(sorted(scores, key=lambda file_id: (-scores[file_id], file_id))[:count])
