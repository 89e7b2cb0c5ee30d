"""Remarks in a library: stored with their files and sources of cues, replaced and removed with them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.locations import Location
from pesearch.store.library import Library, open_library
from pesearch.store.write.batch import store_files
from pesearch.types import EncodedFile, Remark
from tests.store.contents import SPACES, encoded, failure, location
from tests.store.old_library import LIBRARIES

TRACKS = Remark("2 of 3 sound tracks are not searched", 12.5)
CLOCK = Remark("its clock was guessed")
SIDECAR = Path("/a.srt")
SAID = Cue(1.0, 2.0, "mind the gap", CueKind.SUBTITLE, "a.srt")


def remarked(path: str, content: str, *remarks: Remark) -> EncodedFile:
    return replace(encoded(path, content), remarks=remarks)


def sidecar(remark: str | None, *cues: Cue, modified_ns: int = 7) -> CueSource:
    return CueSource(Location(SIDECAR, 10, modified_ns), Path("/a"), cues, remark)


def remarks(library: Library) -> dict[str, tuple[Remark, ...]]:
    """By fingerprint, of a library that is opened again."""
    return {file.fingerprint: file.remarks for file in open_library(library.folder).files()}


def test_remarks_of_a_file_are_stored_in_order(library: Library) -> None:
    with library.writer() as writer:
        writer.add([remarked("/a", "one", TRACKS, CLOCK), encoded("/b", "two"), remarked("/copy of a", "one", TRACKS)])
    assert remarks(library) == {"one": (TRACKS,), "two": ()}  # of two equal contents, the last counts
    with library.writer() as writer:
        writer.add([remarked("/a", "one", CLOCK, TRACKS)])
    assert remarks(library) == {"one": (CLOCK, TRACKS), "two": ()}
    assert [file.fingerprint for file in library.files_with_remarks()] == ["one"]
    assert library.status().remarks == 2


def test_remarks_of_files_that_workers_encoded_are_stored(library: Library) -> None:
    with library.writer() as writer:
        writer.add(store_files(library.folder, [remarked("/a", "one", TRACKS)], SPACES))
    assert remarks(library) == {"one": (TRACKS,)}


def test_remarks_stay_with_a_file_that_moves_or_fails_and_go_with_it(library: Library) -> None:
    with library.writer() as writer:
        writer.add([remarked("/a", "one", TRACKS), remarked("/b", "two", CLOCK)])
        writer.add_locations([(1, location("/moved"))])
        writer.forget([Path("/a")])
        writer.record_failures(failure("/moved"))
        assert remarks(library) == {"one": (TRACKS,), "two": (CLOCK,)}
        writer.remove([1])
        writer.compact()
        assert remarks(library) == {"two": (CLOCK,)}
        writer.add([encoded("/b", "three", modified_ns=8)])
    assert remarks(library) == {"three": ()}
    assert library.status().remarks == 0


def test_the_remark_of_a_sidecar_changes_and_goes_with_it(library: Library) -> None:
    bad, late = "holds no subtitles", "3 cues are after the end"
    with library.writer() as writer:
        writer.add([replace(remarked("/a", "one", TRACKS), cues=(CueSource(None, None, ()), sidecar(bad)))])
        assert remarks(library) == {"one": (TRACKS, Remark(bad, sidecar=SIDECAR))}
        writer.store_cues([(1, sidecar(late, SAID, modified_ns=8)), (1, CueSource(None, None, (), "left out"))])
        assert remarks(library) == {"one": (TRACKS, Remark(late, sidecar=SIDECAR), Remark("left out"))}
        writer.store_cues([(1, sidecar(None, SAID, modified_ns=9)), (1, CueSource(None, None, ()))])
        assert remarks(library) == {"one": (TRACKS,)}
        writer.store_cues([(1, sidecar(bad, modified_ns=10))])
        writer.store_cues([], [library.cue_sources()[-1].id])
        assert remarks(library) == {"one": (TRACKS,)}
        writer.store_cues([(1, sidecar(bad, modified_ns=11))])
        writer.add_locations([(1, location("/moved"))])
        writer.forget([Path("/a")])
    assert remarks(library) == {"one": (TRACKS,)}


def test_a_sidecar_that_cannot_be_read_keeps_the_cues_that_were(library: Library) -> None:
    """It is recorded without size and time, so that the next run reads it again."""
    unread = CueSource(Location(SIDECAR, 0, 0), Path("/a"), (), "cannot be read: Permission denied")
    expected = {"one": (Remark("cannot be read: Permission denied", sidecar=SIDECAR),)}
    with library.writer() as writer:
        writer.add([replace(encoded("/a", "one"), cues=(unread,))])
        assert remarks(library) == expected and library.cues(1) == ()
        writer.store_cues([(1, sidecar(None, SAID))])
        assert remarks(library) == {"one": ()} and library.cues(1) == (SAID,)
        before = library.cue_sources()
        writer.store_cues([(1, unread)])
    assert remarks(library) == expected and library.cues(1) == (SAID,)
    (source,) = library.cue_sources()
    assert (source.id, source.sidecar) == (before[0].id, Location(SIDECAR, 0, 0))


def test_remarks_of_odd_bytes_are_escaped(library: Library) -> None:
    odd = CueSource(Location(Path("/\udcff.srt"), 10, 7), Path("/a"), (), "not \udcff")
    with library.writer() as writer:
        writer.add([replace(remarked("/a", "one", Remark("stream '\udcff'; --")), cues=(odd,))])
    assert remarks(library)["one"] == (
        Remark("stream '\\udcff'; --"),
        Remark("not \\udcff", sidecar=Path("/\udcff.srt")),
    )


def test_a_library_of_before_has_none_and_can_have_them(tmp_path: Path) -> None:
    shutil.unpack_archive(LIBRARIES / "schema_7.zip", tmp_path)
    library = open_library(tmp_path / "library")
    assert set(remarks(library).values()) == {()}
    assert (library.status().remarks, library.files_with_remarks()) == (0, [])
    assert {source.remark for source in library.cue_sources()} == {None}
    with library.writer() as writer:
        writer.add([remarked("/b", "two", TRACKS)])
        writer.store_cues([(1, sidecar("holds no subtitles"))])
    assert remarks(library)["two"] == (TRACKS,)
