"""Migrations, and libraries that older programs wrote."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pytest

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.errors import LibraryError, LibraryTooNew
from pesearch.store.catalogue import create, schema
from pesearch.store.disk.lock import writer_lock
from pesearch.store.doctor import examine
from pesearch.store.library import Library, open_library
from pesearch.store.shards.vectors import write_shard
from pesearch.types import SpaceName, SpaceVectors
from tests.small_disk import SmallDisk
from tests.store.contents import AUDIO, SPACES, encoded, features, vectors
from tests.store.old_library import ANSWERS, LIBRARIES, assert_answers_as
from tests.store.word_search import search_cues


@pytest.fixture
def first_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of the first schema, with one file and its vectors."""
    with monkeypatch.context() as older:
        older.setattr(create, "MIGRATIONS", schema.MIGRATIONS[:1])
        create.create_catalogue(tmp_path, "made-up", SPACES)
    shard = write_shard(tmp_path, AUDIO, [vectors("one", AUDIO, 3)])
    with duckdb.connect(tmp_path / "library.duckdb") as connection:
        connection.execute("""
            INSERT INTO files (fingerprint, kind, duration_seconds, video, audio)
            VALUES ('one', 'video', 15, row('h264', 640, 360, 29.97), row('aac', 44100, 2))""")
        connection.execute("INSERT INTO locations VALUES ('/a'::BLOB, 1000, 7, 1, NULL)")
        connection.execute("INSERT INTO shards VALUES (?, 'audio', 3, ?)", [shard.name, shard.size_bytes])
        connection.execute("INSERT INTO extents VALUES (1, 'audio', ?, 0, 3)", [shard.name])
    return tmp_path


def columns(library: Library, table: str) -> set[str]:
    with duckdb.connect(library.folder / "library.duckdb", read_only=True) as connection:
        return {row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()}


def test_newer_library_is_refused(library: Library) -> None:
    with duckdb.connect(library.folder / "library.duckdb") as connection:
        connection.execute("UPDATE library SET schema = 1000")
    with pytest.raises(LibraryTooNew, match="upgrade pesearch"):
        open_library(library.folder)


