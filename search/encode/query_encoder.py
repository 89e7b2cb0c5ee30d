"""The terms of a query as vectors: each in the spaces that its sense meets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pesearch.search.encode.examples import ExampleVectors, audio_vectors, image_vectors, video_vectors
from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.query.language.nodes import Literal, Sense, Words
from pesearch.search.query.plan import SPACES_OF, Joint, QueryPlan, Sample, Term
from pesearch.types import FloatArray, MediaKind, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet


def encode_query(asked: QueryPlan, models: ModelSet) -> tuple[QueryVector, ...]:
    """Embeds all that is asked. Raises QueryError for an example that cannot be read or met by the model set."""
    return (*_text_probes(asked.terms, models), *_example_probes(asked.terms, models))


def _text_probes(terms: Sequence[Term], models: ModelSet) -> Iterator[QueryVector]:
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
                yield QueryVector(number, space, vector, Measure.TEXT)


def _example_probes(terms: Sequence[Term], models: ModelSet) -> Iterator[QueryVector]:
    """Each example by its vectors, window by window, in the spaces of its sense; each is read once."""
    numbers = {term: number for number, term in enumerate(terms)}
    for sample in (term for term in terms if isinstance(term, Sample)):
        beside = [term for term in terms if isinstance(term, Joint) and term.sample == sample]
        read = _read(sample, models, [joint.text for joint in beside])
        for space, measure in _met(sample, read.alone, models):
            asks_with = SpaceName.AUDIO if measure is Measure.SOUND_TO_VIDEO else space
            for vector in read.alone[asks_with]:
                yield QueryVector(numbers[sample], space, vector, measure)
        for joint in beside:
            for space, vectors in read.beside.get(joint.text, {}).items():
                for vector in vectors:
                    yield QueryVector(numbers[joint], space, vector, Measure.JOINT)


def _read(sample: Sample, models: ModelSet, beside: Sequence[str]) -> ExampleVectors:
    if sample.kind is MediaKind.IMAGE:
        return ExampleVectors({SpaceName.FRAME: image_vectors(sample.example, models)}, {})
    return (audio_vectors if sample.kind is MediaKind.AUDIO else video_vectors)(sample.example, models, beside)


def _met(
    sample: Sample, vectors: Mapping[SpaceName, FloatArray], models: ModelSet
) -> Iterator[tuple[SpaceName, Measure]]:
    """The spaces that an example meets. A sound asks for pictures too, whatever its sense."""
    yield from ((space, Measure.SIMILARITY) for space in vectors if space in SPACES_OF[sample.sense])
    if sample.kind is MediaKind.AUDIO and models.embeds_video:
        yield SpaceName.VIDEO, Measure.SOUND_TO_VIDEO
