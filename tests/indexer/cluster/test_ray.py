"""Indexing on a real Ray of two worker processes: the same library as on one machine, whoever dies meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.cluster.embed import RayEmbed
from pesearch.indexer.cluster.session import ray_session
from pesearch.indexer.progress_events import Indexed, Outcome, Plan, Progress, RunTimings, Unchanged
from pesearch.indexer.run import index
from pesearch.store.derived.previews import nearest_preview
from pesearch.store.library import Library, create_library
from pesearch.types import SpaceName
from tests.indexer.cluster.processes import workers
from tests.indexer.runs import location_counts, names_by_kind, of, row_counts, run
from tests.media.samples import ffmpeg

ROOT = Path(__file__).parents[3]
FILES = 50
TOLERANCE = 1e-3
"""Of what float16 stores of vectors of unit length; batches of other sizes round in other places."""

pytestmark = [
    pytest.mark.slow,
    # Ray 2.60 leaves pipes and sockets of the processes that it has started to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample_media: Path) -> Path:
    """50 files of different content: pictures, sounds, clips, a torn one, a long one that is nearly silent."""
    folder = tmp_path_factory.mktemp("media")
    clips = sorted(sample_media.glob("*.mp4"))[:3]
    for clip in clips:
        shutil.copy(clip, folder)
    (folder / "torn.mp4").write_bytes(clips[0].read_bytes()[:900])
    pictures = folder / "pictures"
    pictures.mkdir()
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48", "-frames:v", "1", pictures / "00.png")
    picture = (pictures / "00.png").read_bytes()
    for number in range(1, 25):
        (pictures / f"{number:02d}.png").write_bytes(picture + bytes([number]))
    ffmpeg("-f", "lavfi", "-i", "aevalsrc='0.5*sin(2000*t)*lt(t,3)':s=8000:d=1300", folder / "long.flac")
    for number in range(FILES - len(files_in(folder))):
        ffmpeg("-f", "lavfi", "-i", f"sine={300 + 40 * number}:r=16000:d=1.{number % 10}", folder / f"{number:02d}.wav")
    assert len(files_in(folder)) == FILES
    return folder


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, folder: Path, starter: ModelSet) -> Library:
    library = create_library(tmp_path_factory.mktemp("plain") / "library", starter.name, starter.spaces)
    run(folder, library, starter)
    return library


@pytest.fixture
def library(tmp_path: Path, starter: ModelSet) -> Library:
    return create_library(tmp_path / "library", starter.name, starter.spaces)


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.setenv("RAY_TMPDIR", str(tmp_path_factory.mktemp("no_ray")))  # nobody else's on this machine
        patch.setenv("RAY_worker_niceness", "0")  # it is 15 else: beside other tests they would hardly get on
        with ray_session("auto", cpus=2):
            yield


def check_same(library: Library, plain: Library) -> None:
    """Every file once, with the segments, vectors, features and pictures that it has in the plain library."""
    assert location_counts(library) == location_counts(plain)
    assert row_counts(library) == row_counts(plain)
    assert {each.location: each.reason for each in library.failures()} == {
        each.location: each.reason for each in plain.failures()
    }
    files = {file.path: file for file in library.files()}
    for expected in plain.files():
        file = files[expected.path]
        assert (file.fingerprint, file.info) == (expected.fingerprint, expected.info)
        for space in SpaceName:
            one, other = library.vectors(file.id, space), plain.vectors(expected.id, space)
            assert np.array_equal(one.segments, other.segments)
            np.testing.assert_allclose(one.vectors, other.vectors, atol=TOLERANCE)
        pictures = [nearest_preview(each.folder, file.fingerprint, 0) for each in (library, plain)]
        assert pictures[0] == pictures[1]
        assert (pictures[0] is None) == (file.info.video is None)
        heard, expected_heard = library.features(file.id), plain.features(expected.id)
        assert (heard is None) == (expected_heard is None) == (expected.info.audio is None)
        if heard is not None and expected_heard is not None:
            np.testing.assert_allclose(heard.steps, expected_heard.steps, atol=TOLERANCE, rtol=TOLERANCE)


def test_the_same_library_as_one_machine_makes(
    ray: None, folder: Path, library: Library, starter: ModelSet, plain: Library
) -> None:
    outcomes = list(index([folder], library, starter, embed=RayEmbed()))
    (plan,), (timings,) = of(Plan, outcomes), of(RunTimings, outcomes)
    assert len(names_by_kind(outcomes)["Indexed"]) == FILES - 1
    assert names_by_kind(outcomes)["Failed"] == ["torn.mp4"]
    assert sum(step.media_seconds for step in of(Progress, outcomes)) == pytest.approx(plan.media_seconds)
    assert timings.codec_seconds > 0
    check_same(library, plain)


def test_whoever_is_killed_nothing_changes(
    ray: None, tmp_path: Path, folder: Path, library: Library, starter: ModelSet, plain: Library
) -> None:
    """First the coordinator, at pictures and a file that takes minutes, and in the run that takes up the rest a worker.
    What workers make then comes by way of a folder that is not the library."""
    import ray as running

    endless = tmp_path / "endless.wav"
    ffmpeg("-f", "lavfi", "-i", "anoisesrc=r=8000:d=3600", endless)
    command = [sys.executable, "-m", "tests.indexer.cluster.coordinator", library.folder, folder / "pictures", endless]
    environment = os.environ | {"RAY_ADDRESS": running.get_runtime_context().gcs_address}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "Indexed\n" in process.stdout
        process.kill()
    committed = library.status().files
    assert 0 < committed <= 25

    killed: list[int] = []
    outcomes: list[Outcome] = []
    waiting = tmp_path / "waiting"
    waiting.mkdir()
    for outcome in index([folder], library, starter, retry_failed=True, embed=RayEmbed(staging=waiting.as_uri())):
        outcomes.append(outcome)
        if not killed and isinstance(outcome, Progress) and outcome.media_seconds:
            killed = workers()[:1]
            os.kill(killed[0], signal.SIGKILL)
    assert len(of(Unchanged, outcomes)) == committed
    assert len(of(Indexed, outcomes)) == FILES - 1 - committed
    check_same(library, plain)
    assert files_in(waiting) == []
