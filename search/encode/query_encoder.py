"""Encodes the terms of a plan to vectors in the spaces that their senses allow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pesearch.search.encode.query_vector import Measure, QueryVector
from pesearch.search.query.language.nodes import Literal, Sense, Words
from pesearch.search.query.plan import SPACES_BY_SENSE, ExampleTerm, JointTerm, QueryPlan, Term
from pesearch.types import FloatArray, MediaKind, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.search.encode.examples import ExampleVectors


def encode_query(plan: QueryPlan, models: ModelSet) -> tuple[QueryVector, ...]:
    """Encodes all terms of a plan. Raises QueryError for an example that is unreadable or does not suit the models."""
    return (*_encode_texts(plan.terms, models), *_encode_examples(plan.terms, models))


def _encode_texts(terms: Sequence[Term], models: ModelSet) -> Iterator[QueryVector]:
    """Texts with the same spaces are encoded in one batch.

    A quoted phrase is searched in cues only, except under `said:`, where it may be heard as well.
    """
    available = {space.name for space in models.spaces}
    groups: dict[frozenset[SpaceName], list[tuple[int, str]]] = defaultdict(list)
    for number, term in enumerate(terms):
        if isinstance(term, Words) or (isinstance(term, Literal) and term.sense is Sense.SAID):
            groups[SPACES_BY_SENSE[term.sense] & available].append((number, term.text))
    for spaces, texts in groups.items():
        if not spaces:
            continue
        embedded = models.embed_texts([text for _, text in texts], spaces)
        for space in sorted(spaces):
            vectors = embedded.of(space)
            for (number, _), vector in zip(texts, () if vectors is None else vectors, strict=vectors is not None):
                yield QueryVector(number, space, vector, Measure.TEXT)


def _encode_examples(terms: Sequence[Term], models: ModelSet) -> Iterator[QueryVector]:
    """One vector per window of each example and space; each file is decoded once."""
    numbers = {term: number for number, term in enumerate(terms)}
    for example in (term for term in terms if isinstance(term, ExampleTerm)):
        joint_terms = [term for term in terms if isinstance(term, JointTerm) and term.example_term == example]
        encoded = _encode_example(example, models, [joint.text for joint in joint_terms])
        for space, measure in _searched_spaces(example, encoded.alone, models):
            source = SpaceName.AUDIO if measure is Measure.SOUND_TO_VIDEO else space
            for vector in encoded.alone[source]:
                yield QueryVector(numbers[example], space, vector, measure)
        for joint in joint_terms:
            for space, vectors in encoded.joint.get(joint.text, {}).items():
                for vector in vectors:
                    yield QueryVector(numbers[joint], space, vector, Measure.JOINT)


def _encode_example(term: ExampleTerm, models: ModelSet, texts: Sequence[str]) -> ExampleVectors:
    from pesearch.search.encode.examples import ExampleVectors, encode_audio, encode_image, encode_video

    if term.kind is MediaKind.IMAGE:
        return ExampleVectors({SpaceName.FRAME: encode_image(term.example, models)}, {})
    return (encode_audio if term.kind is MediaKind.AUDIO else encode_video)(term.example, models, texts)


def _searched_spaces(
    term: ExampleTerm, vectors: Mapping[SpaceName, FloatArray], models: ModelSet
) -> Iterator[tuple[SpaceName, Measure]]:
    """The spaces that an example searches. A sound searches the video space too, whatever its sense."""
    yield from ((space, Measure.SIMILARITY) for space in vectors if space in SPACES_BY_SENSE[term.sense])
    if term.kind is MediaKind.AUDIO and models.embeds_video:
        yield SpaceName.VIDEO, Measure.SOUND_TO_VIDEO
