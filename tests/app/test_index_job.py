"""An indexing run in a process of its own: started, followed, stopped, killed, and continued."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.app import index_job, indexing
from pesearch.app.index_job import INTERRUPTED, IndexJob, IndexProgress
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.progress_events import Remarked
from pesearch.store.library import Library, create_library
from pesearch.types import Remark
from tests.app.conftest import convert

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 120

FILES = 3


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def wait_until_over(job: IndexJob) -> None:
    wait_until(lambda: job.progress is not None and job.progress.is_over)


@pytest.fixture
def library(tmp_path: Path, starter: ModelSet) -> Library:
    return create_library(tmp_path / "library", starter.name, starter.spaces)


@pytest.fixture
def job(library: Library) -> IndexJob:
    return IndexJob(library.folder)


def test_a_stopped_run_keeps_what_is_indexed_and_the_next_one_continues(
    job: IndexJob, library: Library, tmp_path: Path, sample_media: Path
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    convert(sample_media / "bell.mp4", "-t", "1", "-c", "copy", tmp_path / "bell.mp4")
    clip = (tmp_path / "bell.mp4").read_bytes()
    for number in range(FILES):
        box = (9).to_bytes(4) + b"free" + bytes([number])  # makes the content of each different
        (media / f"{number}.mp4").write_bytes(clip + box)
    (media / "damaged.mp4").write_bytes(clip[:400])
    job.start([media])
    assert job.is_running
    wait_until(lambda: job.progress is not None and (job.progress.planned_files > 0 or job.progress.is_over))
    job.stop()
    wait_until_over(job)
    assert job.progress is not None
    assert job.progress.stage in ("stopped", "done")
    indexed = len(library.files())
    assert indexed >= job.progress.files
    job.start([media])
    wait_until_over(job)
    assert (job.progress.stage, job.progress.files, job.progress.fraction) == ("done", FILES - indexed, 1.0)
    assert len(library.files()) == FILES
    (failure,) = library.failures()
    assert failure.location.path.name == "damaged.mp4"


def test_files_with_remarks_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = index_job._ProgressReporter()
    for name in ("a.mp4", "b.mp4"):
        reporter.update(Remarked(Path(name), (Remark("its clock was guessed"),)))
    reporter.finish("done")
    progress = IndexProgress(**json.loads(capsys.readouterr().out.splitlines()[-1]))
    assert progress.remarked == 2
    assert indexing._summary(progress) == "done: 0 of 0 files, 2 with remarks"


def test_a_killed_run_says_so(job: IndexJob, sample_media: Path) -> None:
    job.start([sample_media])
    assert job._process is not None
    os.kill(job._process.pid, signal.SIGKILL)
    wait_until_over(job)
    assert job.progress is not None
    assert job.progress.error == "The indexing process died (exit status -9). Start it again to continue."


def test_an_error_is_one_line(job: IndexJob, library: Library, sample_media: Path) -> None:
    with library.writer():
        job.start([sample_media / "red_ball.png"])
        wait_until_over(job)
    assert job.progress is not None
    assert str(os.getpid()) in job.progress.error
    assert "\n" not in job.progress.error


def test_a_run_ends_with_the_server(job: IndexJob, sample_media: Path) -> None:
    job.start([sample_media])
    assert job._process is not None and job._process.stdin is not None
    job._process.stdin.close()  # as when the server is killed
    wait_until_over(job)
    assert job.progress is not None
    assert job.progress.stage == "stopped"


SWALLOWING = """
import sys, time
from pesearch.app import index_job, shutdown

def outcomes(*_):
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass  # as some libraries do while they load
    yield

index_job._outcomes, shutdown.GRACE_SECONDS = outcomes, 0.1
sys.exit(index_job.main(["library", "media"]))
"""


FAILING_TO_LOAD = SWALLOWING.replace(
    "            pass  # as some libraries do while they load",
    "            break\n    raise ImportError  # without a cause, as modules in C do while they load",
)


def test_an_interrupt_that_becomes_another_error_stops_the_run() -> None:
    command = [sys.executable, "-c", FAILING_TO_LOAD]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert json.loads(ended.stdout.splitlines()[-1])["stage"] == "stopped"
    assert (ended.returncode, ended.stderr) == (INTERRUPTED, "")


def test_an_interrupt_that_is_swallowed_still_ends_the_run() -> None:
    ended = subprocess.run([sys.executable, "-c", SWALLOWING], stdin=subprocess.DEVNULL, timeout=PATIENCE_SECONDS)
    assert ended.returncode == INTERRUPTED