def test_older_library_is_migrated(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    longer: Sequence[str] = (*schema.MIGRATIONS, "ALTER TABLE files ADD COLUMN title VARCHAR")
    for module in (schema, create):
        monkeypatch.setattr(module, "MIGRATIONS", longer)
    assert "title" not in columns(library, "files")
    open_library(library.folder)
    assert "title" in columns(library, "files")
    open_library(library.folder)
    with duckdb.connect(library.folder / "library.duckdb") as connection:
        assert schema.schema_number(connection) == len(longer)


def test_cues_can_be_added_to_a_library_without_them(tmp_path: Path) -> None:
    shutil.unpack_archive(LIBRARIES / "schema_3.zip", tmp_path)
    library = open_library(tmp_path / "library")
    assert (library.status().cues, library.cue_sources(), search_cues(library, "gap", 5)) == (0, [], [])
    with library.writer() as writer:
        writer.store_cues([(1, CueSource(None, None, (Cue(1.0, 2.0, "Mind the gap", CueKind.SUBTITLE, "stream 2"),)))])
    assert [hit.file_id for hit in search_cues(open_library(library.folder), "gap", 5)] == [1]


def test_library_of_the_first_schema_keeps_its_files_and_can_have_features(first_schema: Path) -> None:
    library = open_library(first_schema)
    assert [(file.locations, file.info) for file in library.files()] == [
        ((encoded("/a", "one").location,), encoded("/a", "one").info)
    ]
    assert (library.generation(), library.features(1)) == (0, None)
    with library.writer() as writer:
        writer.add([encoded("/a", "one", steps=5)])
    kept = open_library(first_schema).features(1)
    assert kept is not None
    np.testing.assert_array_equal(kept.steps, features("one", 5).steps)
    np.testing.assert_array_equal(library.vectors(1, AUDIO.name).vectors, vectors("one", AUDIO, 3).vectors)


@pytest.mark.parametrize("kept", sorted(LIBRARIES.glob("*.zip")), ids=lambda kept: kept.stem)
def test_library_of_an_earlier_program_answers_as_before(kept: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(kept, tmp_path)
    library = open_library(tmp_path / "library")
    assert_answers_as(library, (tmp_path / ANSWERS).read_text())
    with library.writer() as writer:
        writer.add([encoded("/new", "new", steps=2)])
        writer.sweep()
    assert {"new", "five"} <= {file.fingerprint for file in open_library(library.folder).files()}
    again = library.features(library.files()[-1].id)
    assert again is not None and (again.steps == features("new", 2).steps).all()


def everything_in(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_older_library_on_a_read_only_disk(disk: SmallDisk) -> None:
    """It gives the same answers, and is migrated as soon as it can be written to."""
    shutil.unpack_archive(LIBRARIES / "schema_2.zip", disk.folder)
    before = everything_in(disk.folder)
    disk.mount("remount,ro")
    library = open_library(disk.folder / "library")
    answers = (disk.folder / ANSWERS).read_text()
    assert_answers_as(library, answers)
    found = examine(library.folder)
    assert (found.damaged, found.without_checksum) == ((), found.shards)
    with pytest.raises(LibraryError, match="Read-only"), library.writer():
        pass
    assert everything_in(disk.folder) == before

    disk.mount("remount,rw")
    assert_answers_as(library, answers)
    with library.writer() as writer:
        writer.add([encoded("/new", "new", steps=2)])
    assert "checksum" in columns(library, "shards")
    assert "new" in {file.fingerprint for file in library.files()}


def test_older_library_that_another_process_is_writing(tmp_path: Path) -> None:
    """Readers do not wait: they see the last generation, and the next writer migrates."""
    shutil.unpack_archive(LIBRARIES / "schema_2.zip", tmp_path)
    folder = tmp_path / "library"
    with writer_lock(folder):
        library = open_library(folder)
        assert_answers_as(library, (tmp_path / ANSWERS).read_text())
        assert "checksum" not in columns(library, "shards")
        with duckdb.connect(folder / "library.duckdb") as connection:
            connection.execute("UPDATE library SET generation = generation + 1")
            (generation, library_id) = connection.execute("SELECT generation, birth FROM library").fetchall()[0]
        (folder / "generation").write_text(f"{generation} {library_id}\n")
        assert library.generation() == generation
    with library.writer():
        assert "checksum" in columns(library, "shards")


def test_cue_vectors_can_be_added_to_a_library_without_them(library: Library) -> None:
    """Its cues are found by their words, and are not embedded yet."""
    said = Cue(1.0, 2.0, "Mind the gap", CueKind.SUBTITLE, "stream 2")
    with library.writer() as writer:
        writer.add([encoded("/a", "one"), encoded("/b", "two")])
        writer.store_cues([(2, CueSource(None, None, (said,)))])
    with duckdb.connect(library.folder / "library.duckdb") as connection:
        connection.execute("DROP TABLE absent_locations")
        connection.execute("DROP TABLE uncompared_copies")
        connection.execute("DROP TABLE file_properties")
        connection.execute("DROP TABLE settings")
        connection.execute("DROP TABLE cue_extents")
        connection.execute("DROP TABLE remarks")
        connection.execute("ALTER TABLE cue_sources DROP COLUMN remark")
        connection.execute("UPDATE library SET schema = 5")
    older = open_library(library.folder)
    unembedded = older.cues_to_embed()
    assert [hit.cue for hit in search_cues(older, "gap", 5)] == [said] and unembedded.counts.tolist() == [1]
    near = vectors("gap", AUDIO, 1)
    assert older.find_similar_cues(near.vectors, np.zeros(1, np.float32), 5) == [[]]
    with older.writer() as writer, writer.cue_vectors() as stream:
        stream.append(int(unembedded.ids[0]), SpaceVectors(SpaceName.CUE, near.segments, near.vectors))
    (found,) = older.find_similar_cues(near.vectors, np.zeros(1, np.float32), 5)
    assert [(hit.file_id, hit.cue) for hit in found] == [(2, said)] and not len(older.cues_to_embed().ids)
