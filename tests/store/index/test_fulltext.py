"""Finding cues by their words, whatever the cache on the disk is like."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.cues import Cue, CueHit, CueKind, CueSource
from pesearch.store.index import fulltext_file
from pesearch.store.index.tokenizer import tokenize
from pesearch.store.library import Library, create_library, open_library
from tests.indexer.trees import public_folder, without_rights
from tests.store.catalogue.test_cues import cue, inside, with_cues
from tests.store.contents import SPACES, encoded

SAID = ["Mind the gap", "the gap is wide, mind you", "Stand clear of the doors", "Café du Gare", "A train. The train!"]


@pytest.fixture
def talking(library: Library) -> Library:
    """A library in which file n says SAID[n - 1]."""
    with library.writer() as writer:
        writer.add([with_cues(f"/{n}", f"content {n}", inside(cue(text))) for n, text in enumerate(SAID)])
    return library


def files(hits: Iterable[CueHit]) -> list[int]:
    return [hit.file_id for hit in hits]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("gap", {1, 2}),
        ("GAP!", {1, 2}),
        ('"mind the gap"', {1}),
        ('"the gap"', {1, 2}),
        ('"gap mind"', set()),
        ("cafe", {4}),
        ("CAFÉ", {4}),
        ("tra*", {5}),
        ("d*", {3, 4}),
        ('"clear of the do*"', {3}),
        ('"clear of the do"', set()),
        ("mind doors", {1, 2, 3}),
        ('"the gap" mind', {1, 2}),
        ('"stand clear" gap', {3}),
        ("well-stand", set()),
        ("stand-clear", {3}),
        ("nothing", set()),
        ("", set()),
        ("...", set()),
        ('"', set()),
    ],
)
def test_queries(talking: Library, query: str, found: set[int]) -> None:
    hits = talking.search_cues(query, 10)
    assert set(files(hits)) == found
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_rare_words_and_short_cues_come_first(talking: Library) -> None:
    assert files(talking.search_cues("mind gap", 10)) == [1, 2]  # the shorter
    assert files(talking.search_cues("the doors", 10))[0] == 3  # the rarer word


def test_hit_is_the_cue_as_stored(talking: Library) -> None:
    (hit,) = talking.search_cues("cafe", 10)
    assert (hit.file_id, hit.cue, hit.rank) == (4, *talking.cues(4), 1)


def test_only_in_files_and_of_kinds(library: Library) -> None:
    title, said = cue("the gap", kind=CueKind.TITLE), cue("the gap")
    with library.writer() as writer:
        writer.add([with_cues(f"/{n}", f"{n}", inside(title, said)) for n in range(3)])
    assert [(hit.file_id, hit.cue) for hit in library.search_cues("gap", 10, frozenset({2, 99}))] == [
        (2, said),
        (2, title),
    ]
    found = library.search_cues("gap", 10, kinds=frozenset({CueKind.TITLE}))
    assert [(hit.file_id, hit.cue) for hit in found] == [(1, title), (2, title), (3, title)]
    assert library.search_cues("gap", 10, frozenset()) == library.search_cues("gap", 10, kinds=frozenset()) == []
    scores = {hit.score for hit in library.search_cues("gap", 10)}
    assert {hit.score for hit in found} == scores  # a condition does not change the score


def test_equals_come_in_the_order_of_files_however_many_are_asked_for(library: Library) -> None:
    numbers = list(range(200))
    random.Random(1).shuffle(numbers)
    with library.writer() as writer:
        for start in range(0, 200, 20):
            writer.add(
                [with_cues(f"/{n}", f"{n}", inside(cue("[music]", float(n)))) for n in numbers[start : start + 20]]
            )
    everything = library.search_cues("music", 1000)
    assert files(everything) == sorted(files(everything)) and len(everything) == 200
    assert [library.search_cues("music", k) for k in (1, 7, 199)] == [everything[:k] for k in (1, 7, 199)]


def test_reader_follows_what_is_committed(library: Library) -> None:
    assert library.search_cues("gap", 5) == []
    with library.writer() as writer:
        writer.add([with_cues("/a", "one", inside(cue("the gap")))])
        assert files(library.search_cues("gap", 5)) == [1]
        writer.take_cues([(1, inside(cue("the doors")))])
        assert library.search_cues("gap", 5) == []
        writer.add([with_cues("/b", "two", inside(cue("a gap")))])
        assert files(library.search_cues("gap", 5)) == [2]
        writer.remove([2])
    assert library.search_cues("gap", 5) == []
    assert files(library.search_cues("doors", 5)) == [1]


VOCABULARY = ("gap", "train", "door", "the")
CONTENTS = st.lists(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=4).map(" ".join), max_size=3)
STEPS = st.lists(st.tuples(st.integers(0, 4), CONTENTS), min_size=1, max_size=8)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(STEPS, st.booleans())
def test_finds_what_a_plain_look_finds(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, list[str]]], cached: bool
) -> None:
    """After any changes, with a cache of an earlier state or none: each word and phrase is found where it stands."""
    library = create_library(tmp_path_factory.mktemp("library"), "made-up", SPACES)
    held: dict[int, list[str]] = {}
    with pytest.MonkeyPatch.context() as small, library.writer() as writer:
        small.setattr(fulltext_file, "MIN_CACHED_CUES", 0)
        writer.add([encoded(f"/{n}", f"{n}") for n in range(5)])
        for at, (n, contents) in enumerate(steps):
            writer.take_cues([(n + 1, inside(*(cue(text, float(at)) for at, text in enumerate(contents))))])
            held[n + 1] = contents
            if cached and at == 0:
                fulltext_file.refresh_fulltext(library.folder, library.pinned()._now().snapshot.library_id)
    for asked in (*VOCABULARY, "the gap", "train door"):
        found = {(hit.file_id, hit.cue.text) for hit in library.search_cues(f'"{asked}"', 100)}
        assert found == {
            (file_id, text)
            for file_id, contents in held.items()
            for text in contents
            if f" {asked} " in f" {' '.join(tokenize(text))} "
        }


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of cues gets a cache."""
    monkeypatch.setattr(fulltext_file, "MIN_CACHED_CUES", 0)


