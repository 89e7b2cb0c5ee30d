"""Hypothesis strategies for syntax trees: normalised as search/query/language/nodes.py describes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import strategies as st

from pesearch.search.query.language.nodes import And, Example, Literal, Node, Not, Or, Sense, Then, Together, Words
from pesearch.search.query.language.parser import MAX_QUERY_TERMS

_TRICKY = r"""
AND OR NOT THEN WITHIN AND, and siren it's 5 5s 2:30 2:x 0.5:x 2: 16:9 said: heard:x HEARD:x herad:x text://
music:loud warning: file: file:x file:(x) -x - -- --x -5 -2:x x-y ( ) () (a) dog(s) a(b (b) :-) :( \ \\ \AND a\
\seen:x a\b ./x ../x /x ~/x ./ / ... clip.wav a.wav@1-2 a.wav@x x@1-2 .wav a\.wav " "x" 12" “x” „ » ' ’ @ 猫 🐶 é
"""
_PIECES = r"""
AND OR NOT THEN WITHIN 5s 5 seconds 1:30 - -- ( ) " “ ” « » \ \" heard: SEEN: said: text: file: herad: 2: 0: 2:30
./a.wav film.mp4@1-2 film.mp4@3-2 @ siren dog(s) a b -b -( 猫 é 🐶
"""
_SIGNS = [" ", "\n", "\t", "\u3000", "\u202e", "\x00", "\ud800", "e\u0301"]

OTHERS = st.text(min_size=1, max_size=6).filter(lambda text: len(text.split()) == 1 and text == text.strip())
WORD = st.sampled_from(_TRICKY.split()) | OTHERS
TEXT = st.lists(WORD, min_size=1, max_size=4).map(" ".join)
SENSE = st.none() | st.sampled_from(Sense)
WEIGHT = st.just(1.0) | st.sampled_from([2.0, 0.5, 1000.0]) | st.floats(0.001, 1000)
SECONDS = st.floats(0, 1e6).map(lambda seconds: round(seconds, 6))
LIMIT = st.none() | SECONDS
PATH = (st.text(min_size=1, max_size=8) | WORD | TEXT).map(Path)


@st.composite
def examples(draw: st.DrawFn) -> Example:
    start, end = sorted(draw(st.tuples(SECONDS, SECONDS)))
    kept_start, kept_end = draw(st.sampled_from([(None, None), (start, None), (None, end), (start, end)]))
    if kept_end is not None and kept_end <= (kept_start or 0.0):
        kept_end = None
    sense = draw(st.sampled_from([None, Sense.SEEN, Sense.HEARD]))
    return Example(draw(PATH), kept_start, kept_end, draw(WEIGHT), sense)


WORDS = st.builds(Words, TEXT, SENSE, WEIGHT)
TERMS = WORDS | st.builds(Literal, TEXT, SENSE, WEIGHT) | examples()


@st.composite
def togethers(draw: st.DrawFn) -> Together:
    plain = st.builds(Words, TEXT, st.none(), WEIGHT)
    beside = draw(st.lists(plain | examples(), min_size=1, max_size=3))
    parts = tuple(draw(st.permutations([draw(examples()), *beside])))
    sense = draw(st.sampled_from([None, Sense.SEEN, Sense.HEARD]))
    if sense is None or not any(isinstance(part, Words) for part in parts):
        return Together(parts)
    return Together(tuple(replace(part, sense=part.sense or sense) for part in parts))


@st.composite
def ands(draw: st.DrawFn, inner: st.SearchStrategy[Node]) -> And:
    excluded = draw(st.lists(inner.map(Not), max_size=2))
    found = draw(st.lists(inner, min_size=1 if excluded else 2, max_size=3))
    parts, limit = draw(st.permutations([*found, *excluded])), draw(LIMIT)
    return And(_spliced(And, parts) if limit is None else tuple(parts), limit)


@st.composite
def thens(draw: st.DrawFn, inner: st.SearchStrategy[Node]) -> Then:
    parts, limit = draw(st.lists(inner, min_size=2, max_size=3)), draw(LIMIT)
    return Then(_spliced(Then, parts) if limit is None else tuple(parts), limit)


def _spliced(kind: type[And | Then | Or], parts: list[Node]) -> tuple[Node, ...]:
    def opened(part: Node) -> tuple[Node, ...]:
        limited = getattr(part, "within_seconds", None) is not None
        return part.parts if isinstance(part, kind) and not limited else (part,)

    return tuple(one for part in parts for one in opened(part))


def _ors(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Or]:
    return st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(_spliced(Or, parts)))


def term_count(node: Node) -> int:
    match node:
        case Not():
            return term_count(node.part)
        case And() | Then() | Or() | Together():
            return sum(term_count(part) for part in node.parts)
    return 1


TREES = st.recursive(TERMS | togethers(), lambda inner: ands(inner) | thens(inner) | _ors(inner), max_leaves=12).filter(
    lambda node: term_count(node) <= MAX_QUERY_TERMS
)

MIXED = st.lists(st.sampled_from([*_PIECES.split(), *_SIGNS]), max_size=30)
TOKEN_TEXTS = MIXED.flatmap(lambda tokens: st.sampled_from(["", " "]).map(lambda between: between.join(tokens)))
