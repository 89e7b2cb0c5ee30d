"""A library after a power cut: every commit that was made is there, whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np
import pytest

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.store.catalogue.connection import transaction
from pesearch.store.catalogue.stamp import read_stamp
from pesearch.store.disk.durable import make_folder, write_durably
from pesearch.store.doctor import examine
from pesearch.store.library import Library, create_library, open_library
from pesearch.store.shards.staging import Staging
from pesearch.store.write import compaction, writer
from pesearch.store.write.batch import store_files
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.types import SpaceName, SpaceVectors
from tests.store.contents import AUDIO, SPACES, encoded, features, vectors
from tests.store.disk.power_cut import UnsyncedDisk


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UnsyncedDisk:
    return UnsyncedDisk(tmp_path / "library", monkeypatch)


@pytest.fixture
def cuts(disk: UnsyncedDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The library as a power cut right after each commit would leave it, one folder for each."""
    folders: list[Path] = []

    @contextmanager
    def cut_after_commit(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        with transaction(folder) as connection:
            yield connection
        folders.append(tmp_path / f"cut {len(folders) + 1}")
        disk.cut(folders[-1])

    monkeypatch.setattr(writer, "transaction", cut_after_commit)
    return folders


def assert_whole(folder: Path, contents: list[str]) -> Library:
    """The library holds these contents, in this order, and all that was stored of each."""
    library = open_library(folder)
    assert [file.fingerprint for file in library.files()] == contents
    assert examine(folder).damaged == ()
    for file in library.files():
        for space in SPACES:
            wanted = vectors(file.fingerprint, space, 3).vectors
            np.testing.assert_array_equal(library.vectors(file.id, space.name).vectors, wanted)
        kept = library.features(file.id)
        assert kept is not None
        np.testing.assert_array_equal(kept.steps, features(file.fingerprint, 5).steps)
    return library


def test_committed_files_survive_a_power_cut(cuts: list[Path], tmp_path: Path) -> None:
    """Files of a batch, a long file that was streamed, and files that another machine has staged."""
    library = create_library(tmp_path / "library", "made-up", SPACES)
    with library.writer() as changes:
        changes.add([encoded("/a", "one", steps=5), encoded("/b", "two", steps=5)])
        film = encoded("/film", "film", steps=5)
        streamed = StreamingShardWriter(library.folder, SPACES)
        for part in film.vectors:
            streamed.add_vectors(part)
        assert film.features is not None
        streamed.add_features(film.features)
        changes.add([streamed.finish(film.location, "film", film.info)])
        staging = Staging(tmp_path.as_uri(), "staging")
        files = store_files(tmp_path / "worker", [encoded("/c", "three", steps=5)], SPACES)
        shards = [extent.shard for file in files for extent in file.extents]
        staging.put(tmp_path / "worker", shards)
        staging.fetch(library.folder, shards)
        changes.add(files)
    assert len(cuts) == 3
    assert_whole(cuts[0], ["one", "two"])
    assert_whole(cuts[1], ["one", "two", "film"])
    assert_whole(cuts[2], ["one", "two", "film", "three"])


def test_merged_shards_and_vectors_of_cues_survive_a_power_cut(
    cuts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MAX_SMALL_SHARDS", 2)
    library = create_library(tmp_path / "library", "made-up", SPACES)
    meant = vectors("hello", AUDIO, 1)
    with library.writer() as changes:
        for number, content in enumerate(["one", "two", "three"]):
            changes.add([encoded(f"/{number}", content, steps=5)])
        changes.store_cues([(1, CueSource(None, None, (Cue(0.0, 1.0, "hello", CueKind.SUBTITLE, "a.srt"),)))])
        changes.add_cue_vectors([(1, SpaceVectors(SpaceName.CUE, meant.segments, meant.vectors))])
    assert len(cuts) == 5 + 3  # three kinds of shards are merged at the end
    for cut in cuts[5:]:
        survivor = assert_whole(cut, ["one", "two", "three"])
        (found,) = survivor.find_similar_cues(meant.vectors, np.zeros(1, np.float32), 5)
        assert [hit.cue.text for hit in found] == ["hello"]
    assert examine(cuts[-1]).shards == 4


def test_a_new_library_survives_a_power_cut(disk: UnsyncedDisk, tmp_path: Path) -> None:
    library = create_library(tmp_path / "library", "made-up", SPACES)
    disk.cut(tmp_path / "cut")
    assert read_stamp(tmp_path / "cut") == read_stamp(library.folder) != ""
    assert open_library(tmp_path / "cut").spaces == SPACES


def test_the_generation_is_announced_durably(disk: UnsyncedDisk, tmp_path: Path) -> None:
    """Otherwise the writer would not notice that the catalogue has lost commits."""
    library = create_library(tmp_path / "library", "made-up", SPACES)
    with library.writer() as changes:
        changes.add([encoded("/a", "one")])
    disk.cut(tmp_path / "cut")
    assert read_stamp(tmp_path / "cut").startswith("1 ")


def test_content_is_synced_before_the_rename_and_names_after_it(disk: UnsyncedDisk, tmp_path: Path) -> None:
    """A rename that reaches the disk before the content would leave an empty file in place of the old one."""
    (tmp_path / "library").mkdir()
    write_durably(tmp_path / "library" / "file", lambda sink: sink.write(b"content"))
    assert disk.events == ["sync file.new", "rename file.new file", "sync ."]


def test_new_folders_are_synced_in_their_parents(disk: UnsyncedDisk, tmp_path: Path) -> None:
    make_folder(tmp_path / "library" / "vectors" / "audio")
    make_folder(tmp_path / "library" / "vectors" / "audio")
    assert disk.events == ["sync .", "sync vectors"]  # and the folder of the library, outside it
    disk.cut(tmp_path / "cut")
    assert (tmp_path / "cut" / "vectors").is_dir()


def test_shards_are_synced_before_their_commit(
    disk: UnsyncedDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def logged(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        with transaction(folder) as connection:
            disk.events.append("begin")
            yield connection
        disk.events.append("commit")

    monkeypatch.setattr(writer, "transaction", logged)
    library = create_library(tmp_path / "library", "made-up", (AUDIO,))
    with library.writer() as changes:
        disk.events.clear()
        file = encoded("/a", "one")
        changes.add([type(file)(file.location, "one", file.info, file.vectors[:1], None)])
        events = list(disk.events)
    (shard,) = (path.name for path in (library.folder / "vectors" / "audio").iterdir())
    assert events == [
        "sync .",
        "sync vectors",
        f"sync vectors/audio/{shard}.new",
        f"rename vectors/audio/{shard}.new vectors/audio/{shard}",
        "sync vectors/audio",
        "begin",
        "commit",
        "sync generation.new",
        "rename generation.new generation",
        "sync .",
    ]
