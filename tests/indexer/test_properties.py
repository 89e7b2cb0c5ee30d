"""Properties are read with new files, and once for the files of an older library, without embedding anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import pytest
from PIL import Image

from pesearch.capture_time import DateSource
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer import properties as indexer_properties
from pesearch.indexer.progress_events import Indexed, PropertiesRead
from pesearch.indexer.run import index
from pesearch.store.catalogue.connection import transaction
from pesearch.store.catalogue.schema import MIGRATIONS, PROPERTIES
from pesearch.store.library import Library, open_library
from pesearch.store.status import RecordingCounts, count_recordings
from pesearch.types import MediaFile
from tests.indexer.runs import of, run
from tests.media.samples import ffmpeg
from tests.media.test_properties import camera_exif

Sample = Callable[[str], Path]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory, sample: Sample) -> Path:
    """A film and a picture that say when they were recorded, and a sound whose name does. They are shared."""
    folder = tmp_path_factory.mktemp("recordings")
    tags = ("-metadata", "creation_time=2019-07-04T12:00:00Z", "-metadata", "location=+48.8584+002.2945/")
    ffmpeg("-i", sample("both.mp4"), "-t", "1", "-c", "copy", *tags, folder / "film.mp4")
    with_exif(sample("cover.png"), folder / "picture.png")
    ffmpeg("-i", sample("tone.wav"), "-t", "1", "-c", "copy", folder / "REC_20180203_101112.wav")
    return folder


@pytest.fixture
def folder(tmp_path: Path, recordings: Path) -> Path:
    """The recordings, all copied today."""
    return Path(shutil.copytree(recordings, tmp_path / "media", copy_function=shutil.copyfile))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three pictures, which are cheap to embed."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (32, 24), (0, 99 * number, 0)).save(folder / f"{number}.png", exif=camera_exif())
    return folder


def with_exif(source: Path, target: Path) -> None:
    with Image.open(source) as image:
        image.save(target, exif=camera_exif())


def before_properties(library: Library) -> Library:
    """The library as a program without properties has left it."""
    with transaction(library.folder) as connection:
        connection.execute("DROP TABLE absent_locations")
        connection.execute("DROP TABLE uncompared_copies")
        connection.execute("DROP TABLE file_properties")
        connection.execute("UPDATE library SET schema = ?", [MIGRATIONS.index(PROPERTIES)])
    return open_library(library.folder)


def stored_vectors(library: Library) -> dict[str, tuple[int, int]]:
    """Shards of a library with inode and time: those that were not written again are the same."""
    return {
        str(path.relative_to(library.folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in library.folder.rglob("*.arrow")
    }


def by_name(library: Library) -> dict[str, MediaFile]:
    return {file.locations[0].path.name: file for file in library.files()}


def dates(library: Library) -> dict[str, str]:
    found = {name: file.captured for name, file in by_name(library).items()}
    return {name: f"{time.source} {time.text}" for name, time in found.items() if time is not None}


DATES = {
    "film.mp4": "creation_time 2019-07-04T12:00:00Z",
    "picture.png": "exif 2019-07-04T12:34:56.250000-03:30",
    "REC_20180203_101112.wav": "file_name 2018-02-03T10:11:12",
}


def test_new_files_come_with_their_properties(folder: Path, library: Library, models: ModelSet) -> None:
    (folder / "copy").mkdir()
    shutil.copyfile(folder / "film.mp4", folder / "copy" / "film.mp4")
    outcomes = run(folder, library, models)
    assert not of(PropertiesRead, outcomes)
    assert dates(library) == DATES
    film, picture = (by_name(library)[name].properties for name in ("film.mp4", "picture.png"))
    assert film is not None and film.place is not None and film.place.latitude == 48.8584
    assert picture is not None and picture.camera == "Canon EOS 5D"
    assert dates(open_library(library.folder)) == DATES
    assert count_recordings(library.files()) == RecordingCounts(
        read=3,
        dates={DateSource.EXIF: 1, DateSource.CREATION_TIME: 1, DateSource.FILE_NAME: 1},
        places=1,
        cameras={"Canon EOS 5D": 1},
    )
    assert not of(PropertiesRead, run(folder, library, models))


def test_an_older_library_gets_properties_once_and_embeds_nothing(
    folder: Path, library: Library, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(folder, library, models)
    older, shards = before_properties(library), stored_vectors(library)
    assert len(shards) > 3 and [file.properties for file in older.files()] == [None] * 3
    monkeypatch.setattr(ModelSet, "load", lambda _: pytest.fail("the models were loaded"))
    outcomes = run(folder, older, models)
    assert of(PropertiesRead, outcomes) == [PropertiesRead(0, 3), PropertiesRead(3, 3)] and not of(Indexed, outcomes)
    assert dates(older) == DATES and stored_vectors(older) == shards
    monkeypatch.setattr(indexer_properties, "read_properties", lambda *_: pytest.fail("read again"))
    assert not of(PropertiesRead, run(folder, older, models))


def test_a_run_that_is_stopped_keeps_what_it_read(
    pictures: Path, library: Library, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(pictures, library, models)
    older = before_properties(library)
    monkeypatch.setattr(indexer_properties, "_FILES_PER_COMMIT", 1)
    with closing(index([pictures], older, models)) as outcomes:
        while (outcome := next(outcomes)) != PropertiesRead(2, 3):
            assert not isinstance(outcome, Indexed)
    assert len(older.files_without_properties()) == 1
    assert of(PropertiesRead, run(pictures, older, models)) == [PropertiesRead(0, 1), PropertiesRead(1, 1)]
    assert set(dates(older).values()) == {DATES["picture.png"]}


def test_offline_files_are_read_when_they_are_back(pictures: Path, library: Library, models: ModelSet) -> None:
    run(pictures, library, models)
    older, unplugged = before_properties(library), pictures.with_name("unplugged")
    pictures.rename(unplugged)
    assert not of(PropertiesRead, run(pictures, older, models)) and len(older.files_without_properties()) == 3
    unplugged.rename(pictures)
    assert of(PropertiesRead, run(pictures, older, models))[-1] == PropertiesRead(3, 3)


@pytest.fixture
def denied(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Files that the system does not let us open."""

    def deny(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as changed:
        changed.setattr(indexer_properties, "read_properties", deny)
        yield


def test_a_file_that_cannot_be_opened_is_tried_again(
    pictures: Path, library: Library, models: ModelSet, denied: None
) -> None:
    run(pictures, library, models)
    assert len(library.files_without_properties()) == 3
    assert of(PropertiesRead, run(pictures, library, models)) == [PropertiesRead(0, 3), PropertiesRead(3, 3)]
    assert len(library.files_without_properties()) == 3


def test_properties_are_removed_with_their_file(pictures: Path, library: Library, models: ModelSet) -> None:
    run(pictures, library, models)
    first = by_name(library)["0.png"]
    with library.writer() as writer:
        writer.remove([first.id])
        writer.store_properties([(first.id, first.properties)] if first.properties else [])  # of a file that is gone
    with transaction(library.folder) as connection:
        assert connection.execute("SELECT count(*) FROM file_properties").fetchall() == [(2,)]


def test_subtitles_next_to_a_file_are_known(folder: Path, library: Library, models: ModelSet) -> None:
    (folder / "film.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nmind the gap\n")
    (folder / "picture.txt").write_text("A description")
    run(folder, library, models)
    assert {name for name, file in by_name(library).items() if file.has_subtitles} == {"film.mp4"}


def test_a_file_of_another_time_keeps_its_date_of_recording(folder: Path, library: Library, models: ModelSet) -> None:
    run(folder, library, models)
    then = int(datetime(2024, 3, 1).timestamp())
    for path in folder.iterdir():
        os.utime(path, (then, then))
    run(folder, library, models)
    days = {name: file.captured.wall_clock.date() for name, file in by_name(library).items() if file.captured}
    assert days == {
        "film.mp4": date(2019, 7, 4), "picture.png": date(2019, 7, 4), "REC_20180203_101112.wav": date(2018, 2, 3),
    }  # fmt: skip
