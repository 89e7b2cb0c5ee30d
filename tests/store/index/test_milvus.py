"""Vectors on Milvus: the answers of FAISS, also after a killed writer, a dropped collection or a lost server."""

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
from pesearch.store.catalogue.mutations import raise_generation, set_vector_backend
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
from pesearch.store.index.milvus.named_addresses import remember
from pesearch.store.index.milvus.sync import resolve_vectors, spaces_on_milvus
from pesearch.store.index.vector_search import open_index
from pesearch.store.library import Library, create_library, open_library
from pesearch.types import EncodedFile, MediaInfo, MediaKind, Space, SpaceName, SpaceVectors
from tests.store.contents import AUDIO, SPACES, encoded, location, queries
from tests.store.policies import ask_milvus

pytestmark = pytest.mark.slow

pytest.importorskip("milvus_lite")

WIDE = Space(SpaceName.AUDIO, "made-up", "1", 64)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few files per batch, and Milvus is asked even for few rows."""
    ask_milvus(monkeypatch)
    monkeypatch.setattr(milvus_sync, "SYNC_BATCH_ROWS", 10)


def move(library: Library, milvus: MilvusAddress | None) -> list[str]:
    with library.writer() as writer:
        return writer.set_vector_backend(milvus)


def add(library: Library, contents: range, rows: int = 3) -> list[RefreshFailed]:
    with library.writer() as writer:
        writer.add([encoded(f"/{number}", f"content {number}", rows=rows) for number in contents])
        return [step for step in writer.maintain() if isinstance(step, RefreshFailed)]


def found(library: Library, k: int = 5) -> list[Hits]:
    return [hits for space in library.spaces for hits in library.search(space.name, queries(space), k)]


def exact(library: Library, k: int = 5) -> list[Hits]:
    """What `found` must be: an exact search in memory, without Milvus."""
    generation = library.pinned()._generation
    return [
        hits for space in library.spaces for hits in open_index(generation.rows(space), None).search(queries(space), k)
    ]


def places(hits: Hits) -> set[tuple[int, float]]:
    return set(zip(hits.file_ids.tolist(), hits.segments[:, 0].tolist(), strict=True))


def manifests(library: Library) -> list[tuple[SpaceOnMilvus, Manifest | None]]:
    """Of the spaces of media: these libraries have no cues."""
    spaces = spaces_on_milvus(library.folder, library.pinned()._generation.snapshot)
    return [(space, space.read_manifest()) for space in spaces if space.space.name is not SpaceName.CUE]


def assert_in_sync(library: Library) -> None:
    """The collections hold exactly the rows of the library."""
    for space, manifest in manifests(library):
        rows = library.rows(space.space.name)
        assert manifest is not None
        assert (manifest.layout.rows, space.collection.count_rows(), len(manifest.partial)) == (rows, rows, 0)


def test_same_ten_of_repeated_vectors(milvus: MilvusAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows with equal scores, as of a still picture, come in the same order, since more than ten are rescored."""
    monkeypatch.setattr(milvus_search, "FLAT_EXTRA_ROWS", 16)
    random = np.random.default_rng(1)
    distinct = random.standard_normal((40, WIDE.dim)).astype(np.float32)
    values = distinct[random.permutation(np.repeat(np.arange(40), 5))]
    times = np.stack([np.arange(20), np.arange(20) + 1.5], axis=1)
    info = MediaInfo(MediaKind.AUDIO, 21.0, None, None)
    library = create_library(tmp_path / "library", "made-up", [WIDE])
    with library.writer() as writer:
        writer.add(
            [
                EncodedFile(location(f"/{number}"), f"{number}", info, (SpaceVectors(WIDE.name, times, part),))
                for number, part in enumerate(np.split(values, 10))
            ]
        )
    asked = distinct[:8] + 0.05 * random.standard_normal((8, WIDE.dim)).astype(np.float32)
    by_faiss = library.search(WIDE.name, asked, 10)
    move(library, milvus)
    assert library.status().policies[WIDE.name].milvus_rows == 200
    assert library.search(WIDE.name, asked, 10) == by_faiss
    assert all(hits[0].score == hits[4].score > hits[5].score for hits in by_faiss)


