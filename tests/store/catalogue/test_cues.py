"""Cues in a library: stored with their files, replaced when they are read again, removed with their paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import duckdb
import pytest

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.errors import SnapshotExpired
from pesearch.locations import Location
from pesearch.store.catalogue import temp_table
from pesearch.store.catalogue.temp_table import insert_temp
from pesearch.store.doctor import repair
from pesearch.store.library import Library, open_library
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.types import EncodedFile
from tests.store.contents import SPACES, encoded, failure, location
from tests.store.word_search import search_cues


def cue(text: str, start: float = 1.0, kind: CueKind = CueKind.SUBTITLE) -> Cue:
    return Cue(start, start + 1, text, kind, "a.srt", "en")


def inside(*cues: Cue) -> CueSource:
    return CueSource(None, None, cues)


def beside(media: str, sidecar: str, *cues: Cue, modified_ns: int = 7) -> CueSource:
    return CueSource(Location(Path(sidecar), 10, modified_ns), Path(media), cues)


def with_cues(path: str, content: str, *sources: CueSource) -> EncodedFile:
    return replace(encoded(path, content), cues=sources)


def texts(library: Library) -> dict[str, list[str]]:
    return {file.fingerprint: [cue.text for cue in library.cues(file.id)] for file in library.files()}


def test_cues_of_a_file_are_sorted_by_time(library: Library) -> None:
    with library.writer() as writer:
        last, first = cue("last", 9.0), cue("first", 0.5)
        writer.add([with_cues("/a", "one", inside(last), beside("/a", "/a.srt", first)), encoded("/b", "two")])
    assert library.cues(1) == (first, last)
    assert library.cues(2) == library.cues(99) == ()
    assert library.status().cues == 2
    assert open_library(library.folder).cues(1) == (first, last)


def test_streamed_file_has_cues(library: Library) -> None:
    film = encoded("/film", "five")
    with library.writer() as writer:
        streamed = StreamingShardWriter(library.folder, SPACES)
        for part in film.vectors:
            streamed.add_vectors(part)
        writer.add([replace(streamed.finish(film.location, "five", film.info), cues=(inside(cue("said")),))])
    assert texts(library) == {"five": ["said"]}


def test_source_that_is_read_again_is_replaced(library: Library) -> None:
    with library.writer() as writer:
        writer.add([with_cues("/a", "one", inside(cue("within")), beside("/a", "/a.srt", cue("old"), cue("older")))])
        before = library.cue_sources()
        writer.store_cues([(1, beside("/a", "/a.srt", cue("new"), modified_ns=8))])
    assert texts(library) == {"one": ["within", "new"]}
    after = library.cue_sources()
    assert [each.sidecar for each in after] == [None, Location(Path("/a.srt"), 10, 8)]
    assert after[0] == before[0] and after[1].id > before[1].id
    with library.writer() as writer:
        writer.store_cues([], [after[1].id])
    assert texts(library) == {"one": ["within"]}
    assert library.cue_sources() == [before[0]]


def test_source_without_cues_is_stored(library: Library) -> None:
    with library.writer() as writer:
        writer.add([with_cues("/a", "one", inside(), beside("/a", "/a.srt"))])
    assert [each.sidecar is None for each in library.cue_sources()] == [True, False]
    assert library.status().cues == 0


def test_cues_are_removed_with_their_path(library: Library) -> None:
    """Cues of a sidecar are removed with the path next to it; a failure with the same size and time keeps them."""
    with library.writer() as writer:
        writer.add([with_cues("/a", "one", inside(cue("within")), beside("/a", "/a.srt", cue("beside")))])
        writer.add_locations([(1, location("/moved"))])
        writer.record_failures(failure("/a"))
        assert texts(library) == {"one": ["within", "beside"]}
        writer.forget([Path("/a")])
        assert texts(library) == {"one": ["within"]}
        writer.remove([1])
    assert library.status().cues == 0 and library.cue_sources() == []
    with library.writer() as writer:
        writer.add([with_cues("/b", "two", beside("/b", "/b.srt", cue("beside")))])
        writer.add([encoded("/b", "three", modified_ns=8)])
    assert texts(library) == {"three": []} and library.status().cues == 0


def test_equal_cues_of_two_copies_are_found_once(library: Library) -> None:
    same = cue("the same")
    with library.writer() as writer:
        writer.add([with_cues("/a", "one", beside("/a", "/a.srt", same)), encoded("/b", "one")])
        writer.store_cues([(1, beside("/b", "/b.srt", same))])
    assert library.cues(1) == (same,)
    assert [hit.cue for hit in search_cues(library, "same", 10)] == [same]


def test_cues_of_an_unknown_file_are_ignored(library: Library) -> None:
    with library.writer() as writer:
        writer.store_cues([(7, inside(cue("lost")))])
    assert library.status().cues == 0 and library.cue_sources() == []


def test_names_and_texts_of_odd_bytes(library: Library) -> None:
    path = "/\udcff.srt"
    with library.writer() as writer:
        writer.add([with_cues("/\udcff", "one", beside("/\udcff", path, cue("naïve 🎬 'quoted'; --")))])
    assert texts(library) == {"one": ["naïve 🎬 'quoted'; --"]}
    (source,) = library.cue_sources()
    assert source.sidecar == Location(Path(path), 10, 7) and source.beside == Path("/\udcff")


def test_pinned_library_reports_that_its_cues_expired(library: Library) -> None:
    pinned = library.pinned()
    with library.writer() as writer:
        writer.add([with_cues("/a", "one", inside(cue("new")))])
    with pytest.raises(SnapshotExpired):
        pinned.cues(1)
    with pytest.raises(SnapshotExpired):
        search_cues(pinned, "new", 1)
    assert [hit.cue.text for hit in search_cues(library.pinned(), "new", 1)] == ["new"]


def test_repair_of_vectors_keeps_cues(library: Library) -> None:
    with library.writer() as writer:
        writer.add([with_cues("/a", "one", inside(cue("kept")))])
    for shard in (library.folder / "vectors" / "audio").iterdir():
        shard.write_bytes(b"")
    assert list(repair(library.folder))
    assert texts(open_library(library.folder)) == {"one": ["kept"]}


def test_cues_are_read_as_they_were_stored_and_in_parts(library: Library) -> None:
    """Of two sources at a time, whose cues are in no order of time."""
    said = [cue(f"said {number}", float(number * 7 % 10)) for number in range(10)]
    with library.writer() as writer:
        writer.add([with_cues("/a", "one", inside(*said)), with_cues("/b", "two", inside(cue("other")))])
        writer.add([with_cues("/c", "three", inside(*reversed(said)))])
    ids = library.cues_to_embed().ids[[0, 2]]
    expected = [*((1, each) for each in said), *((3, each) for each in reversed(said))]
    assert [(each.file_id, each.cue) for each in library.cues_of(ids)] == expected
    parts = [library.cues_of(ids, first, 8) for first in range(0, 24, 8)]
    assert [len(part) for part in parts] == [8, 8, 4]
    assert [(each.file_id, each.cue) for part in parts for each in part] == expected


def test_rows_are_passed_to_the_database_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temp_table, "ROWS_PER_INSERT", 3)
    sizes: list[int] = []

    def rows() -> Iterator[dict[str, int]]:
        for number in range(8):
            assert len(sizes) == number // 3, "rows wait for those before them"
            yield {"number": number}

    with duckdb.connect() as connection:

        def execute(statement: str, values: list[list[int]]) -> None:
            sizes.append(len(values[0]))
            connection.execute(statement, values)

        insert_temp(
            cast(duckdb.DuckDBPyConnection, SimpleNamespace(execute=execute)), "t", {"number": "BIGINT"}, rows()
        )
        assert sizes == [3, 3, 2]
        assert connection.execute("SELECT rowid, number FROM t").fetchall() == [(n, n) for n in range(8)]
        insert_temp(connection, "empty", {"number": "BIGINT"}, [])
        assert connection.execute("SELECT * FROM empty").fetchall() == []
