"""Full-text search of cues, with an index on disk that may be missing, stale or damaged."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from math import log
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
from tests.store.word_search import search_cues

TEXTS = ["Mind the gap", "the gap is wide, mind you", "Stand clear of the doors", "Café du Gare", "A train. The train!"]


@pytest.fixture(scope="module")
def subtitled(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library whose file n has the subtitle TEXTS[n - 1]. Not to be changed."""
    library = create_library(tmp_path_factory.mktemp("subtitled") / "library", "made-up", SPACES)
    with library.writer() as writer:
        writer.add([with_cues(f"/{n}", f"content {n}", inside(cue(text))) for n, text in enumerate(TEXTS)])
    return library


@pytest.fixture
def copied(subtitled: Library, tmp_path: Path) -> Library:
    """A copy of `subtitled` for one test."""
    shutil.copytree(subtitled.folder, tmp_path / "copied")
    return open_library(tmp_path / "copied")


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
def test_query_finds_files(subtitled: Library, query: str, found: set[int]) -> None:
    hits = search_cues(subtitled, query, 10)
    assert set(files(hits)) == found
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_rare_words_and_short_cues_come_first(subtitled: Library) -> None:
    assert files(search_cues(subtitled, "mind gap", 10)) == [1, 2]  # the shorter
    assert files(search_cues(subtitled, "the doors", 10))[0] == 3  # the rarer word


@pytest.mark.parametrize("query", ["the", "mind gap", "the doors mind", "train the"])
def test_scores_are_bm25(subtitled: Library, query: str) -> None:
    """The formula of Robertson and Zaragoza 2009 with k1 = 1.2 and b = 0.75, for one cue in each file."""
    documents = [tokenize(text) for text in TEXTS]
    average = sum(map(len, documents)) / len(documents)
    expected = {}
    for file_id, document in enumerate(documents, start=1):
        score = 0.0
        for word in query.split():
            matching = sum(word in other for other in documents)
            frequency = document.count(word)
            saturation = frequency + 1.2 * (1 - 0.75 + 0.75 * len(document) / average)
            score += log(1 + (len(documents) - matching + 0.5) / (matching + 0.5)) * frequency * 2.2 / saturation
        if score:
            expected[file_id] = score
    hits = search_cues(subtitled, query, 10)
    assert {hit.file_id: hit.score for hit in hits} == pytest.approx(expected, rel=1e-5)


def test_hit_is_the_cue_as_stored(subtitled: Library) -> None:
    (hit,) = search_cues(subtitled, "cafe", 10)
    assert (hit.file_id, hit.cue, hit.rank) == (4, *subtitled.cues(4), 1)


def test_filters_by_file_and_kind_keep_the_scores(library: Library) -> None:
    title, subtitle = cue("the gap", kind=CueKind.TITLE), cue("the gap")
    with library.writer() as writer:
        writer.add([with_cues(f"/{n}", f"{n}", inside(title, subtitle)) for n in range(3)])
    assert [(hit.file_id, hit.cue) for hit in search_cues(library, "gap", 10, frozenset({2, 99}))] == [
        (2, subtitle),
        (2, title),
    ]
    found = search_cues(library, "gap", 10, kinds=frozenset({CueKind.TITLE}))
    assert [(hit.file_id, hit.cue) for hit in found] == [(1, title), (2, title), (3, title)]
    assert search_cues(library, "gap", 10, frozenset()) == search_cues(library, "gap", 10, kinds=frozenset()) == []
    scores = {hit.score for hit in search_cues(library, "gap", 10)}
    assert {hit.score for hit in found} == scores


def test_ties_come_in_the_order_of_files_for_any_k(library: Library) -> None:
    with library.writer() as writer:
        writer.add([with_cues(f"/{n}", f"{n}", inside(cue("[music]", float(n)))) for n in range(60)])
        writer.store_cues([(1, inside(cue("[music]")))])  # now the last document of the index
    everything = search_cues(library, "music", 1000)
    assert files(everything) == list(range(1, 61))
    assert [search_cues(library, "music", k) for k in (1, 7, 59)] == [everything[:k] for k in (1, 7, 59)]


def test_reader_sees_each_commit(library: Library) -> None:
    assert search_cues(library, "gap", 5) == []
    with library.writer() as writer:
        writer.add([with_cues("/a", "one", inside(cue("the gap")))])
        assert files(search_cues(library, "gap", 5)) == [1]
        writer.store_cues([(1, inside(cue("the doors")))])
        assert search_cues(library, "gap", 5) == []
        writer.add([with_cues("/b", "two", inside(cue("a gap")))])
        assert files(search_cues(library, "gap", 5)) == [2]
        writer.remove([2])
    assert search_cues(library, "gap", 5) == []
    assert files(search_cues(library, "doors", 5)) == [1]


