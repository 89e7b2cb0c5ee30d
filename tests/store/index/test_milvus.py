"""Vectors on a Milvus: the answers of FAISS, whatever happens to the writer, to the collections and to the server."""

from __future__ import annotations

import fcntl
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.two_cones import TwoCones
from pesearch.errors import SnapshotExpired, VectorServerError
from pesearch.search_hits import Hits
from pesearch.store.catalogue.connection import transaction
from pesearch.store.catalogue.mutations import raise_generation, search_vectors_at
from pesearch.store.catalogue.vector_backend import FAISS, MilvusAddress, parse_vectors
from pesearch.store.index import vector_search
from pesearch.store.index.maintenance import RefreshFailed
from pesearch.store.index.milvus import client as milvus_client
from pesearch.store.index.milvus import collection as milvus_collection
from pesearch.store.index.milvus import search as milvus_search
from pesearch.store.index.milvus import sync as milvus_sync
from pesearch.store.index.milvus.client import close
from pesearch.store.index.milvus.collection import IndexKind, MilvusCollection
from pesearch.store.index.milvus.filters import filter_expressions
from pesearch.store.index.milvus.manifest import Manifest, SpaceOnMilvus
from pesearch.store.index.milvus.sync import resolve_vectors, spaces_on_milvus
from pesearch.store.library import Library, create_library, open_library
from pesearch.types import EncodedFile, MediaInfo, MediaKind, Space, SpaceName, SpaceVectors
from tests.store.contents import AUDIO, SPACES, encoded, location, queries
from tests.store.policies import ask_milvus

pytest.importorskip("milvus_lite")

WIDE = Space(SpaceName.AUDIO, "made-up", "1", 64)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few files at a time, and even a few rows are asked of the Milvus."""
    ask_milvus(monkeypatch)
    monkeypatch.setattr(milvus_sync, "SYNC_BATCH_ROWS", 10)


def move(library: Library, milvus: MilvusAddress | None) -> list[str]:
    with library.writer() as writer:
        return writer.search_vectors_at(milvus)


def add(library: Library, contents: range, rows: int = 3) -> list[RefreshFailed]:
    with library.writer() as writer:
        writer.add([encoded(f"/{number}", f"content {number}", rows=rows) for number in contents])
        return [step for step in writer.maintain() if isinstance(step, RefreshFailed)]


def found(library: Library, k: int = 5) -> list[Hits]:
    return [hits for space in library.spaces for hits in library.search(space.name, queries(space), k)]


def by_faiss(library: Library, folder: Path) -> Library:
    """A copy of a library that FAISS searches."""
    shutil.copytree(library.folder, folder)
    copy = open_library(folder)
    move(copy, None)
    return copy


def places(hits: Hits) -> set[tuple[int, float]]:
    return set(zip(hits.file_ids.tolist(), hits.segments[:, 0].tolist(), strict=True))


def covers(library: Library) -> list[tuple[SpaceOnMilvus, Manifest | None]]:
    """Of the spaces of the media: these libraries have no cues."""
    held = spaces_on_milvus(library.folder, library.pinned()._generation.snapshot)
    return [(each, each.read_manifest()) for each in held if each.space.name is not SpaceName.CUE]


def assert_whole(library: Library) -> None:
    """The collections hold the rows of the library, and no others."""
    for held, cover in covers(library):
        rows = library.rows(held.space.name)
        assert cover is not None
        assert (cover.layout.rows, held.collection.count_rows(), len(cover.partial)) == (rows, rows, 0)


def test_same_ten_of_real_media(
    sample_library: Library, milvus: MilvusAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of frames that are the same, which is found is the same too, because more are asked for than ten."""
    shutil.copytree(sample_library.folder, tmp_path / "library")
    library = open_library(tmp_path / "library")
    move(library, milvus)
    random = np.random.default_rng(1)
    for space in library.spaces:
        asked = library.sample(space.name, 8)
        asked += 0.05 * random.standard_normal(asked.shape).astype(np.float32)
        rows = library.rows(space.name)
        assert library.status().policies[space.name].milvus_rows == rows > 11
        monkeypatch.setattr(milvus_search, "FLAT_EXTRA_ROWS", min(16, rows - 11))
        assert library.search(space.name, asked, 10) == sample_library.search(space.name, asked, 10)


