"""An indexing run beside the page: started, followed, stopped, and ended from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.app.index_job import INTERRUPTED, IndexJob
from pesearch.encoders.model_set import ModelSet
from pesearch.store.library import Library, create_library

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 120


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not until():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def library(tmp_path: Path, starter: ModelSet) -> Library:
    return create_library(tmp_path / "library", starter.name, starter.spaces)


@pytest.fixture
def job(library: Library) -> IndexJob:
    return IndexJob(library.folder)


def over(job: IndexJob) -> bool:
    return job.run is not None and job.run.is_over


def test_what_was_finished_stays_and_the_next_run_goes_on(
    job: IndexJob, library: Library, tmp_path: Path, sample_media: Path
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    for number in range(12):
        box = (9).to_bytes(4) + b"free" + bytes([number])  # makes it another content
        (media / f"{number}.mp4").write_bytes((sample_media / "bell.mp4").read_bytes() + box)
    (media / "damaged.mp4").write_bytes((sample_media / "bell.mp4").read_bytes()[:400])
    job.start([media])
    assert job.is_running
    wait(lambda: job.run is not None and (job.run.planned_files > 0 or job.run.is_over))
    job.stop()
    wait(lambda: over(job))
    assert job.run is not None
    assert job.run.doing in ("stopped", "done")
    held = len(library.files())
    assert held >= job.run.files
    job.start([media])
    wait(lambda: over(job))
    assert (job.run.doing, job.run.files, job.run.share) == ("done", 12 - held, 1.0)
    assert len(library.files()) == 12
    (failure,) = library.failures()
    assert failure.location.path.name == "damaged.mp4"


def test_a_run_that_is_ended_from_outside_says_so(job: IndexJob, sample_media: Path) -> None:
    job.start([sample_media])
    assert job._process is not None
    os.kill(job._process.pid, signal.SIGKILL)
    wait(lambda: over(job))
    assert job.run is not None
    assert "start it again" in job.run.error


def test_an_error_is_one_line(job: IndexJob, library: Library, sample_media: Path) -> None:
    with library.writer():
        job.start([sample_media])
        wait(lambda: over(job))
    assert job.run is not None
    assert str(os.getpid()) in job.run.error
    assert "\n" not in job.run.error


def test_a_run_ends_with_the_page(job: IndexJob, sample_media: Path) -> None:
    job.start([sample_media])
    assert job._process is not None and job._process.stdin is not None
    job._process.stdin.close()  # as when the server is killed
    wait(lambda: over(job))
    assert job.run is not None
    assert job.run.doing == "stopped"


SWALLOWING = """
import sys, time
from pesearch.app import index_job
from pesearch.app import shutdown as ending

def outcomes(*_):
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass  # as a library may while it is loaded
    yield

index_job._outcomes, ending.LAST_SECONDS = outcomes, 0.5
sys.exit(index_job.main(["library", "media"]))
"""


def test_an_interrupt_that_is_swallowed_ends_it_all_the_same() -> None:
    ended = subprocess.run([sys.executable, "-c", SWALLOWING], stdin=subprocess.DEVNULL, timeout=PATIENCE_SECONDS)
    assert ended.returncode == INTERRUPTED[0]