def cache(library: Library) -> Path:
    return library.folder / "indexes" / "cues.zip"


def test_few_cues_need_no_cache(talking: Library) -> None:
    assert not cache(talking).exists()


@pytest.mark.usefixtures("small")
def test_cache_answers_as_the_catalogue_does(talking: Library) -> None:
    with talking.writer() as writer:
        writer.add([with_cues("/more", "more", inside(cue("mind the train")))])
    assert cache(talking).exists()
    queries = ["mind the gap", "tra*", '"the train"']
    with_cache = [open_library(talking.folder).search_cues(query, 10) for query in queries]
    cache(talking).unlink()
    assert [open_library(talking.folder).search_cues(query, 10) for query in queries] == with_cache
    assert all(with_cache)


@pytest.mark.usefixtures("small")
def test_cache_that_is_damaged_or_of_another_library_is_of_no_use(talking: Library, tmp_path: Path) -> None:
    with talking.writer():
        pass
    whole = cache(talking).read_bytes()
    at = whole.index(b"mind") if b"mind" in whole else len(whole) // 2
    other = create_library(tmp_path / "other", "made-up", SPACES)
    with other.writer() as writer:
        writer.add([with_cues("/x", "x", inside(cue("elsewhere gap")))])
    for content in (b"", whole[:-30], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], cache(other).read_bytes()):
        cache(talking).write_bytes(content)
        assert set(files(open_library(talking.folder).search_cues("gap", 9))) == {1, 2}
    with talking.writer():
        pass
    assert fulltext_file._read_covered(talking.folder, talking.pinned()._now().snapshot.library_id) is not None


@pytest.mark.usefixtures("small")
def test_library_that_may_not_be_written_to_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    with public_folder() as folder:
        library = create_library(folder / "library", "made-up", SPACES)
        with library.writer() as writer:
            writer.add([with_cues("/a", "one", inside(cue("mind the gap")))])
        assert cache(library).exists()
        with without_rights():
            assert files(open_library(library.folder).search_cues("gap", 5)) == [1]


@pytest.mark.usefixtures("small")
def test_no_file_is_left_behind(talking: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with talking.writer():
        pass
    assert cache(talking).exists()
    assert talking.search_cues("gap", 5)
    assert list((tmp_path / "temporary").iterdir()) == []
    assert talking.search_cues("doors", 5)


def test_sources_are_of_one_text_only(talking: Library) -> None:
    """Hits of one text in a title and a subtitle are two; a hostile query is none."""
    source = CueSource(None, None, (Cue(0, 1, "x" * 8000, CueKind.SUBTITLE, "s"), cue("y" * 70_000)))
    with talking.writer() as writer:
        writer.take_cues([(1, source)])
    assert files(talking.search_cues("x" * 8000, 5)) == [1]
    assert talking.search_cues(" ".join(["gap"] * 5000), 5)
    assert files(talking.search_cues("(" * 3000 + "x*", 5)) == [1]
