"""Runs that are stopped: committed files stay, and the next run continues with the rest."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import NoSpaceLeft
from pesearch.indexer.progress_events import Indexed, Outcome, Progress
from pesearch.indexer.run import index
from pesearch.store.library import Library
from pesearch.types import SpaceName
from tests.indexer.runs import location_counts, names_by_kind, row_counts, run
from tests.media.samples import ffmpeg

Sample = Callable[[str], Path]
ROOT = Path(__file__).parents[2]
BATCH_FILES = 8
PICTURES = 3 * BATCH_FILES + 10


@pytest.fixture
def many(tmp_path: Path, sample: Sample) -> Path:
    """Enough pictures of different content for several commits of BATCH_FILES, and a clip."""
    folder = tmp_path / "media"
    folder.mkdir()
    add_pictures(folder, sample, range(PICTURES))
    shutil.copy(sample("both.mp4"), folder / "both.mp4")
    return folder


def add_pictures(folder: Path, sample: Sample, numbers: range) -> None:
    picture = sample("cover.png").read_bytes()
    for number in numbers:
        (folder / f"{number:03d}.png").write_bytes(picture + bytes([number]))


@contextmanager
def working(folder: Path, library: Library, tiny_set: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.indexer.worker", folder, library.folder, tiny_set, str(BATCH_FILES)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def begin_run(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


def lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    return (line.strip() for line in process.stdout)


def check_whole(folder: Path, library: Library) -> None:
    """Every file once, each with all its vectors."""
    names = [path.name for path in folder.iterdir()]
    assert location_counts(library) == dict.fromkeys(names, 1)
    rows = row_counts(library)
    assert rows.pop("both.mp4") == {
        SpaceName.FRAME: 7, SpaceName.VIDEO: 1, SpaceName.AUDIO: 1, SpaceName.AUDIO_VIDEO: 1,
    }  # fmt: skip
    assert all(of_picture == {SpaceName.FRAME: 1} for of_picture in rows.values())
    assert library.failures() == []


@pytest.mark.slow
def test_an_interrupted_and_a_killed_run_are_continued(
    many: Path, sample: Sample, library: Library, models: ModelSet, tiny_set: Path
) -> None:
    """A process continues its interrupted run, is killed, and the rest is indexed here."""
    endless = many / "endless.wav"  # so that no run can be over before it is stopped
    ffmpeg("-f", "lavfi", "-i", "sine=1000:r=8000:d=1800", endless)
    with working(many, library, tiny_set) as process:
        said = lines(process)
        begin_run(process)
        assert "Indexed" in said  # its first commit is on disk
        process.send_signal(signal.SIGINT)
        assert next(line for line in said if line.startswith("ended")) == "ended by KeyboardInterrupt"
        interrupted = library.status().files
        assert interrupted >= BATCH_FILES
        add_pictures(many, sample, range(PICTURES, 2 * PICTURES))
        begin_run(process)
        assert "Indexed" in said
        process.send_signal(signal.SIGKILL)
    endless.unlink()
    committed = library.status().files
    assert interrupted + BATCH_FILES <= committed < len(list(many.iterdir()))
    outcomes = names_by_kind(run(many, library, models))
    assert len(outcomes["Unchanged"]) == committed
    assert len(outcomes["Unchanged"]) + len(outcomes["Indexed"]) == len(list(many.iterdir()))
    check_whole(many, library)


@pytest.mark.slow
def test_a_run_without_disk_space_is_continued(many: Path, library: Library, models: ModelSet) -> None:
    """Files are limited to 1000 bytes, too few for a shard of vectors; to a program that looks like a full disk."""
    list(index([many / "both.mp4"], library, models))
    with largest_file(1000), pytest.raises(NoSpaceLeft):
        run(many, library, models)
    assert location_counts(library) == {"both.mp4": 1}
    assert "Failed" not in names_by_kind(run(many, library, models))
    check_whole(many, library)


@pytest.mark.parametrize("how", ["close", "interrupt"])
def test_finished_files_are_kept(how: str, tmp_path: Path, sample: Sample, library: Library, models: ModelSet) -> None:
    """Stopped while the second file is embedded: the first is in the library."""
    folder = tmp_path / "media"
    folder.mkdir()
    for name in ("both.mp4", "offset.mkv"):
        shutil.copy(sample(name), folder / name)
    rest: list[Outcome] = []
    outcomes = index([folder], library, models, report_rest=rest.append)
    seconds = 0.0
    for outcome in outcomes:
        assert not isinstance(outcome, Indexed)
        seconds += outcome.media_seconds if isinstance(outcome, Progress) else 0
        if seconds > 3.9:
            break
    if how == "close":
        outcomes.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            outcomes.throw(KeyboardInterrupt)
    kept = library.status().files
    assert names_by_kind(rest) == ({"Indexed": sorted(file.path.name for file in library.files())} if kept else {})
    again = names_by_kind(run(folder, library, models))
    assert len(again.get("Unchanged", [])) == kept
    assert location_counts(library) == {"both.mp4": 1, "offset.mkv": 1}
