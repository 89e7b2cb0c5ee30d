"""A worker of a cluster, run in this process without Ray."""

from __future__ import annotations

import pickle
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import ClusterError
from pesearch.indexer import pipeline
from pesearch.indexer.cluster.worker import Job, Worker, shards_of
from pesearch.indexer.commit import EmbeddedFile, commit
from pesearch.indexer.progress_events import Remarked
from pesearch.indexer.survey import EmbedTask, without_stamp
from pesearch.locations import Location
from pesearch.media.audio import AudioReader
from pesearch.media.fingerprint import fingerprint
from pesearch.media.probe import probe
from pesearch.store.catalogue.stamp import read_library_id
from pesearch.store.library import Library, create_library
from pesearch.store.shards.records import StreamedFile
from pesearch.store.shards.staging import Staging
from pesearch.types import Failure, Remark, SpaceName
from tests.indexer.runs import of, run

NODE = socket.gethostname()


@pytest.fixture
def job(library: Library, models: ModelSet) -> Job:
    with library.writer():
        library_id = read_library_id(library.folder)
    return Job(models.description, models.folders, models.spaces, "cpu", 1, library.folder, library_id, None)


@pytest.fixture
def tasks(sample: Callable[[str], Path]) -> list[EmbedTask]:
    paths = [sample("both.mp4"), sample("tone.wav")]
    return [EmbedTask(Location.of_file(path), (), fingerprint(path).digest, probe(path)) for path in paths]


def test_results_have_shards_in_place_of_vectors(job: Job, tasks: list[EmbedTask], library: Library) -> None:
    report = Worker(job).embed(tasks)
    assert report.error is None
    assert set(report.fingerprints) == {task.fingerprint for task in tasks}
    files = [each.file for each in report.results if isinstance(each, EmbeddedFile)]
    assert all(isinstance(file, StreamedFile) for file in files)
    assert len(shards_of(report.results)) == len({shard.name for shard in shards_of(report.results)}) == len(job.spaces)
    with library.writer():
        pass  # sweeps shards that are not registered
    assert not list((library.folder / "vectors").glob("*/*"))


def test_remarks_come_with_the_results(
    job: Job, tasks: list[EmbedTask], library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a short file, whose vectors are stored at the end, and of a streamed one."""
    left = Remark("1 of 2 sound tracks is not searched", 4.0)
    monkeypatch.setattr(AudioReader, "remarks", (left,))
    monkeypatch.setattr(pipeline, "STREAMING_THRESHOLD_SECONDS", probe(tasks[1].location.path).duration_seconds)
    sent = pickle.dumps(Worker(job).embed(tasks).results)
    results = pickle.loads(sent)  # noqa: S301  # bytes that this test has made
    with library.writer() as writer:
        remarked = {outcome.path: outcome.remarks for outcome in of(Remarked, commit(writer, [results]))}
    assert remarked == {task.location.path: (left,) for task in tasks}
    assert [file.remarks for file in library.files()] == [(left,), (left,)]


def test_a_file_missing_on_a_node_fails_with_the_node_name_and_is_retried(job: Job, tasks: list[EmbedTask]) -> None:
    absent = replace(tasks[0], location=Location(Path("/nowhere/film.mp4"), 5, 5), fingerprint="absent")
    results = Worker(job).embed([absent, tasks[1]]).results
    (failure,) = [each for each in results if isinstance(each, Failure)]
    assert failure.location == without_stamp(failure.location)
    assert failure.reason == f"does not exist: media must have the same path on every node (on the node {NODE})"
    assert len(results) == 2


def test_a_library_that_is_not_shared_ends_the_run(job: Job, tasks: list[EmbedTask], tmp_path: Path) -> None:
    report = Worker(replace(job, library=tmp_path / "elsewhere")).embed(tasks)
    assert isinstance(report.error, ClusterError)
    assert str(report.error).endswith(f"share it, or use --staging URI (on the node {NODE})")
    assert not (tmp_path / "elsewhere").exists()


def test_shards_are_written_to_the_staging_uri(job: Job, tasks: list[EmbedTask], tmp_path: Path) -> None:
    report = Worker(replace(job, library=tmp_path / "elsewhere", staging=tmp_path.as_uri())).embed(tasks)
    assert report.error is None
    waiting = {path.name for path in (tmp_path / job.library_id).rglob("*.arrow")}
    assert waiting == {shard.name for shard in shards_of(report.results)}
    assert not (tmp_path / "elsewhere").exists()


def test_a_long_file_is_streamed_to_shards_with_its_features(
    tmp_path: Path, sample: Callable[[str], Path], starter: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vectors and features come back as extents of shards in the staging folder, and equal those of a short file."""
    tone = sample("tone.wav")
    (tmp_path / "media").mkdir()
    shutil.copy(tone, tmp_path / "media")
    short = create_library(tmp_path / "short", starter.name, starter.spaces)
    run(tmp_path / "media", short, starter)

    monkeypatch.setattr(pipeline, "STREAMING_THRESHOLD_SECONDS", 1.0)
    task = EmbedTask(Location.of_file(tone), (), fingerprint(tone).digest, probe(tone))
    staging = (tmp_path / "staging").as_uri()
    job = Job(starter.description, starter.folders, starter.spaces, "cpu", 1, tmp_path, "id", staging)
    (result,) = Worker(job).embed([task]).results
    assert isinstance(result, EmbeddedFile)
    assert isinstance(result.file, StreamedFile)
    shards = {path.name for path in (tmp_path / "staging" / "id").rglob("*") if path.is_file()}
    assert {shard.name for shard in shards_of([result])} == shards
    assert len(shards) == 2  # audio vectors and features

    long = create_library(tmp_path / "long", starter.name, starter.spaces)
    with long.writer() as writer:
        Staging(staging, "id").fetch(long.folder, shards_of([result]))
        writer.add([result.file])
    expected, streamed = (each.vectors(1, SpaceName.AUDIO) for each in (short, long))
    assert len(streamed.vectors) > 0
    np.testing.assert_array_equal(streamed.segments, expected.segments)
    np.testing.assert_allclose(streamed.vectors, expected.vectors, atol=1e-3)
    features, expected_features = long.features(1), short.features(1)
    assert features is not None and expected_features is not None
    np.testing.assert_allclose(features.steps, expected_features.steps, atol=1e-3, rtol=1e-3)
