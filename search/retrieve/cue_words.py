"""What is said or written, by its words: the cues that answer, with how surely they do.

A cue that holds the very words, one after the other, answers for certain. Of words that may stand apart it answers by
the share of them that it holds. This finds what was written down in these words: what means the same is found by
`meaning`, and what only sounds like it in the audio space.
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

SAID = frozenset({CueKind.SUBTITLE})
"""The cues that were spoken; titles, chapters and descriptions were not."""

APART = 0.8
"""How surely a cue answers that holds all words, but not one after the other."""

LOOKED_AT_FILES = 20
"""In so many files, those that hold most of the words, a phrase is looked for across neighbouring cues as well."""

NEIGHBOURS_SECONDS = 3.0
"""A sentence goes on in the next cue when that begins so soon."""


@dataclass(frozen=True, slots=True)
class CueMatch:
    """A stretch of a file whose cues hold what was asked for: `text` is what they say, `source` where it stands.

    `score` is in 0..1; 1 where the words stand there literally, one after the other.
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
        """Whether the very words stand there."""
        return self.score == 1.0


def find_phrase(
    library: Library,
    phrase: str,
    k: int,
    file_ids: frozenset[int] | None = None,
    kinds: frozenset[CueKind] | None = SAID,
) -> list[CueMatch]:
    """At most k stretches where the words of a phrase stand one after the other, all with score 1.

    Those inside one cue come first, by BM25; then those that go on from one subtitle to the next, by file and time.
    `kinds`: only such cues, None for all.
    """
    asked = tokenize(phrase)
    if not asked:
        return []
    literal = f'"{" ".join(asked)}"'
    found = [match_of(hit, 1.0) for hit in library.search_cues(literal, k, file_ids, kinds)]
    if len(found) < k and len(asked) > 1 and (kinds is None or CueKind.SUBTITLE in kinds):
        some = library.search_cues(" ".join(asked), 10 * LOOKED_AT_FILES, file_ids, SAID)
        likely = list(dict.fromkeys(hit.file_id for hit in some))[:LOOKED_AT_FILES]
        found += [match for file_id in sorted(likely) for match in _across(file_id, library.cues(file_id), asked)]
    return found[:k]


def find_prefix(
    library: Library,
    text: str,
    k: int,
    file_ids: frozenset[int] | None = None,
    kinds: frozenset[CueKind] | None = SAID,
) -> list[CueMatch]:
    """At most k cues that hold the words of a text that ends with `*`, of which the last may go on; by BM25."""
    asked = tokenize(text)
    if not asked:
        return []
    whole = "".join(f'"{word}" ' for word in asked[:-1])
    return [match_of(hit, 1.0) for hit in library.search_cues(f"{whole}{asked[-1]}*", k, file_ids, kinds)]


def find_together(library: Library, text: str, k: int, file_ids: frozenset[int] | None = None) -> list[CueMatch]:
    """At most k cues of all kinds that hold all words of a text, by BM25; the quickest."""
    whole = " ".join(f'"{word}"' for word in tokenize(text))
    return [match_of(hit, APART) for hit in library.search_cues(whole, k, file_ids)] if whole else []


def find_words(
    library: Library,
    text: str,
    k: int,
    file_ids: frozenset[int] | None = None,
    kinds: frozenset[CueKind] | None = SAID,
) -> list[CueMatch]:
    """At most k cues that hold words of a text: `find_phrase` first, then by the share of the words, then by BM25."""
    asked = tokenize(text)
    found = {
        (each.file_id, each.start_seconds, each.text): each for each in find_phrase(library, text, k, file_ids, kinds)
    }
    hits = library.search_cues(" ".join(asked), 4 * k, file_ids, kinds) if asked else []
    for hit in hits:
        share = len(set(asked).intersection(tokenize(hit.cue.text))) / len(set(asked))
        found.setdefault((hit.file_id, hit.cue.start_seconds, hit.cue.text), match_of(hit, APART * share))
    return sorted(found.values(), key=lambda match: -match.score)[:k]


def match_of(hit: CueHit, score: float, found_by: FoundBy = FoundBy.WORDS) -> CueMatch:
    """A cue that was found, and how surely it answers."""
    cue = hit.cue
    return CueMatch(hit.file_id, cue.start_seconds, cue.end_seconds, cue.text, cue.kind, cue.source, score, found_by)


def _across(file_id: int, cues: Sequence[Cue], asked: Sequence[str]) -> Iterator[CueMatch]:
    """Where the words begin in one subtitle and end in a later one of the same source."""
    spoken = sorted((cue for cue in cues if cue.kind is CueKind.SUBTITLE), key=lambda cue: cue.source)
    for source, group in groupby(spoken, key=lambda cue: cue.source):
        lines = list(group)
        said = [(word, number) for number, cue in enumerate(lines) for word in tokenize(cue.text)]
        for at in range(len(said) - len(asked) + 1):
            if said[at][0] == asked[0] and [word for word, _ in said[at : at + len(asked)]] == list(asked):
                stretch = lines[said[at][1] : said[at + len(asked) - 1][1] + 1]
                if len(stretch) > 1 and _goes_on(stretch):
                    start, end = stretch[0].start_seconds, max(cue.end_seconds for cue in stretch)
                    text = " ".join(cue.text for cue in stretch)
                    yield CueMatch(file_id, start, end, text, CueKind.SUBTITLE, source, 1.0)


def _goes_on(stretch: Sequence[Cue]) -> bool:
    return all(after.start_seconds - before.end_seconds <= NEIGHBOURS_SECONDS for before, after in pairwise(stretch))
