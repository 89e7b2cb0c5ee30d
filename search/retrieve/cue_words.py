"""Finds cues by their words, with scores in 0..1.

A cue that contains the phrase literally scores 1. For words in any order the score grows with the share of them that
the cue contains. Paraphrases are found by `cue_meaning`, speech without a transcript in the audio space.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from pesearch.cues import Cue, CueHit, CueKind, FoundBy
from pesearch.store.index.tokenizer import tokenize

if TYPE_CHECKING:
    from pesearch.store.library import Library

SPOKEN_KINDS = frozenset({CueKind.SUBTITLE})
"""Kinds of cues that were spoken; titles, chapters and descriptions were not."""

SCATTERED_WORDS_SCORE = 0.8
"""Score of a cue that contains all words, but not as a phrase."""

MAX_PHRASE_FILES = 20
"""A phrase across neighbouring cues is searched only in this many files: those with the most words of it."""

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


def find_phrase(
    library: Library,
    phrase: str,
    k: int,
    file_ids: frozenset[int] | None = None,
    kinds: frozenset[CueKind] | None = SPOKEN_KINDS,
) -> list[CueMatch]:
    """At most k literal matches of a phrase, all with score 1.

    Matches inside one cue come first, by BM25; then those across consecutive subtitles, by file and time.
    `kinds`: Kinds of cues to search, None for all.
    """
    query_words = tokenize(phrase)
    if not query_words:
        return []
    literal = f'"{" ".join(query_words)}"'
    found = [to_match(hit, 1.0) for hit in library.search_cues(literal, k, file_ids, kinds)]
    if len(found) < k and len(query_words) > 1 and (kinds is None or CueKind.SUBTITLE in kinds):
        hits = library.search_cues(" ".join(query_words), 10 * MAX_PHRASE_FILES, file_ids, SPOKEN_KINDS)
        file_candidates = list(dict.fromkeys(hit.file_id for hit in hits))[:MAX_PHRASE_FILES]
        found += [
            match
            for file_id in sorted(file_candidates)
            for match in _match_across_cues(file_id, library.cues(file_id), query_words)
        ]
    return found[:k]


def find_prefix(
    library: Library,
    text: str,
    k: int,
    file_ids: frozenset[int] | None = None,
    kinds: frozenset[CueKind] | None = SPOKEN_KINDS,
) -> list[CueMatch]:
    """At most k cues that match a text ending in `*`, whose last word is a prefix; by BM25."""
    query_words = tokenize(text)
    if not query_words:
        return []
    leading = "".join(f'"{word}" ' for word in query_words[:-1])
    return [to_match(hit, 1.0) for hit in library.search_cues(f"{leading}{query_words[-1]}*", k, file_ids, kinds)]


def find_all_words(library: Library, text: str, k: int, file_ids: frozenset[int] | None = None) -> list[CueMatch]:
    """At most k cues of any kind that contain all words of a text, by BM25; the fastest search."""
    quoted = " ".join(f'"{word}"' for word in tokenize(text))
    return [to_match(hit, SCATTERED_WORDS_SCORE) for hit in library.search_cues(quoted, k, file_ids)] if quoted else []


def find_words(
    library: Library,
    text: str,
    k: int,
    file_ids: frozenset[int] | None = None,
    kinds: frozenset[CueKind] | None = SPOKEN_KINDS,
) -> list[CueMatch]:
    """At most k cues that contain words of a text: those of `find_phrase`, then by share of the words, then by BM25."""
    query_words = tokenize(text)
    found = {
        (match.file_id, match.start_seconds, match.text): match
        for match in find_phrase(library, text, k, file_ids, kinds)
    }
    hits = library.search_cues(" ".join(query_words), 4 * k, file_ids, kinds) if query_words else []
    for hit in hits:
        share = len(set(query_words).intersection(tokenize(hit.cue.text))) / len(set(query_words))
        found.setdefault(
            (hit.file_id, hit.cue.start_seconds, hit.cue.text), to_match(hit, SCATTERED_WORDS_SCORE * share)
        )
    return sorted(found.values(), key=lambda match: -match.score)[:k]


def to_match(hit: CueHit, score: float, found_by: FoundBy = FoundBy.WORDS) -> CueMatch:
    """A cue with its score as a match."""
    cue = hit.cue
    return CueMatch(hit.file_id, cue.start_seconds, cue.end_seconds, cue.text, cue.kind, cue.source, score, found_by)


def _match_across_cues(file_id: int, cues: Sequence[Cue], query_words: Sequence[str]) -> Iterator[CueMatch]:
    """Matches that start in one subtitle and end in a later one of the same source."""
    subtitles = sorted((cue for cue in cues if cue.kind is CueKind.SUBTITLE), key=lambda cue: cue.source)
    for source, group in groupby(subtitles, key=lambda cue: cue.source):
        lines = list(group)
        spoken_words = [(word, number) for number, cue in enumerate(lines) for word in tokenize(cue.text)]
        for at in range(len(spoken_words) - len(query_words) + 1):
            if spoken_words[at][0] == query_words[0] and [
                word for word, _ in spoken_words[at : at + len(query_words)]
            ] == list(query_words):
                matched_cues = lines[spoken_words[at][1] : spoken_words[at + len(query_words) - 1][1] + 1]
                if len(matched_cues) > 1 and _is_continuous(matched_cues):
                    start, end = matched_cues[0].start_seconds, max(cue.end_seconds for cue in matched_cues)
                    text = " ".join(cue.text for cue in matched_cues)
                    yield CueMatch(file_id, start, end, text, CueKind.SUBTITLE, source, 1.0)


def _is_continuous(matched_cues: Sequence[Cue]) -> bool:
    return all(
        after.start_seconds - before.end_seconds <= MAX_CUE_GAP_SECONDS for before, after in pairwise(matched_cues)
    )