@pytest.fixture(scope="module")
def random_library(milvus: MilvusAddress, tmp_path_factory: pytest.TempPathFactory) -> tuple[Library, Library]:
    """Sixty files of random vectors, searched by FAISS, and a copy that is searched by a Milvus."""
    values = np.random.default_rng(5).standard_normal((60 * 50, WIDE.dim)).astype(np.float32)
    times = np.stack([np.arange(50), np.arange(50) + 1.5], axis=1)
    info = MediaInfo(MediaKind.AUDIO, 51.0, None, None)
    here = create_library(tmp_path_factory.mktemp("random") / "library", "made-up", [WIDE])
    with here.writer() as writer:
        writer.add(
            [
                EncodedFile(location(f"/{number:02}"), f"{number}", info, (SpaceVectors(WIDE.name, times, part),))
                for number, part in enumerate(np.split(values, 60))
            ]
        )
    shutil.copytree(here.folder, here.folder.with_name("copy"))
    there = open_library(here.folder.with_name("copy"))
    move(there, milvus)
    return here, there


CHOICES = {
    "all": None,
    "one": frozenset({7}),
    "a run": frozenset(range(10, 31)),
    "all but one": frozenset(range(1, 61)) - {30},
    "here and there": frozenset(range(1, 61, 2)),
    "unknown ones too": frozenset({3, 9, 4000}),
}


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("k", [1, 10, 40, 10_000])
def test_same_as_faiss(random_library: tuple[Library, Library], choice: str, k: int) -> None:
    here, there = random_library
    asked = np.random.default_rng(6).standard_normal((3, WIDE.dim)).astype(np.float32)
    wanted = here.search(WIDE.name, asked, k, CHOICES[choice])
    assert there.search(WIDE.name, asked, k, CHOICES[choice]) == wanted