VOCABULARY = ("gap", "train", "door", "the")
CONTENTS = st.lists(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=4).map(" ".join), max_size=3)
COMMITS = st.lists(st.dictionaries(st.integers(1, 5), CONTENTS, max_size=4), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def five_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of five files without cues. Not to be changed."""
    library = create_library(tmp_path_factory.mktemp("five") / "library", "made-up", SPACES)
    with library.writer() as writer:
        writer.add([encoded(f"/{n}", f"{n}") for n in range(5)])
    return library.folder


@settings(max_examples=6)
@given(COMMITS, st.booleans())
def test_each_word_and_phrase_is_found_where_it_stands(
    five_files: Path, tmp_path_factory: pytest.TempPathFactory, commits: list[dict[int, list[str]]], cached: bool
) -> None:
    """After any changes, with a cache of the first commit or without one."""
    folder = tmp_path_factory.mktemp("library") / "library"
    shutil.copytree(five_files, folder)
    library = open_library(folder)
    contents_by_file: dict[int, list[str]] = {}
    with pytest.MonkeyPatch.context() as patch, library.writer() as writer:
        patch.setattr(fulltext_file, "MIN_CACHED_CUES", 0)
        for number, commit in enumerate(commits):
            writer.store_cues(
                [
                    (file_id, inside(*(cue(text, float(start)) for start, text in enumerate(contents))))
                    for file_id, contents in commit.items()
                ]
            )
            contents_by_file |= commit
            if cached and number == 0:
                fulltext_file.refresh_fulltext(folder, library.pinned()._now().snapshot.library_id)
        assert cache(library).exists() == (cached and any(commits[0].values()))
        for phrase in (*VOCABULARY, "the gap", "train door"):
            found = {(hit.file_id, hit.cue.text) for hit in search_cues(library, f'"{phrase}"', 100)}
            assert found == {
                (file_id, text)
                for file_id, contents in contents_by_file.items()
                for text in contents
                if f" {phrase} " in f" {' '.join(tokenize(text))} "
            }


@pytest.fixture
def always_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache for any number of cues."""
    monkeypatch.setattr(fulltext_file, "MIN_CACHED_CUES", 0)


def cache(library: Library) -> Path:
    return library.folder / "indexes" / "cues.zip"


def test_few_cues_have_no_cache(subtitled: Library) -> None:
    assert not cache(subtitled).exists()


@pytest.mark.usefixtures("always_cached")
def test_cache_does_not_change_answers(copied: Library) -> None:
    with copied.writer() as writer:
        writer.add([with_cues("/more", "more", inside(cue("mind the train")))])
    assert cache(copied).exists()
    queries = ["mind the gap", "tra*", '"the train"']
    with_cache = [search_cues(open_library(copied.folder), query, 10) for query in queries]
    cache(copied).unlink()
    assert [search_cues(open_library(copied.folder), query, 10) for query in queries] == with_cache
    assert all(with_cache)


@pytest.mark.usefixtures("always_cached")
def test_unusable_cache_is_replaced(copied: Library, tmp_path: Path) -> None:
    with copied.writer():
        pass
    whole = cache(copied).read_bytes()
    middle = whole.index(b"mind") if b"mind" in whole else len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    other = create_library(tmp_path / "other", "made-up", SPACES)
    with other.writer() as writer:
        writer.add([with_cues("/x", "x", inside(cue("elsewhere gap")))])
    for content in (b"", whole[:-30], flipped, cache(other).read_bytes()):
        cache(copied).write_bytes(content)
        assert set(files(search_cues(open_library(copied.folder), "gap", 9))) == {1, 2}
    with copied.writer():
        pass
    assert fulltext_file._read_covered(copied.folder, copied.pinned()._now().snapshot.library_id) is not None


@pytest.mark.usefixtures("always_cached")
def test_read_only_library_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    with public_folder() as folder:
        library = create_library(folder / "library", "made-up", SPACES)
        with library.writer() as writer:
            writer.add([with_cues("/a", "one", inside(cue("mind the gap")))])
        assert cache(library).exists()
        library.folder.chmod(0o755)
        with without_rights():
            assert files(search_cues(open_library(library.folder), "gap", 5)) == [1]


@pytest.mark.usefixtures("always_cached")
def test_no_temporary_file_is_left_behind(copied: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with copied.writer():
        pass
    assert cache(copied).exists()
    assert search_cues(copied, "gap", 5)
    assert list((tmp_path / "temporary").iterdir()) == []
    assert search_cues(copied, "doors", 5)


def test_long_texts_and_hostile_queries_find_what_matches(copied: Library) -> None:
    source = CueSource(None, None, (Cue(0, 1, "x" * 8000, CueKind.SUBTITLE, "s"), cue("y" * 70_000)))
    with copied.writer() as writer:
        writer.store_cues([(1, source)])
    assert files(search_cues(copied, "x" * 8000, 5)) == [1]
    assert search_cues(copied, " ".join(["gap"] * 5000), 5)
    assert files(search_cues(copied, "(" * 3000 + "x*", 5)) == [1]
