"""Compiles the words of a term to searches of cues, with scores in 0..1.

A cue that contains the phrase literally scores 1. For words in any order the score grows with the share of them that
the cue contains. Paraphrases are found by `cue_meaning`, speech without a transcript in the audio space.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pesearch.cues import Cue, CueKind, FoundBy
from pesearch.search.query.language.nodes import Literal, Sense, Words
from pesearch.search.query.plan import Term
from pesearch.store.index.fulltext import FullTextIndex
from pesearch.store.index.fulltext_query import CueQuery
from pesearch.store.index.tokenizer import Term as TextTerm
from pesearch.store.index.tokenizer import loose_phrases, tokenize

SPOKEN_KINDS = frozenset({CueKind.SUBTITLE})
"""Kinds of cues that were spoken; titles, chapters and descriptions were not."""

SCATTERED_WORDS_SCORE = 0.8
"""Score of a cue that contains all words, but not as a phrase."""

MIN_WORD_SHARE = 0.5
"""A term under `said:` or `text:` matches cues with at least this share of its words; plain words need all."""

MAX_WORD_SHARES = 9
"""A term under `said:` or `text:` is searched for this many shares of its words: all there are up to 16 words. In a
longer one a share counts as the next lower of these."""

MAX_CUE_GAP_SECONDS = 3.0
"""A sentence may continue in the next cue if that starts at most this long after the end of the first."""


@dataclass(frozen=True, slots=True)
class CueMatch:
    """One or more neighbouring cues that match a term.

    text, source: As of the cue; texts of several cues are joined by spaces.
    score: In 0..1; 1 if the cues contain the phrase literally.
    """

    file_id: int
    start_seconds: float
    end_seconds: float
    text: str
    kind: CueKind
    source: str
    score: float
    found_by: FoundBy = FoundBy.WORDS

    @property
    def is_literal(self) -> bool:
        """Whether the cues contain the phrase literally."""
        return self.score == 1.0


@dataclass(frozen=True, slots=True)
class ScoredQuery:
    """A query whose cues all have one score."""

    query: CueQuery
    score: float


@dataclass(frozen=True, slots=True)
class WordSearch:
    """The searches for a term: `queries` in the order of their scores, none of which finds a cue of another.

    phrase: The words of a phrase that may continue in the next line of subtitles, or none.
    """

    queries: tuple[ScoredQuery, ...] = ()
    phrase: tuple[str, ...] = ()


def compile_words(term: Term) -> WordSearch:
    """The searches of cues for a term; none for an example, or a term restricted to what is seen or heard."""
    if not isinstance(term, Words | Literal) or term.sense in (Sense.SEEN, Sense.HEARD):
        return WordSearch()
    words = tuple(tokenize(term.text))
    kinds = SPOKEN_KINDS if term.sense is Sense.SAID else None
    if not words:
        return WordSearch()
    if term.text.endswith("*"):
        *others, last = loose_phrases(term.text)
        prefix = TextTerm(last, is_prefix=True, is_literal=True)
        return WordSearch((ScoredQuery(CueQuery((*_each(others), prefix), kinds=kinds), 1.0),))
    if isinstance(term, Literal):
        return WordSearch((ScoredQuery(_phrase_query(words, kinds), 1.0),), words)
    if term.sense is None:
        return WordSearch((ScoredQuery(CueQuery(_each(loose_phrases(term.text))), SCATTERED_WORDS_SCORE),))
    return WordSearch((ScoredQuery(_phrase_query(words, kinds), 1.0), *_scattered(term.text, kinds)), words)


def find_across_lines(
    index: FullTextIndex, phrase: Sequence[str], file_ids: frozenset[int] | None = None
) -> list[CueMatch]:
    """All matches of a phrase that begins in one line of subtitles and ends in a later one, all with score 1."""
    return [
        CueMatch(
            file_id,
            lines[0].start_seconds,
            max(cue.end_seconds for cue in lines),
            " ".join(cue.text for cue in lines),
            CueKind.SUBTITLE,
            lines[0].source,
            1.0,
        )
        for file_id, lines in index.across_lines(phrase, file_ids)
        if _is_continuous(lines)
    ]


def cue_match(file_id: int, cue: Cue, score: float, found_by: FoundBy = FoundBy.WORDS) -> CueMatch:
    """A cue of a file as a match."""
    return CueMatch(file_id, cue.start_seconds, cue.end_seconds, cue.text, cue.kind, cue.source, score, found_by)


def _each(phrases: Sequence[tuple[str, ...]]) -> tuple[TextTerm, ...]:
    return tuple(TextTerm(phrase, is_prefix=False, is_literal=True) for phrase in phrases)


def _phrase_query(words: tuple[str, ...], kinds: frozenset[CueKind] | None) -> CueQuery:
    return CueQuery((TextTerm(words, is_prefix=False, is_literal=True),), kinds=kinds)


def _scattered(text: str, kinds: frozenset[CueKind] | None) -> tuple[ScoredQuery, ...]:
    """A query for each number of words that a cue may contain, without those that match the phrase or more words."""
    phrase, words = _phrase_query(tuple(tokenize(text)), None), loose_phrases(text)
    distinct = tuple(dict.fromkeys(words))
    excluded: tuple[CueQuery, ...] = (phrase,)
    queries: list[ScoredQuery] = []
    for count in _word_counts(len(distinct)) if len(words) > 1 else ():
        query = CueQuery((), _each(distinct), count, excluded, kinds)
        queries.append(ScoredQuery(query, SCATTERED_WORDS_SCORE * count / len(distinct)))
        excluded = (phrase, CueQuery((), _each(distinct), count))
    return tuple(queries)


def _word_counts(words: int) -> list[int]:
    """The numbers of words to search for, from all down to MIN_WORD_SHARE of them."""
    least = math.ceil(words * MIN_WORD_SHARE)
    counts = range(words, least, -1)
    return [*counts[:: math.ceil(len(counts) / (MAX_WORD_SHARES - 1)) or 1], least]


def _is_continuous(lines: Sequence[Cue]) -> bool:
    return all(after.start_seconds - before.end_seconds <= MAX_CUE_GAP_SECONDS for before, after in pairwise(lines))