def test_large_space_gets_lists_and_keeps_them(
    milvus: MilvusAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recall of the ten best of questions from another cone, of all files and a third; then the space is small."""
    world = TwoCones(64)
    files = list(world.files(5_000))
    asked = world.questions(np.concatenate([file.shots[:1] for file in files])[:40])
    library = create_library(tmp_path / "library", "made-up", [WIDE])
    info = MediaInfo(MediaKind.AUDIO, 1.0, None, None)
    monkeypatch.setattr(vector_search, "MAX_FLAT_BYTES", 0)
    monkeypatch.setattr(milvus_sync, "SYNC_BATCH_ROWS", 3000)
    move(library, milvus)
    with library.writer() as writer:
        for number, file in enumerate(files):
            times = np.stack([np.arange(len(file.vectors)), np.arange(len(file.vectors)) + 1.0], axis=1)
            writer.add(
                [
                    EncodedFile(
                        location(f"/{number}"), f"{number}", info, (SpaceVectors(WIDE.name, times, file.vectors),)
                    )
                ]
            )
    (cover,) = (cover for _, cover in covers(library))
    assert cover is not None and cover.kind is IndexKind.IVF
    exact = by_faiss(library, tmp_path / "copy")
    monkeypatch.setattr(vector_search, "MAX_FLAT_BYTES", 1 << 30)
    for file_ids in (None, frozenset(range(1, len(files) + 1, 3))):
        ours = library.search(WIDE.name, asked, 10, file_ids)
        best = exact.search(WIDE.name, asked, 10, file_ids)
        shared = [len(places(mine) & places(all_best)) for mine, all_best in zip(ours, best, strict=True)]
        assert np.mean(shared) / 10 >= 0.94
    with library.writer() as writer:
        writer.remove([1])
    assert_whole(library)
    assert "IVF_SQ8" in str(library.status().policies[WIDE.name])


def test_what_is_removed_is_gone_and_an_earlier_generation_still_has_it(
    library: Library, milvus: MilvusAddress, tmp_path: Path
) -> None:
    move(library, milvus)
    add(library, range(9))
    before = library.pinned()
    expected = found(before)
    with library.writer() as writer:
        writer.remove([2, 3, 5])
    assert_whole(library)
    assert not {2, 3, 5} & {file_id for hits in found(library, 100) for file_id in hits.file_ids.tolist()}
    assert found(library) == found(by_faiss(library, tmp_path / "copy"))
    assert found(before) == expected
    assert move(library, None) == []
    with pytest.raises(SnapshotExpired):
        found(before)


def test_rows_that_go_while_they_are_asked_for(
    library: Library, milvus: MilvusAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that asks for files that the writer takes out meanwhile asks again, without them."""
    move(library, milvus)
    add(library, range(9))
    reader = open_library(library.folder).pinned()
    expected, asked = found(reader), MilvusCollection.search

    def remove_first(self: MilvusCollection, *arguments: Any, **more: Any) -> Any:
        monkeypatch.setattr(MilvusCollection, "search", asked)
        with library.writer() as writer:
            writer.remove(range(1, 7))
        return asked(self, *arguments, **more)

    monkeypatch.setattr(MilvusCollection, "search", remove_first)
    assert found(reader) == expected


def heard(content: str) -> list[EncodedFile]:
    """Four files in one space."""
    files = [encoded(f"/{content} {number}", f"{content} {number}") for number in range(4)]
    return [replace(file, vectors=file.vectors[:1]) for file in files]


class Killed(BaseException):
    """What ends a writer at once."""


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Lets a writer make so many steps that can be seen from outside, and half of the next."""
    steps = [
        (SpaceOnMilvus, "write_manifest"),
        *((MilvusCollection, name) for name in ("create", "insert", "delete", "flush")),
    ]
    left = [1 << 30]

    def counting(step: Callable[..., None], name: str) -> Callable[..., None]:
        def counted(self: object, *arguments: Any, **more: Any) -> None:
            left[0] -= 1
            if left[0] < 0:
                if name == "insert":
                    step(self, *(argument[:1] for argument in arguments))
                if name == "delete":
                    step(self, arguments[0][:1])
                raise Killed
            step(self, *arguments, **more)

        return counted

    for owner, name in steps:
        monkeypatch.setattr(owner, name, counting(getattr(owner, name), name))

    def after(count: int) -> None:
        left[0] = count

    yield after


def test_writer_that_is_killed_anywhere(milvus: MilvusAddress, kill: Callable[[int], None], tmp_path: Path) -> None:
    """Between a commit and the end of its way to the Milvus: every reader has all, and the next writer mends."""
    library = create_library(tmp_path / "library", "made-up", [AUDIO])
    with library.writer() as writer:
        writer.add(heard("first"))
    move(library, milvus)
    for count in range(100):
        if count % 2:  # then it has to make the collection anew, too
            shutil.rmtree(library.folder / "indexes")
        try:
            with library.writer() as writer:
                writer.add(heard(f"more {count}"))
                writer.remove([library.files()[0].id, library.files()[-1].id])
                kill(count)
                list(writer.maintain())
                break
        except Killed:
            kill(1 << 30)
            here = by_faiss(library, tmp_path / str(count))
            for reader in (library, open_library(library.folder)):
                assert found(reader) == found(here)
            with library.writer() as writer:
                list(writer.maintain())
            assert_whole(library)
            assert found(library) == found(here)
    assert count >= 7


KILLED = """
import os, signal, sys
from pathlib import Path
from pesearch.store.index.milvus import sync as milvus_sync
from pesearch.store.library import open_library
from pesearch.store.index.milvus.collection import MilvusCollection
milvus_sync.SYNC_BATCH_ROWS = 10
insert, done = MilvusCollection.insert, []
def insert_and_die(self, *arguments):
    insert(self, *arguments)
    done.append(1)
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
MilvusCollection.insert = insert_and_die
with open_library(Path(sys.argv[1])).writer():
    pass
"""


def test_process_that_is_killed(library: Library, tmp_path: Path) -> None:
    """With it dies a Milvus Lite: what it was told and what is said to be covered are on the disk."""
    milvus = MilvusAddress(str(tmp_path / "lite.db"))
    add(library, range(20))
    with transaction(library.folder) as connection:  # no more, so that the process below brings the vectors there
        search_vectors_at(connection, milvus)
        raise_generation(connection)
    library = open_library(library.folder)
    process = subprocess.run([sys.executable, "-c", KILLED, str(library.folder)])
    assert process.returncode == -signal.SIGKILL
    covered = [0 if cover is None else cover.layout.rows for _, cover in covers(library)]
    assert 0 < sum(covered) < 120
    here = by_faiss(library, tmp_path / "copy")
    assert found(library) == found(here)
    with library.writer():
        pass
    assert_whole(library)
    assert found(library) == found(here)
    close(milvus)


def test_collection_that_was_dropped_is_filled_again(library: Library, milvus: MilvusAddress) -> None:
    move(library, milvus)
    add(library, range(9))
    expected = found(library)
    for held, _ in covers(library):
        held.collection.drop()
    state = library.milvus_state()
    assert state is not None
    assert state.rows == {space.name: (0, 27) for space in SPACES}
    with pytest.raises(VectorServerError, match="--vectors faiss"):
        found(library)
    with library.writer():
        pass
    assert found(library) == expected
    assert_whole(library)


def test_notes_that_are_deleted_lose_nothing(library: Library, milvus: MilvusAddress) -> None:
    move(library, milvus)
    add(library, range(9))
    expected = found(library)
    shutil.rmtree(library.folder / "indexes")
    reader = open_library(library.folder)
    assert (reader.status().policies[AUDIO.name].memory_rows, found(reader)) == (27, expected)
    with library.writer():
        pass
    assert_whole(library)


def test_a_copy_has_collections_of_its_own(library: Library, milvus: MilvusAddress, tmp_path: Path) -> None:
    move(library, milvus)
    add(library, range(9))
    expected = found(library)
    shutil.copytree(library.folder, tmp_path / "copy")
    copy = open_library(tmp_path / "copy")
    with copy.writer() as writer:
        writer.remove([1, 2])
    assert_whole(copy)
    assert found(library) == expected
    assert_whole(library)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[MilvusAddress, Callable[[], None]]]:
    """A Milvus at a port of this machine, and what ends it."""
    from milvus_lite.adapter.grpc.server import start_server_in_thread

    served, database, port = start_server_in_thread(str(tmp_path / "served"))

    def end() -> None:
        served.stop(grace=0).wait()
        database.close()

    address = MilvusAddress(f"http://127.0.0.1:{port}")
    yield address, end
    end()
    close(address)


def test_server_that_is_away(
    library: Library, server: tuple[MilvusAddress, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(milvus_collection, "SEARCH_SECONDS", 1.0)
    address, end = server
    move(library, address)
    add(library, range(9))
    expected = found(library)
    end()
    for reader in (library, open_library(library.folder)):
        with pytest.raises(VectorServerError, match="--vectors faiss") as told:
            found(reader)
        assert "\n" not in str(told.value)
    troubles = add(library, range(9, 10))
    assert [trouble.index for trouble in troubles] == ["audio", "frame"]
    assert len(library.files()) == 10
    with library.writer() as writer:
        writer.remove([10])
    staying = move(library, None)
    assert [name.rpartition("_")[2] for name in staying] == ["audio", "frame"]
    assert found(library) == expected


def test_file_that_another_process_has_open(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milvus_client, "LITE_WAIT_SECONDS", 0.1)
    (tmp_path / "lite.db").mkdir()
    with (tmp_path / "lite.db" / "LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(VectorServerError, match="one at a time"):
            resolve_vectors(f"milvus:{tmp_path}/lite.db")
    with pytest.raises(VectorServerError, match="no folder"):
        resolve_vectors(f"milvus:{tmp_path}/none/lite.db")


def test_writer_leaves_the_file_to_others(library: Library, tmp_path: Path) -> None:
    move(library, MilvusAddress(str(tmp_path / "lite.db")))
    add(library, range(2))
    with (tmp_path / "lite.db" / "LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_vectors(FAISS) is None
    assert parse_vectors("milvus:./a.db") == MilvusAddress(str(tmp_path / "a.db"))
    assert str(parse_vectors("milvus:https://host:19530/")) == "milvus:https://host:19530"


@pytest.mark.parametrize(
    "text", ["", "milvus", "milvus:", "milvus:a", "milvus:ftp://host", "http://host:19530", "a.db"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(VectorServerError, match="milvus:http://HOST:19530"):
        parse_vectors(text)


@pytest.mark.parametrize("text", ["milvus:http://user:secret@host", "milvus:http://host/?token=secret"])
def test_a_password_is_neither_stored_nor_shown(text: str) -> None:
    with pytest.raises(VectorServerError, match="PESEARCH_MILVUS_TOKEN") as told:
        parse_vectors(text)
    assert "secret" not in str(told.value)


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=40), st.data())
def test_an_expression_lets_through_what_is_wanted(runs: list[tuple[int, bool]], data: st.DataObject) -> None:
    """Each wanted file in one search, and of the others that are there none."""
    gaps = data.draw(st.lists(st.integers(1, 3), min_size=sum(n for n, _ in runs), max_size=sum(n for n, _ in runs)))
    held = np.cumsum(gaps)
    wanted = held[np.repeat([is_wanted for _, is_wanted in runs], [n for n, _ in runs])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pesearch.store.index.milvus.filters._MAX_FILE_IDS", 7)
        patch.setattr("pesearch.store.index.milvus.filters._MAX_RUNS", 2)
        searches = filter_expressions(wanted, held)
    through = [
        file_id for search in searches for file_id in held.tolist() if not search or eval(search, {"file_id": file_id})
    ]
    assert sorted(through) == wanted.tolist()
