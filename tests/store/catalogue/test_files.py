"""Files, locations and extents of a snapshot, and when the catalogue is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.locations import Location
from pesearch.store import generation_reader
from pesearch.store.catalogue.extents import Extents
from pesearch.store.library import Library, open_library
from pesearch.store.shards.format import VectorShard
from pesearch.types import Failure, SpaceName
from pesearch.volume import Volume
from tests.store.contents import encoded, failure, location

SHARDS = {number: VectorShard(f"{number}.arrow", SpaceName.AUDIO, 9, 9, None) for number in range(3)}


def test_known_paths_except_some(library: Library) -> None:
    with library.writer() as writer:
        writer.add([encoded("/b", "one"), encoded("/a", "two")])
        writer.record_failures(failure("/\udcff"))
    assert library.known().paths_except([Path("/a"), Path("/never seen")]) == [Path("/b"), Path("/\udcff")]
    assert Path("/a") in library.known() and Path("/never seen") not in library.known()


def test_writer_reads_the_catalogue_only_after_a_change(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = 0

    def counted(*arguments: object) -> object:
        nonlocal reads
        reads += 1
        return read(*arguments)

    read = generation_reader.read_snapshot
    monkeypatch.setattr(generation_reader, "read_snapshot", counted)
    with library.writer():
        pass
    assert (reads, library.generation()) == (0, 0)
    with open_library(library.folder).writer() as writer:
        writer.add([encoded("/a", "one")])
    reads = 0
    with library.writer() as writer:
        writer.add([encoded("/b", "two")])
    assert reads > 0
    assert [file.fingerprint for file in library.files()] == ["one", "two"]


def test_stale_generation_file_does_not_make_readers_reload(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (library.folder / "generation").read_bytes()
    with library.writer() as writer:
        writer.add([encoded("/a", "one")])
    (library.folder / "generation").write_bytes(before)
    reader = open_library(library.folder)
    monkeypatch.setattr(generation_reader, "read_snapshot", None)
    assert [file.fingerprint for file in reader.files()] == ["one"]
    assert reader.generation() == 1


def test_moved_file_is_found_by_volume_and_inode(library: Library) -> None:
    def on_drive(path: str, inode: int, modified_ns: int = 7) -> Location:
        return Location(Path(path), 1000, modified_ns, "drive", inode)

    with library.writer() as writer:
        writer.add([replace(encoded("/old/a", "one"), location=on_drive("/old/a", 1)), encoded("/b", "two")])
        writer.record_failures(Failure(on_drive("/old/c", 3), "damaged"))
        writer.record_volumes([Volume("drive", Path("/old"))])
        writer.record_volumes([Volume("drive", Path("/\udcff"))])
    again = open_library(library.folder)
    known = again.known()
    assert again.volumes() == (Volume("drive", Path("/\udcff")),)
    assert again.files()[0].locations[0].inode == known[Path("/old/a")].inode == 1
    assert known.find_moved(on_drive("/new/a", 1)) == Path("/old/a")
    others = [on_drive("/new/z", 1), on_drive("/new/a", 2), on_drive("/new/a", 1, 8), on_drive("/new/c", 3)]
    assert [known.find_moved(place) for place in [*others, location("/new/b")]] == [None] * 5
    assert again.only_on(["drive"]) == {"drive": 1}
    with again.writer() as writer:
        writer.add_locations([(1, location("/copy"))])
    assert again.only_on(["drive"]) == {}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 9), st.integers(1, 4)), max_size=12))
def test_joined_extents_have_the_same_rows_in_the_same_order(rows: list[tuple[int, int, int, int]]) -> None:
    columns = np.array(sorted(rows), dtype=np.int64).reshape(-1, 4).T
    extents = Extents(SHARDS, *columns)
    joined = [
        (each.shard.name, row) for each in extents.joined() for row in range(each.first_row, each.first_row + each.rows)
    ]
    plain = [
        (SHARDS[shard].name, row) for _, shard, first, count in sorted(rows) for row in range(first, first + count)
    ]
    assert joined == plain
    ends = [(each.shard, each.first_row + each.rows) for each in extents.joined()]
    begins = [(each.shard, each.first_row) for each in extents.joined()]
    assert not [end for end, begin in zip(ends, begins[1:], strict=False) if end == begin]
    for file_id in range(6):
        (*_, layout_rows) = extents.of_file(file_id).layout().starts
        assert layout_rows == sum(count for known, _, _, count in rows if known == file_id)
