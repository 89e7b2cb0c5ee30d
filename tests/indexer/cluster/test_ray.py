"""Indexing on a real Ray with two worker processes: the same library as on one machine, even if processes die."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.cluster import ray_internals
from pesearch.indexer.cluster.embed import RayEmbed, _reports
from pesearch.indexer.cluster.feed import MAX_RETRIES
from pesearch.indexer.cluster.session import WorkerPool, ray_session
from pesearch.indexer.progress_events import Indexed, Outcome, Plan, Progress, RunTimings, Unchanged
from pesearch.indexer.run import index
from pesearch.indexer.survey import EmbedTask
from pesearch.store.derived.previews import nearest_preview
from pesearch.store.library import Library, create_library
from pesearch.temporary_folder import PREFIX
from pesearch.types import SpaceName
from tests.indexer.cluster.processes import workers
from tests.indexer.runs import location_counts, names_by_kind, of, row_counts, run
from tests.media.samples import ffmpeg

ROOT = Path(__file__).parents[3]
PICTURES = 4
SOUNDS = 3
FILES = PICTURES + SOUNDS + 4
TOLERANCE = 1e-3
"""Of unit vectors stored in float16: batches of other sizes round differently."""

pytestmark = [
    pytest.mark.slow,
    # Ray 2.60 leaves pipes and sockets of the processes that it has started to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample_media: Path) -> Path:
    """Files of different content: pictures, sounds, two clips, a truncated one, and 100 s of one colour."""
    folder = tmp_path_factory.mktemp("media")
    clips = sorted(sample_media.glob("*.mp4"))[:2]
    for clip in clips:
        shutil.copy(clip, folder)
    (folder / "torn.mp4").write_bytes(clips[0].read_bytes()[:900])
    pictures = folder / "pictures"
    pictures.mkdir()
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48", "-frames:v", "1", pictures / "0.png")
    for number in range(1, PICTURES):
        (pictures / f"{number}.png").write_bytes((pictures / "0.png").read_bytes() + bytes([number]))
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x48:r=1:d=100", "-c:v", "libx264", "-g", "60", folder / "long.mkv")
    for number in range(SOUNDS):
        ffmpeg("-f", "lavfi", "-i", f"sine={300 + 40 * number}:r=16000:d=1.{number}", folder / f"{number}.wav")
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
        patch.setenv("RAY_TMPDIR", str(tmp_path_factory.mktemp("no_ray")))  # no other Ray of this machine
        patch.setenv("RAY_worker_niceness", "0")  # the default of 15 would starve the workers beside other tests
        with ray_session("auto", cpus=2):
            yield


def test_a_ray_of_our_own_is_closed_to_other_users(ray: None) -> None:
    from ray._raylet import AuthenticationMode, get_authentication_mode

    assert get_authentication_mode() == AuthenticationMode.TOKEN
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64
    folder = Path(cast(Any, sys.modules["ray"])._private.worker._global_node.get_temp_dir_path())
    assert folder.parent.name.startswith(PREFIX)  # so that it is deleted after a crash
    assert folder.parent.stat().st_mode & 0o777 == 0o700


def check_same(library: Library, plain: Library) -> None:
    """Every file once, with the segments, vectors, features and previews that it has in the plain library."""
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
        previews = [nearest_preview(each.folder, file.fingerprint, 0) for each in (library, plain)]
        assert previews[0] == previews[1]
        assert (previews[0] is None) == (file.info.video is None)
        features, expected_features = library.features(file.id), plain.features(expected.id)
        assert (features is None) == (expected_features is None) == (expected.info.audio is None)
        if features is not None and expected_features is not None:
            np.testing.assert_allclose(features.steps, expected_features.steps, atol=TOLERANCE, rtol=TOLERANCE)


def test_the_library_is_the_same_even_if_the_coordinator_and_a_worker_are_killed(
    ray: None,
    tmp_path: Path,
    folder: Path,
    library: Library,
    starter: ModelSet,
    plain: Library,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """First the coordinator is killed while its workers embed, and then a worker in the run that continues.

    The workers of the first run write into the library's folder, those of the second to another one.
    """
    committed = killed_after_first_commit(tmp_path, library, folder / "pictures")
    assert 0 < committed <= PICTURES

    killed: list[int] = []
    outcomes: list[Outcome] = []
    staging = tmp_path / "staging"
    staging.mkdir()
    for outcome in index([folder], library, starter, embed=RayEmbed(staging=staging.as_uri())):
        outcomes.append(outcome)
        if not killed and isinstance(outcome, Progress) and outcome.media_seconds:
            killed = workers()[:1]
            os.kill(killed[0], signal.SIGKILL)
    assert killed
    (plan,), (timings,) = of(Plan, outcomes), of(RunTimings, outcomes)
    assert sum(step.media_seconds for step in of(Progress, outcomes)) == pytest.approx(plan.media_seconds)
    assert timings.codec_seconds > 0
    assert names_by_kind(outcomes)["Failed"] == ["torn.mp4"]
    assert len(of(Unchanged, outcomes)) == committed
    assert len(of(Indexed, outcomes)) == FILES - 1 - committed
    check_same(library, plain)
    assert files_in(staging) == []
    assert capfd.readouterr().out == ""  # of the worker that died: stdout is for data


def killed_after_first_commit(tmp_path: Path, library: Library, pictures: Path) -> int:
    """Kills a coordinator after its first commit, while a file that takes minutes is embedded. The files committed."""
    import ray as running

    endless = tmp_path / "endless.wav"
    ffmpeg("-f", "lavfi", "-i", "anoisesrc=r=8000:d=3600", endless)
    command = [sys.executable, "-m", "tests.indexer.cluster.coordinator", library.folder, pictures, endless]
    environment = os.environ | {"RAY_ADDRESS": running.get_runtime_context().gcs_address}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "Indexed\n" in process.stdout
        process.kill()
    return library.status().files


def test_a_batch_that_kills_its_worker_is_retried_twice_and_left_out(ray: None, tmp_path: Path) -> None:
    deaths = tmp_path / "deaths"
    code = f"__import__('os').system('echo died >> {deaths}') or __import__('os')._exit(1)"

    class Deadly:
        """Ends the process that unpickles it."""

        def __reduce__(self) -> tuple[Any, ...]:
            return eval, (code,)

    class Sent:
        """Becomes Deadly when the feed receives it, which pickles it again for a worker."""

        def __reduce__(self) -> tuple[Any, ...]:
            return (lambda: Deadly()), ()

    batches = [(cast(EmbedTask, Sent()),)]
    reports = _reports(cast(Any, None), WorkerPool(1, 1, 0, "cpu"), batches)
    assert [report for report in reports if report is not None] == []
    assert deaths.read_text().splitlines() == ["died"] * (1 + MAX_RETRIES)
    assert MAX_RETRIES == 2


def test_ray_still_has_the_undocumented_details_that_are_relied_on(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import ray._common.utils
    import ray._private.worker

    assert "print_to_stdstream" in ray._private.worker.listen_error_messages.__code__.co_names
    monkeypatch.setattr(ray._private.worker, "print_to_stdstream", ray._private.worker.print_to_stdstream)
    ray_internals.silence_stdout(ray)
    ray._private.worker.print_to_stdstream({"lines": ["died"], "pid": "raylet", "is_err": False}, ignore_prefix=False)
    assert capfd.readouterr().out == ""
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", None)
    assert str(ray_internals.address_file()) == ray._common.utils.get_ray_address_file(None)
