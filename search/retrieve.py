"""A question as vectors, and the parts of files that may answer it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pesearch.hits import Hits
from pesearch.search.asked import SPACES_OF, Asked, Joint, Sample, Term
from pesearch.search.calibrate import Measure, Probe
from pesearch.search.combine import All, Either, InOrder, reach
from pesearch.search.examples import ExampleVectors, audio_vectors, image_vectors, video_vectors
from pesearch.search.language.syntax import Literal, Sense, Words
from pesearch.search.likeliest import Ranking, likeliest
from pesearch.types import FloatArray, MediaKind, Part, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

HITS_A_PROBE, HITS_A_MOMENT = 100, 4
"""How deep each space is searched for each vector: at least so deep, and so deep for each moment asked for."""

PARTS_A_MOMENT, LEAST_PARTS, PARTS_COMBINED = 2, 20, 4
"""How many parts of files are looked at closely: so many for each moment that is asked for, and at least so many. Times
so many for a question that combines others: what holds all of it is not what holds one of them best. By
`benchmarks.search` nDCG@10 is 0.80, 0.89 and 0.93 with 20, 40 and 80 parts; plain sentences gain nothing."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What each probe found, best first, and the parts of files that are worth a closer look, likeliest first."""

    hits: tuple[Hits, ...]
    parts: tuple[Part, ...]


def probes_of(asked: Asked, models: ModelSet) -> tuple[Probe, ...]:
    """Embeds all that is asked. Raises QuestionError for an example that cannot be read or met by the model set."""
    return (*_text_probes(asked.terms, models), *_example_probes(asked.terms, models))


def _text_probes(terms: Sequence[Term], models: ModelSet) -> Iterator[Probe]:
    """Each term of words in each space that its sense meets: texts of the same spaces are embedded together.

    What is quoted is looked for in cues alone, but what is quoted as said may be heard as well.
    """
    had = {space.name for space in models.spaces}
    groups: dict[frozenset[SpaceName], list[tuple[int, str]]] = defaultdict(list)
    for number, term in enumerate(terms):
        if isinstance(term, Words) or (isinstance(term, Literal) and term.sense is Sense.SAID):
            groups[SPACES_OF[term.sense] & had].append((number, term.text))
    for spaces, texts in groups.items():
        if not spaces:
            continue
        embedded = models.embed_texts([text for _, text in texts], spaces)
        for space in sorted(spaces):
            vectors = embedded.of(space)
            for (number, _), vector in zip(texts, () if vectors is None else vectors, strict=vectors is not None):
                yield Probe(number, space, vector, Measure.TEXT)


def _example_probes(terms: Sequence[Term], models: ModelSet) -> Iterator[Probe]:
    """Each example by its vectors, window by window, in the spaces of its sense; each is read once."""
    numbers = {term: number for number, term in enumerate(terms)}
    for sample in (term for term in terms if isinstance(term, Sample)):
        beside = [term for term in terms if isinstance(term, Joint) and term.sample == sample]
        read = _read(sample, models, [joint.text for joint in beside])
        for space, measure in _met(sample, read.alone, models):
            asks_with = SpaceName.AUDIO if measure is Measure.SOUND_TO_VIDEO else space
            for vector in read.alone[asks_with]:
                yield Probe(numbers[sample], space, vector, measure)
        for joint in beside:
            for space, vectors in read.beside.get(joint.text, {}).items():
                for vector in vectors:
                    yield Probe(numbers[joint], space, vector, Measure.JOINT)


def _read(sample: Sample, models: ModelSet, beside: Sequence[str]) -> ExampleVectors:
    if sample.kind is MediaKind.IMAGE:
        return ExampleVectors({SpaceName.FRAME: image_vectors(sample.example, models)}, {})
    return (audio_vectors if sample.kind is MediaKind.AUDIO else video_vectors)(sample.example, models, beside)


def _met(
    sample: Sample, vectors: Mapping[SpaceName, FloatArray], models: ModelSet
) -> Iterator[tuple[SpaceName, Measure]]:
    """The spaces that an example meets. A sound asks for pictures too, whatever its sense."""
    yield from ((space, Measure.LIKENESS) for space in vectors if space in SPACES_OF[sample.sense])
    if sample.kind is MediaKind.AUDIO and models.sees_windows:
        yield SpaceName.VIDEO, Measure.SOUND_TO_VIDEO


def retrieve(
    library: Library,
    asked: Asked,
    probes: Sequence[Probe],
    k: int,
    file_ids: frozenset[int] | None,
    written: Iterable[Ranking] = (),
) -> Retrieved:
    """Searches each space with all its probes at once, in `file_ids` only when given. What is excluded finds nothing.

    `written` are rankings of what cues found, best first.
    """
    of_spaces = _by_space(asked, probes)
    queries = {space: np.stack([probes[number].vector for number in numbers]) for space, numbers in of_spaces.items()}
    found = library.search_spaces(queries, max(HITS_A_PROBE, HITS_A_MOMENT * k), file_ids)
    hits = {
        number: one for space, numbers in of_spaces.items() for number, one in zip(numbers, found[space], strict=True)
    }
    is_combined = isinstance(asked.plan, All | InOrder | Either) or asked.is_told_twice
    ordered = tuple(hits.get(number, Hits.none(probe.space)) for number, probe in enumerate(probes))
    parts = likeliest(
        [*(Ranking(one.file_ids, one.segments) for one in ordered), *written],
        reach(asked.plan),
        max(PARTS_A_MOMENT * k, LEAST_PARTS) * (PARTS_COMBINED if is_combined else 1),
        lambda file_id: library.file(file_id).info.duration_seconds,
    )
    return Retrieved(ordered, parts)


def _by_space(asked: Asked, probes: Sequence[Probe]) -> dict[SpaceName, list[int]]:
    spaces: dict[SpaceName, list[int]] = defaultdict(list)
    for number, probe in enumerate(probes):
        if asked.looked_for[probe.part]:
            spaces[probe.space].append(number)
    return spaces
