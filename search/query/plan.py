"""A question taken apart: its terms, how each meets the spaces of a library, and how they are to be combined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pesearch.errors import MediaError, QueryError
from pesearch.media.sniff import sniff
from pesearch.search.query.language.nodes import And, Example, Literal, Node, Not, Or, Sense, Then, Together, Words
from pesearch.search.query.language.parser import parse
from pesearch.search.query.operators import AFTER_SECONDS, TOGETHER_SECONDS, All, AtOnce, Either, InOrder, Plan
from pesearch.search.query.request import SearchRequest, terms
from pesearch.types import MEDIA_SPACES, MediaKind, SpaceName

SPACES_OF = {
    None: frozenset(MEDIA_SPACES),
    Sense.SEEN: frozenset({SpaceName.FRAME, SpaceName.VIDEO}),
    Sense.HEARD: frozenset({SpaceName.AUDIO}),
    Sense.SAID: frozenset({SpaceName.AUDIO}),
    Sense.TEXT: frozenset[SpaceName](),
}
"""The spaces in which a term of a sense is looked for. Speech is in the audio space; written text is in cues alone."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An example that is asked with as a file of one kind: a video by its sound alone, say."""

    example: Example
    kind: MediaKind

    @property
    def weight(self) -> float:
        """That of the example."""
        return self.example.weight

    @property
    def sense(self) -> Sense | None:
        """That of the example."""
        return self.example.sense


@dataclass(frozen=True, slots=True)
class Joint:
    """An example and the words beside it as one: a sound and words ask for pictures, pictures and words for a sound."""

    sample: Sample
    text: str
    weight: float
    sense: Sense | None = None


Term = Words | Literal | Sample | Joint


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """A plan over the numbers of `terms`; `is_positive` says of each whether it is wanted or excluded."""

    plan: Plan
    terms: tuple[Term, ...]
    is_positive: tuple[bool, ...]

    @property
    def is_example_only(self) -> bool:
        """Whether nothing is asked in words."""
        return all(isinstance(term, Sample) for term in self.terms)

    @property
    def has_redundant_terms(self) -> bool:
        """Whether one thing is told by an example and by something else."""
        return len(self.terms) > 1 and any(isinstance(term, Sample) for term in self.terms)

    @property
    def phrases(self) -> dict[str, int]:
        """The sounds that are asked for by name, each with the number of its term."""
        named = ((_phrase(term), number) for number, term in enumerate(self.terms))
        return {phrase: number for phrase, number in named if phrase is not None}


def compile_query(request: SearchRequest) -> QueryPlan:
    """All that a question asks.

    Raises QuerySyntaxError for a text that is none, QueryError for an example that cannot be read.
    """
    book, parts = TermTable(request.folder), list[Plan]()
    text = request.text.strip()
    node: Node | None = None
    if text:
        node = Words(text, Sense.SAID) if request.speech else parse(text)
        parts.append(book.term(Words(text, Sense.SAID)) if request.speech else book.plan(node))
    kinds = ((MediaKind.AUDIO, request.audio), (MediaKind.VIDEO, request.video), (MediaKind.IMAGE, request.image))
    samples = [Sample(Example(path, folder=request.folder), kind) for kind, path in kinds if path]
    parts += [book.term(sample) for sample in samples]
    plan = book.at_once(parts, samples, [node] if isinstance(node, Words) else [])
    return QueryPlan(plan, tuple(book.numbers), tuple(book.is_positive))


@dataclass(slots=True)
class TermTable:
    """The terms as they are come by: the same one twice has one number. Examples are looked for from `folder`."""

    folder: Path
    numbers: dict[Term, int] = field(default_factory=dict)
    is_positive: list[bool] = field(default_factory=list)

    def term(self, term: Term, is_positive: bool = True) -> int:
        number = self.numbers.setdefault(term, len(self.numbers))
        if number == len(self.is_positive):
            self.is_positive.append(is_positive)
        self.is_positive[number] |= is_positive
        return number

    def plan(self, node: Node, is_positive: bool = True) -> Plan:
        """The plan of a tree. What is excluded stands in an And, beside what is looked for."""
        match node:
            case And(parts, within_seconds):
                kept = tuple(self.plan(part, is_positive) for part in parts if not isinstance(part, Not))
                excluded = tuple(self.plan(part.part, False) for part in parts if isinstance(part, Not))
                return All(kept, excluded, TOGETHER_SECONDS if within_seconds is None else within_seconds)
            case Then(parts, within_seconds):
                ordered = tuple(self.plan(part, is_positive) for part in parts)
                return InOrder(ordered, AFTER_SECONDS if within_seconds is None else within_seconds)
            case Or(parts):
                return Either(tuple(self.plan(part, is_positive) for part in parts))
            case Together(parts):
                plans = [self.plan(part, is_positive) for part in parts]
                samples = [self.sample(part) for part in parts if isinstance(part, Example)]
                return self.at_once(plans, samples, [part for part in parts if isinstance(part, Words)], is_positive)
            case Words():
                return self.words(node, is_positive)
            case Example():
                return self.term(self.sample(node), is_positive)
            case Literal():
                return self.term(node, is_positive)
            case Not():
                raise ValueError("what is excluded stands beside what is looked for")

    def sample(self, example: Example) -> Sample:
        placed = replace(example, folder=self.folder)
        return Sample(placed, _kind(placed))

    def at_once(
        self, plans: Sequence[Plan], samples: Sequence[Sample], beside: Sequence[Words], is_positive: bool = True
    ) -> Plan:
        """One thing asked by several means. An example and words ask as one, too: that lifts what both of them find,
        and where to look for it (`benchmarks.examples`)."""
        whole = plans[0] if len(plans) == 1 else AtOnce(tuple(plans))
        joint = [
            self.term(Joint(sample, words.text, sample.weight + words.weight), is_positive)
            for sample in samples
            for words in beside
            if _joins(sample, words)
        ]
        return AtOnce((whole, Either((whole, *joint)))) if joint else whole

    def words(self, words: Words, is_positive: bool) -> Plan:
        """Words that name several things ask for the whole and for each of them: "siren and train"."""
        whole = self.term(words, is_positive)
        named = terms(words.text) if words.sense not in (Sense.SAID, Sense.TEXT) else ()
        if len(named) < 2:
            return whole
        each = tuple(self.term(Words(name, words.sense, words.weight), is_positive) for name in named)
        return AtOnce((whole, All(each)))


def _joins(sample: Sample, words: Words) -> bool:
    """PE-AV has a head for a sound with words, which asks for pictures, and for pictures with words, which asks for a
    sound. They fit where neither is narrowed to one sense."""
    return sample.sense is words.sense is None and sample.kind is not MediaKind.IMAGE


def _phrase(term: Term) -> str | None:
    """What PE-A-Frame is asked for a term: one sound that has a name; None where it is not about a sound."""
    if isinstance(term, Words) and term.sense in (None, Sense.HEARD) and len(terms(term.text)) == 1:
        return term.text
    return None


def _kind(example: Example) -> MediaKind:
    """As what an example is asked with: by its sound alone where that is what is asked for."""
    try:
        kind = sniff(example.place)
    except MediaError as error:
        raise QueryError(f"cannot ask with {example.path}: {error}") from error
    if kind is None:
        raise QueryError(f"cannot ask with {example.path}: it is no picture, sound or video")
    return MediaKind.AUDIO if example.sense is Sense.HEARD else kind
