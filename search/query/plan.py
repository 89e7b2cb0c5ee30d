"""Compiles a search request to a query plan: numbered terms and the operators over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pesearch.errors import MediaError, QueryError
from pesearch.media.sniff import sniff
from pesearch.search.query.language.nodes import And, Example, Literal, Node, Not, Or, Sense, Then, Together, Words
from pesearch.search.query.language.parser import parse
from pesearch.search.query.operators import (
    DEFAULT_AND_SECONDS,
    DEFAULT_THEN_SECONDS,
    All,
    AtOnce,
    Either,
    InOrder,
    PlanNode,
)
from pesearch.search.query.request import SearchRequest, split_terms
from pesearch.types import MEDIA_SPACES, MediaKind, SpaceName

SPACES_BY_SENSE = {
    None: frozenset(MEDIA_SPACES),
    Sense.SEEN: frozenset({SpaceName.FRAME, SpaceName.VIDEO}),
    Sense.HEARD: frozenset({SpaceName.AUDIO}),
    Sense.SAID: frozenset({SpaceName.AUDIO}),
    Sense.TEXT: frozenset[SpaceName](),
}
"""The spaces that a term of each sense is searched in. Speech is in the audio space; text is searched in cues only."""


@dataclass(frozen=True, slots=True)
class ExampleTerm:
    """An example file searched as one kind of media: a video by its sound alone, for instance."""

    example: Example
    kind: MediaKind

    @property
    def weight(self) -> float:
        """The weight given to the example in the query."""
        return self.example.weight

    @property
    def sense(self) -> Sense | None:
        """The sense prefix of the example: SEEN, HEARD or None."""
        return self.example.sense


@dataclass(frozen=True, slots=True)
class JointTerm:
    """An example and a text encoded as one vector: sound with text queries video, pictures with text query audio."""

    example_term: ExampleTerm
    text: str
    weight: float
    sense: Sense | None = None


Term = Words | Literal | ExampleTerm | JointTerm


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """The operator tree `root` over indexes into `terms`; `is_positive[n]` is False for a term that is excluded."""

    root: PlanNode
    terms: tuple[Term, ...]
    is_positive: tuple[bool, ...]

    @property
    def is_example_only(self) -> bool:
        """Whether the query has no text."""
        return all(isinstance(term, ExampleTerm) for term in self.terms)

    @property
    def phrases(self) -> dict[str, int]:
        """The sounds that PE-A-Frame can locate by name, with their term numbers."""
        named = ((_sound_phrase(term), number) for number, term in enumerate(self.terms))
        return {phrase: number for phrase, number in named if phrase is not None}


def compile_query(request: SearchRequest) -> QueryPlan:
    """Parses the text of a request, sniffs its examples and combines them.

    Raises QuerySyntaxError for a malformed query, QueryError for an unreadable example.
    """
    table, parts = TermTable(request.folder), list[PlanNode]()
    text = request.text.strip()
    node: Node | None = None
    if text:
        node = Words(text, Sense.SAID) if request.speech else parse(text)
        parts.append(table.add(Words(text, Sense.SAID)) if request.speech else table.compile(node))
    kinds = ((MediaKind.AUDIO, request.audio), (MediaKind.VIDEO, request.video), (MediaKind.IMAGE, request.image))
    examples = [ExampleTerm(Example(path, folder=request.folder), kind) for kind, path in kinds if path]
    parts += [table.add(example) for example in examples]
    root = table.combine_descriptions(parts, examples, [node] if isinstance(node, Words) else [])
    return QueryPlan(root, tuple(table.numbers), tuple(table.is_positive))


@dataclass(slots=True)
class TermTable:
    """Numbers the terms of a query in order of appearance; equal terms share a number.

    Relative paths of examples start at `folder`.
    """

    folder: Path
    numbers: dict[Term, int] = field(default_factory=dict)
    is_positive: list[bool] = field(default_factory=list)

    def add(self, term: Term, is_positive: bool = True) -> int:
        number = self.numbers.setdefault(term, len(self.numbers))
        if number == len(self.is_positive):
            self.is_positive.append(is_positive)
        self.is_positive[number] |= is_positive
        return number

    def compile(self, node: Node, is_positive: bool = True) -> PlanNode:
        """The plan of a syntax tree. A Not occurs only as a part of an And with something to search for."""
        match node:
            case And(parts, within_seconds):
                positive = tuple(self.compile(part, is_positive) for part in parts if not isinstance(part, Not))
                excluded = tuple(self.compile(part.part, False) for part in parts if isinstance(part, Not))
                return All(positive, excluded, DEFAULT_AND_SECONDS if within_seconds is None else within_seconds)
            case Then(parts, within_seconds):
                ordered = tuple(self.compile(part, is_positive) for part in parts)
                return InOrder(ordered, DEFAULT_THEN_SECONDS if within_seconds is None else within_seconds)
            case Or(parts):
                return Either(tuple(self.compile(part, is_positive) for part in parts))
            case Together(parts):
                nodes = [self.compile(part, is_positive) for part in parts]
                examples = [self.example_term(part) for part in parts if isinstance(part, Example)]
                texts = [part for part in parts if isinstance(part, Words)]
                return self.combine_descriptions(nodes, examples, texts, is_positive)
            case Words():
                return self.compile_words(node, is_positive)
            case Example():
                return self.add(self.example_term(node), is_positive)
            case Literal():
                return self.add(node, is_positive)
            case Not():
                raise ValueError("a Not is allowed only inside an And")

    def example_term(self, example: Example) -> ExampleTerm:
        placed = replace(example, folder=self.folder)
        return ExampleTerm(placed, _example_kind(placed))

    def combine_descriptions(
        self,
        nodes: Sequence[PlanNode],
        examples: Sequence[ExampleTerm],
        texts: Sequence[Words],
        is_positive: bool = True,
    ) -> PlanNode:
        """Several descriptions of one thing. An example and a text are also searched as one joint vector, which
        improves ranking and candidates (measured by `benchmarks.examples`)."""
        whole = nodes[0] if len(nodes) == 1 else AtOnce(tuple(nodes))
        joint = [
            self.add(JointTerm(example, words.text, example.weight + words.weight), is_positive)
            for example in examples
            for words in texts
            if _can_join(example, words)
        ]
        return AtOnce((whole, Either((whole, *joint)))) if joint else whole

    def compile_words(self, words: Words, is_positive: bool) -> PlanNode:
        """Words that name several things are searched as a whole and by parts: "siren and train"."""
        whole = self.add(words, is_positive)
        names = split_terms(words.text) if words.sense not in (Sense.SAID, Sense.TEXT) else ()
        if len(names) < 2:
            return whole
        parts = tuple(self.add(Words(name, words.sense, words.weight), is_positive) for name in names)
        return AtOnce((whole, All(parts)))


def _can_join(example: ExampleTerm, words: Words) -> bool:
    """PE-AV has joint heads for sound with text (queries video) and for pictures with text (queries audio). They apply
    if neither term is restricted to a sense."""
    return example.sense is words.sense is None and example.kind is not MediaKind.IMAGE


def _sound_phrase(term: Term) -> str | None:
    """The phrase to give PE-A-Frame for a term: a single named sound; None for any other term."""
    if isinstance(term, Words) and term.sense in (None, Sense.HEARD) and len(split_terms(term.text)) == 1:
        return term.text
    return None


def _example_kind(example: Example) -> MediaKind:
    try:
        kind = sniff(example.resolved_path)
    except MediaError as error:
        raise QueryError(f"cannot use {example.path} as an example: {error}") from error
    if kind is None:
        raise QueryError(f"cannot use {example.path} as an example: it is not an image, audio or video file")
    return MediaKind.AUDIO if example.sense is Sense.HEARD else kind
