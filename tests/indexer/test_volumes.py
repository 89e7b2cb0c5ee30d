"""Drives mounted elsewhere, trees moved within a volume, offline drives: which files are opened and reported."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pesearch import linux_volumes
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer import survey
from pesearch.indexer.crawl import crawl
from pesearch.indexer.progress_events import Missing, Relocated, Replaced
from pesearch.indexer.volumes import OfflineFiles, offline
from pesearch.locations import Location
from pesearch.store.library import Library, open_library
from pesearch.volume import Volume
from pesearch.volumes import mounted_volumes
from tests.indexer.drives import Drive
from tests.indexer.runs import location_counts, names_by_kind, of, row_counts, run
from tests.indexer.test_reconcile import stills

Sample = Callable[[str], Path]


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    return Drive(tmp_path / "drive.img")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that the survey opens."""
    names: list[str] = []

    def sniff(path: Path) -> object:
        names.append(path.name)
        return really(path)

    really = survey.sniff
    monkeypatch.setattr(survey, "sniff", sniff)
    return names


@pytest.fixture
def on_a_volume(tmp_path: Path) -> None:
    if tmp_path.stat().st_dev not in mounted_volumes():
        pytest.skip("the temporary folder is on no drive")


def test_files_of_a_drive_mounted_elsewhere_are_not_opened(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, drive: Drive, opened: list[str]
) -> None:
    with drive.at(tmp_path / "Archive 3") as old:
        run(stills(old / "media", sample, "a.png", "b.png").parent, library, models)
    before = row_counts(library)
    opened.clear()
    with drive.at(tmp_path / "Archive 31") as new:
        assert offline(library) == [OfflineFiles(2, old, new)]
        outcomes = run(new, library, models)
        assert (names_by_kind(outcomes), opened) == ({"Relocated": ["a.png", "b.png"]}, [])
        assert {each.previous for each in of(Relocated, outcomes)} == {
            old / "media" / name for name in ("a.png", "b.png")
        }
        assert [volume.mount_point for volume in library.volumes() if volume.mount_point == new] == [new]
        assert offline(library) == []
        assert names_by_kind(run(new, library, models)) == {"Unchanged": ["a.png", "b.png"]}
    assert (row_counts(library), location_counts(library)) == (before, {"a.png": 1, "b.png": 1})
    assert offline(library) == [OfflineFiles(2, new, None)]


def test_an_offline_drive_is_reported_even_if_another_is_in_its_place(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, drive: Drive
) -> None:
    with drive.at(tmp_path / "usb") as usb:
        run(stills(usb, sample, "a.png", "b.png"), library, models)
        run(stills(tmp_path / "copy", sample, "a.png"), library, models)  # the content of one is here as well
        assert offline(library) == []
    assert offline(library) == [OfflineFiles(1, usb, None)]
    assert not any(file.is_missing for file in library.files())  # the mount point is there, but empty
    usb.rmdir()
    assert not any(file.is_missing for file in library.files())
    with Drive(tmp_path / "other.img").at(usb):
        assert offline(library) == [OfflineFiles(1, usb, None)]
        assert (of(Missing, run(usb, library, models)), library.absences()) == ([], {})
    assert len(library.files()) == 2
    with drive.at(usb):
        assert offline(library) == []
        assert names_by_kind(run(usb, library, models)) == {"Unchanged": ["b.png"], "Relocated": ["a.png"]}
        (usb / "b.png").unlink()
        assert [file.path.name for file in library.files() if file.is_missing] == ["b.png"]


@pytest.mark.usefixtures("on_a_volume")
def test_files_of_a_tree_moved_within_its_volume_are_not_opened(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, opened: list[str]
) -> None:
    run(stills(tmp_path / "old", sample, "a.png", "b.png"), library, models)
    (tmp_path / "old").rename(tmp_path / "new")
    opened.clear()
    outcomes = run(tmp_path / "new", library, models)
    assert (names_by_kind(outcomes), opened) == ({"Relocated": ["a.png", "b.png"]}, [])
    assert {place.path for file in library.files() for place in file.locations} == {
        tmp_path / "new" / name for name in ("a.png", "b.png")
    }


@pytest.mark.usefixtures("on_a_volume")
def test_a_file_with_another_name_time_or_size_is_opened(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, opened: list[str]
) -> None:
    """File systems reuse the inode number of a deleted file."""
    old = stills(tmp_path / "old", sample, "a.png", "b.png", "c.png", "d.png")
    run(old, library, models)
    old.rename(new := tmp_path / "new")
    (new / "a.png").rename(new / "z.png")
    os.utime(new / "b.png", ns=(1, 1))
    (new / "c.png").write_bytes((new / "c.png").read_bytes() + b"changed")
    opened.clear()
    assert names_by_kind(run(new, library, models)) == {"Relocated": ["b.png", "d.png", "z.png"], "Indexed": ["c.png"]}
    assert sorted(opened) == ["b.png", "c.png", "z.png"]


@pytest.mark.usefixtures("on_a_volume")
def test_two_folders_that_swap_names(tmp_path: Path, sample: Sample, library: Library, models: ModelSet) -> None:
    media = tmp_path / "media"
    stills(media / "one", sample, "a.png")
    (stills(media / "two", sample, "a.png") / "a.png").write_bytes(sample("cover.png").read_bytes() + b"two")
    run(media, library, models)
    contents = {file.path.parent.name: file.fingerprint for file in library.files()}
    (media / "one").rename(media / "three")
    (media / "two").rename(media / "one")
    (media / "three").rename(media / "two")
    run(media, library, models)
    assert {file.path.parent.name: file.fingerprint for file in library.files()} == {
        "one": contents["two"],
        "two": contents["one"],
    }
    assert len(library.known()) == 2