@pytest.fixture(scope="module")
def random_library(milvus: MilvusAddress, tmp_path_factory: pytest.TempPathFactory) -> tuple[Library, Library]:
    """Sixty files of random vectors, searched by FAISS, and a copy on Milvus."""
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


FILTERS = {
    "all": None,
    "one": frozenset({7}),
    "a run": frozenset(range(10, 31)),
    "all but one": frozenset(range(1, 61)) - {30},
    "every other": frozenset(range(1, 61, 2)),
    "unknown ids too": frozenset({3, 9, 4000}),
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("k", [1, 10, 40, 10_000])
def test_same_as_faiss(random_library: tuple[Library, Library], name: str, k: int) -> None:
    on_faiss, on_milvus = random_library
    asked = np.random.default_rng(6).standard_normal((3, WIDE.dim)).astype(np.float32)
    expected = on_faiss.search(WIDE.name, asked, k, FILTERS[name])
    assert on_milvus.search(WIDE.name, asked, k, FILTERS[name]) == expected


def test_large_space_gets_an_ivf_index_and_keeps_it(
    milvus: MilvusAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recall@10 of queries from another cone, in all files and in a third; then the space becomes small."""
    world = TwoCones(64)
    files = list(world.files(5_000))
    asked = world.questions(np.concatenate([file.shots[:1] for file in files])[:40])
    library = create_library(tmp_path / "library", "made-up", [WIDE])
    info = MediaInfo(MediaKind.AUDIO, 1.0, None, None)
    monkeypatch.setattr(vector_search, "MAX_FLAT_BYTES", 0)
    monkeypatch.setattr(milvus_sync, "SYNC_BATCH_ROWS", 3000)
    move(library, milvus)
    encoded_files = []
    for number, file in enumerate(files):
        times = np.stack([np.arange(len(file.vectors)), np.arange(len(file.vectors)) + 1.0], axis=1)
        vectors = SpaceVectors(WIDE.name, times, file.vectors)
        encoded_files.append(EncodedFile(location(f"/{number}"), f"{number}", info, (vectors,)))
    with library.writer() as writer:
        writer.add(encoded_files)
    (manifest,) = (manifest for _, manifest in manifests(library))
    assert manifest is not None and manifest.kind is IndexKind.IVF
    monkeypatch.setattr(vector_search, "MAX_FLAT_BYTES", 1 << 30)
    exact_index = open_index(library.pinned()._generation.rows(WIDE), None)
    for file_ids in (None, frozenset(range(1, len(files) + 1, 3))):
        found = library.search(WIDE.name, asked, 10, file_ids)
        best = exact_index.search(asked, 10, file_ids)
        shared = [len(places(hits) & places(best_hits)) for hits, best_hits in zip(found, best, strict=True)]
        assert np.mean(shared) / 10 >= 0.94
    with library.writer() as writer:
        writer.remove([1])
    assert_in_sync(library)
    assert "IVF_SQ8" in str(library.status().policies[WIDE.name])


def test_removed_files_are_found_in_pinned_generations_only(library: Library, milvus: MilvusAddress) -> None:
    move(library, milvus)
    add(library, range(9))
    before = library.pinned()
    expected = found(before)
    with library.writer() as writer:
        writer.remove([2, 3, 5])
    assert_in_sync(library)
    assert not {2, 3, 5} & {file_id for hits in found(library, 100) for file_id in hits.file_ids.tolist()}
    assert found(library) == exact(library)
    assert found(before) == expected
    assert move(library, None) == []
    with pytest.raises(SnapshotExpired):
        found(before)


def test_search_is_repeated_when_rows_are_removed_meanwhile(
    library: Library, milvus: MilvusAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def audio_files(content: str) -> list[EncodedFile]:
    """Four files in one space."""
    files = [encoded(f"/{content} {number}", f"{content} {number}") for number in range(4)]
    return [replace(file, vectors=file.vectors[:1]) for file in files]


class Killed(BaseException):
    """Stands for a signal that ends the writer."""


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Lets a writer make that many steps that change a collection or its manifest, and half of the next one."""
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


def test_writer_killed_at_any_step_loses_nothing(
    milvus: MilvusAddress, kill: Callable[[int], None], tmp_path: Path
) -> None:
    """Between a commit and the end of the sync: every reader finds all, and the next writer completes the sync."""
    library = create_library(tmp_path / "library", "made-up", [AUDIO])
    with library.writer() as writer:
        writer.add(audio_files("first"))
    move(library, milvus)
    for count in range(100):
        if count % 2:  # then the collection has to be created again, too
            shutil.rmtree(library.folder / "indexes")
        try:
            with library.writer() as writer:
                writer.add(audio_files(f"more {count}"))
                writer.remove([library.files()[0].id, library.files()[-1].id])
                kill(count)
                list(writer.maintain())
                break
        except Killed:
            kill(1 << 30)
            for reader in (library, open_library(library.folder)):
                assert found(reader) == exact(reader)
            with library.writer():
                pass
            assert_in_sync(library)
            assert found(library) == exact(library)
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


def test_killed_process_leaves_a_manifest_that_holds(library: Library, tmp_path: Path) -> None:
    """Milvus Lite dies with the process: its data and the manifest are on disk."""
    milvus = MilvusAddress(str(tmp_path / "lite.db"))
    remember(milvus)
    add(library, range(20))
    with transaction(library.folder) as connection:  # only this, so that the process below syncs the vectors
        set_vector_backend(connection, milvus)
        raise_generation(connection)
    library = open_library(library.folder)
    process = subprocess.run([sys.executable, "-c", KILLED, str(library.folder)])
    assert process.returncode == -signal.SIGKILL
    covered = [0 if manifest is None else manifest.layout.rows for _, manifest in manifests(library)]
    assert 0 < sum(covered) < 120
    assert found(library) == exact(library)
    with library.writer():
        pass
    assert_in_sync(library)
    assert found(library) == exact(library)
    close(milvus)


def test_dropped_collection_is_filled_again(library: Library, milvus: MilvusAddress) -> None:
    move(library, milvus)
    add(library, range(9))
    expected = found(library)
    for space, _ in manifests(library):
        space.collection.drop()
    state = library.milvus_state()
    assert state is not None
    assert state.rows == {space.name: (0, 27) for space in SPACES}
    with pytest.raises(VectorServerError, match="--vectors faiss"):
        found(library)
    with library.writer():
        pass
    assert found(library) == expected
    assert_in_sync(library)


def test_collection_that_lost_rows_is_filled_again(library: Library, milvus: MilvusAddress) -> None:
    move(library, milvus)
    add(library, range(9))
    for space, _ in manifests(library):
        space.collection.delete([1, 2])
    state = library.milvus_state()
    assert state is not None
    assert state.rows == {space.name: (21, 27) for space in SPACES}
    with library.writer():
        pass
    assert_in_sync(library)
    assert found(library) == exact(library)


def test_deleted_manifests_lose_nothing(library: Library, milvus: MilvusAddress) -> None:
    move(library, milvus)
    add(library, range(9))
    expected = found(library)
    shutil.rmtree(library.folder / "indexes")
    reader = open_library(library.folder)
    assert (reader.status().policies[AUDIO.name].memory_rows, found(reader)) == (27, expected)
    with library.writer():
        pass
    assert_in_sync(library)


def test_copy_of_a_library_has_its_own_collections(library: Library, milvus: MilvusAddress, tmp_path: Path) -> None:
    move(library, milvus)
    add(library, range(9))
    expected = found(library)
    shutil.copytree(library.folder, tmp_path / "copy")
    copy = open_library(tmp_path / "copy")
    with copy.writer() as writer:
        writer.remove([1, 2])
    assert_in_sync(copy)
    assert found(library) == expected
    assert_in_sync(library)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[MilvusAddress, Callable[[], None]]]:
    """A Milvus server at a local port, and a function that stops it."""
    from milvus_lite.adapter.grpc.server import start_server_in_thread

    served, database, port = start_server_in_thread(str(tmp_path / "served"))

    def stop() -> None:
        served.stop(grace=0).wait()
        database.close()

    address = MilvusAddress(f"http://127.0.0.1:{port}")
    yield address, stop
    stop()
    close(address)


def test_unreachable_server_is_reported(
    library: Library, server: tuple[MilvusAddress, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(milvus_collection, "SEARCH_SECONDS", 1.0)
    address, stop = server
    move(library, address)
    add(library, range(9))
    expected = found(library)
    stop()
    for reader in (library, open_library(library.folder)):
        with pytest.raises(VectorServerError, match="--vectors faiss") as error:
            found(reader)
        assert "\n" not in str(error.value)
    problems = add(library, range(9, 10))
    assert [problem.index for problem in problems] == ["audio", "frame"]
    assert len(library.files()) == 10
    with library.writer() as writer:
        writer.remove([10])
    remaining = move(library, None)
    assert [name.rpartition("_")[2] for name in remaining] == ["audio", "frame"]
    assert found(library) == expected


def test_file_open_in_another_process_is_reported(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(milvus_client, "LITE_WAIT_SECONDS", 0.1)
    (tmp_path / "lite.db").mkdir()
    with (tmp_path / "lite.db" / "LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(VectorServerError, match="one at a time"):
            resolve_vectors(f"milvus:{tmp_path}/lite.db")
    with pytest.raises(VectorServerError, match="no folder"):
        resolve_vectors(f"milvus:{tmp_path}/none/lite.db")


def test_milvus_lite_locks_its_file_while_it_is_open(tmp_path: Path) -> None:
    """In the way that `_is_locked` looks for, and until it is closed with an interface of its own."""
    address = MilvusAddress(str(tmp_path / "lite.db"))
    remember(address)
    with milvus_client.closing_lite(address):
        milvus_client.server_version(address)
        assert milvus_client._is_locked(tmp_path / "lite.db")
    assert (tmp_path / "lite.db" / "LOCK").exists()
    assert not milvus_client._is_locked(tmp_path / "lite.db")


def test_writer_closes_the_file_of_milvus_lite(library: Library, tmp_path: Path) -> None:
    move(library, MilvusAddress(str(tmp_path / "lite.db")))
    add(library, range(2))
    with (tmp_path / "lite.db" / "LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_addresses_are_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_vectors(FAISS) is None
    assert parse_vectors("milvus:./a.db") == MilvusAddress(str(tmp_path / "a.db"))
    assert str(parse_vectors("milvus:https://host:19530/")) == "milvus:https://host:19530"


@pytest.mark.parametrize(
    "text", ["", "milvus", "milvus:", "milvus:a", "milvus:ftp://host", "http://host:19530", "a.db"]
)
def test_malformed_address_is_refused(text: str) -> None:
    with pytest.raises(VectorServerError, match="milvus:http://HOST:19530"):
        parse_vectors(text)


@pytest.mark.parametrize("text", ["milvus:http://user:secret@host", "milvus:http://host/?token=secret"])
def test_password_in_an_address_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(VectorServerError, match="PESEARCH_MILVUS_TOKEN") as error:
        parse_vectors(text)
    assert "secret" not in str(error.value)


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), min_size=1, max_size=40), st.data())
def test_expressions_match_each_wanted_file_once(runs: list[tuple[int, bool]], data: st.DataObject) -> None:
    """And no other stored file."""
    gaps = data.draw(st.lists(st.integers(1, 3), min_size=sum(n for n, _ in runs), max_size=sum(n for n, _ in runs)))
    stored = np.cumsum(gaps)
    wanted = stored[np.repeat([is_wanted for _, is_wanted in runs], [n for n, _ in runs])]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pesearch.store.index.milvus.filters._MAX_FILE_IDS", 7)
        patch.setattr("pesearch.store.index.milvus.filters._MAX_RUNS", 2)
        searches = filter_expressions(wanted, stored)
    matching = [
        file_id
        for search in searches
        for file_id in stored.tolist()
        if not search or eval(search, {"file_id": file_id})
    ]
    assert sorted(matching) == wanted.tolist()
