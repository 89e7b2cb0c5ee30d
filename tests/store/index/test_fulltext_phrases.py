"""Phrases across lines of subtitles equal those that reading all lines finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.cues import Cue, CueKind
from pesearch.store.catalogue.cues import StoredCue
from pesearch.store.index import fulltext_phrases
from pesearch.store.index.fulltext import FullTextIndex, build_fulltext
from pesearch.store.index.fulltext_document import documents
from pesearch.store.index.fulltext_query import CueQuery

WORDS = st.sampled_from(["mind", "the", "gap"])
LINE = st.lists(WORDS, max_size=4)
SOURCE = st.lists(LINE, max_size=6)


def index_of(sources: Sequence[Sequence[Sequence[str]]]) -> FullTextIndex:
    """An index of sources of subtitles: source n is of file n // 2."""
    cues = [
        StoredCue(number, number // 2, Cue(float(at), at + 1.0, " ".join(line), CueKind.SUBTITLE, "a.srt"))
        for number, lines in enumerate(sources)
        for at, line in enumerate(lines)
    ]
    return build_fulltext(None, np.arange(len(sources)), (), cues)


def runs_of(sources: Sequence[Sequence[Sequence[str]]], phrase: Sequence[str]) -> Iterator[tuple[int, float, float]]:
    """(file id, start of the first line, end of the last) of all runs, by reading all lines."""
    for number, lines in enumerate(sources):
        words = [(word, at) for at, line in enumerate(lines) for word in line]
        for at in range(len(words) - len(phrase) + 1):
            part = words[at : at + len(phrase)]
            if [word for word, _ in part] == list(phrase) and part[0][1] != part[-1][1]:
                yield number // 2, float(part[0][1]), part[-1][1] + 1.0


@given(st.lists(SOURCE, max_size=3), st.lists(WORDS, min_size=1, max_size=6), st.booleans())
def test_phrases_are_found_where_reading_all_lines_finds_them(
    sources: list[list[list[str]]], phrase: list[str], many: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if many:
            patch.setattr(fulltext_phrases, "MAX_FIRST_LINES", 0)
        found = index_of(sources).across_lines(phrase)
    times = {(file_id, lines[0].start_seconds, lines[-1].end_seconds) for file_id, lines in found}
    assert times == set(runs_of(sources, phrase))


def test_streams_are_searched_apart_and_files_restrict_the_search() -> None:
    first, second = (Cue(float(n), n + 1.0, text, CueKind.SUBTITLE, "stream 1") for n, text in enumerate("ab"))
    other = Cue(1.0, 2.0, "b", CueKind.SUBTITLE, "stream 2")
    chapter = Cue(1.0, 2.0, "b", CueKind.CHAPTER, "stream 1")
    cues = [StoredCue(1, 1, first), StoredCue(1, 1, other), StoredCue(2, 2, first), StoredCue(2, 2, second)]
    index = build_fulltext(None, np.array([1, 2]), (), [*cues[:2], StoredCue(1, 1, chapter), *cues[2:]])
    assert index.across_lines(["a", "b"]) == [(2, (first, second))]
    assert index.across_lines(["a", "b"], frozenset({1})) == index.across_lines(["b", "a"]) == []


def test_a_very_long_phrase_costs_few_searches() -> None:
    index = index_of([[["mind", "the"]] * 3])
    assert index.across_lines(["mind", "gap"] * 2000) == []
    ((_, lines),) = index.across_lines(["the", "mind", "the", "mind"])
    assert len(lines) == 3


_UNSPACED = st.sampled_from(["東京大山", "かがき", "カタナ", "กรุงเทพ", "ကခဂ", "កខគ", "ກຂຄ"])


@given(st.data(), _UNSPACED)
def test_a_run_of_an_unspaced_script_is_found_as_it_is_written(data: st.DataObject, alphabet: str) -> None:
    lines = data.draw(st.lists(st.text(alphabet, min_size=1, max_size=8), max_size=6))
    asked = data.draw(st.text(alphabet, min_size=1, max_size=3))
    hits = index_of([[[line]] for line in lines]).search(CueQuery.parse(f'"{asked}"'), 100)
    assert {hit.cue.text for hit in hits} == {line for line in lines if asked in line}


_SPELLINGS = [
    ["Łódź", "lodz", "ŁÓDŹ"], ["København", "kobenhavn"], ["Eisen\u00adbahn", "eisenbahn"], ["שָׁלוֹם", "שלום"],
    ["مُحَمَّد", "محمد"], ["ёлка", "ЕЛКА"], ["Σίσυφος", "σισυφος"], ["हिन्दी"], ["한국어"], ["Straße", "STRASSE"],
]  # fmt: skip
_WORD = st.sampled_from([(number, text) for number, texts in enumerate(_SPELLINGS) for text in texts])


@given(st.lists(st.lists(_WORD, min_size=1, max_size=4), max_size=4), st.lists(_WORD, min_size=1, max_size=2))
def test_a_phrase_is_found_in_any_spelling_of_a_spaced_script(
    lines: list[list[tuple[int, str]]], asked: list[tuple[int, str]]
) -> None:
    """In order, next to each other, and nowhere else."""
    sources = [[[text for _, text in line]] for line in lines]
    phrase = CueQuery.parse('"{}"'.format(" ".join(text for _, text in asked)))
    numbers = [number for number, _ in asked]
    expected = {
        " ".join(text for _, text in line)
        for line in lines
        if any([number for number, _ in line[at : at + len(asked)]] == numbers for at in range(len(line)))
    }
    assert {hit.cue.text for hit in index_of(sources).search(phrase, 100)} == expected


def test_cues_are_indexed_one_at_a_time_and_streams_apart() -> None:
    """Two streams of one source alternate: the phrase goes on in the next line of the same stream."""
    read: list[int] = []

    def cues() -> Iterator[StoredCue]:
        for at, (stream, text) in enumerate([("2", "mind"), ("3", "never"), ("2", "the gap"), ("3", "mind")]):
            read.append(at)
            yield StoredCue(0, 0, Cue(float(at), at + 1.0, text, CueKind.SUBTITLE, f"stream {stream}"))

    made = documents(cues())
    next(made)
    assert read == [0]
    index = build_fulltext(None, np.arange(1), (), cues())
    ((_, lines),) = index.across_lines(["mind", "the", "gap"])
    assert [line.start_seconds for line in lines] == [0.0, 2.0]
    assert index.across_lines(["mind", "never"]) == index.across_lines(["gap", "mind"]) == []