def replace(path: Path, content: bytes) -> None:
    """Put a new file in place of one, of the same size and time."""
    status = path.stat()
    assert len(content) == status.st_size
    other = path.with_name("other")
    other.write_bytes(content)
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


@pytest.fixture
def keeps_inodes(tmp_path: Path, on_a_volume: None) -> None:
    if not mounted_volumes()[tmp_path.stat().st_dev].has_stable_inodes:
        pytest.skip("the file system of the temporary folder does not keep inode numbers")


@pytest.mark.usefixtures("keeps_inodes")
def test_a_file_that_replaced_another_of_the_same_size_and_time_is_indexed(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, opened: list[str]
) -> None:
    media = stills(tmp_path / "media", sample, "a.png", "b.png", "c.png", "d.png")
    run(media, library, models)
    before = {file.path.name: file for file in library.files()}
    replace(media / "a.png", sample("cover.png").read_bytes() + b"x")
    replace(media / "b.png", (media / "c.png").read_bytes())  # content that is in the library
    replace(media / "d.png", (media / "d.png").read_bytes())  # a backup that was restored
    opened.clear()
    outcomes = run(media, library, models)
    assert of(Replaced, outcomes) == [Replaced(media / name) for name in ("a.png", "b.png")]
    assert names_by_kind(outcomes) == {"Indexed": ["a.png"], "Relocated": ["b.png"], "Unchanged": ["c.png", "d.png"]}
    assert sorted(opened) == ["a.png", "b.png", "d.png"]
    now = {location.path.name: file for file in library.files() for location in file.locations}
    assert len(library.files()) == 3 and now["b.png"].id == now["c.png"].id == before["c.png"].id
    assert now["d.png"].id == before["d.png"].id and library.find(before["a.png"].fingerprint) is None
    opened.clear()
    assert set(names_by_kind(run(media, library, models))) == {"Unchanged"}
    assert opened == []


@pytest.mark.usefixtures("keeps_inodes")
def test_a_damaged_file_that_was_replaced_is_read_again(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet
) -> None:
    media = stills(tmp_path / "media", sample, "a.png")
    content = (media / "a.png").read_bytes()
    (media / "a.png").write_bytes(content[:100].ljust(len(content), b"\0"))
    assert names_by_kind(run(media, library, models)) == {"Failed": ["a.png"]}
    replace(media / "a.png", content)
    outcomes = run(media, library, models)
    assert (names_by_kind(outcomes), of(Replaced, outcomes)) == ({"Indexed": ["a.png"]}, [])


@pytest.mark.usefixtures("on_a_volume")
def test_inodes_of_file_systems_that_make_them_up_are_not_compared(
    tmp_path: Path,
    sample: Sample,
    library: Library,
    models: ModelSet,
    opened: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else all files on an exFAT card would be read whenever it is inserted."""
    monkeypatch.setattr(linux_volumes, "_WITH_STABLE_INODES", frozenset({"vfat"}))
    media = stills(tmp_path / "media", sample, "a.png")
    run(media, library, models)
    replace(media / "a.png", (media / "a.png").read_bytes())
    opened.clear()
    assert (names_by_kind(run(media, library, models)), opened) == ({"Unchanged": ["a.png"]}, [])


@pytest.mark.usefixtures("on_a_volume")
def test_a_library_without_volumes_records_them_without_opening_files(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, opened: list[str]
) -> None:
    media = stills(tmp_path / "media", sample, "a.png")
    run(media, library, models)
    with duckdb.connect(library.folder / "library.duckdb") as connection:
        connection.execute(
            "UPDATE locations SET volume = '', inode = 0; UPDATE library SET generation = generation + 1"
        )
    opened.clear()
    older = open_library(library.folder)
    assert older.known()[media / "a.png"].volume == ""
    assert (names_by_kind(run(media, older, models)), opened) == ({"Unchanged": ["a.png"]}, [])
    assert older.known()[media / "a.png"].inode == (media / "a.png").stat().st_ino
    generation = older.generation()
    run(media, older, models)
    assert older.generation() == generation


def test_without_volumes_files_are_identified_by_path_and_content(
    tmp_path: Path, sample: Sample, library: Library, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linux_volumes, "MOUNTS", tmp_path / "not there")
    assert mounted_volumes() == {}
    run(stills(tmp_path / "old", sample, "a.png"), library, models)
    (tmp_path / "old").rename(tmp_path / "new")
    assert names_by_kind(run(tmp_path / "new", library, models)) == {"Relocated": ["a.png"]}
    assert (library.volumes(), offline(library)) == ((), [])


def test_a_volume_is_named_by_its_uuid_if_known(tmp_path: Path, drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    """udev links UUIDs to devices, whatever device number they get."""
    monkeypatch.setattr(linux_volumes, "UUIDS", tmp_path)
    with drive.at(tmp_path / "tab\tand space") as folder:
        (source,) = [source for source, mount_point, _ in linux_volumes.mounted_devices() if mount_point == folder]
        (tmp_path / "8f3e-1").symlink_to(source)
        assert mounted_volumes()[folder.stat().st_dev] == Volume("8f3e-1", folder)
        (folder / "a.png").touch()
        (found,) = crawl([folder])
        assert isinstance(found, Location)
        assert (found.volume, found.inode) == ("8f3e-1", (folder / "a.png").stat().st_ino)
