"""What a worker does with a batch: in this process, without Ray."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import ClusterError
from pesearch.indexer.cluster.worker import Job, Worker, shards_of
from pesearch.indexer.commit import EmbeddedFile
from pesearch.indexer.survey import EmbedTask, without_stamp
from pesearch.locations import Location
from pesearch.media.fingerprint import fingerprint
from pesearch.media.probe import probe
from pesearch.store.catalogue.stamp import library_id_of
from pesearch.store.library import Library
from pesearch.store.shards.records import StreamedFile
from pesearch.types import Failure

NODE = socket.gethostname()


@pytest.fixture
def job(library: Library, models: ModelSet) -> Job:
    with library.writer():
        library_id = library_id_of(library.folder)
    return Job(models.description, models.folders, models.spaces, "cpu", 1, library.folder, library_id, None)


@pytest.fixture
def tasks(sample: Callable[[str], Path]) -> list[EmbedTask]:
    paths = [sample("both.mp4"), sample("tone.wav")]
    return [EmbedTask(Location.now(path), (), fingerprint(path), probe(path)) for path in paths]


def test_files_come_back_without_vectors_and_can_be_registered(
    job: Job, tasks: list[EmbedTask], library: Library
) -> None:
    report = Worker(job).embed(tasks)
    assert report.error is None
    assert set(report.fingerprints) == {task.fingerprint for task in tasks}
    files = [each.file for each in report.results if isinstance(each, EmbeddedFile)]
    assert all(isinstance(file, StreamedFile) for file in files)
    assert len(shards_of(report.results)) == len({shard.name for shard in shards_of(report.results)}) == len(job.spaces)
    with library.writer():
        pass  # sweeps what nobody has registered
    assert not list((library.folder / "vectors").glob("*/*"))


def test_what_a_node_cannot_see_is_told_with_its_name_and_not_remembered(job: Job, tasks: list[EmbedTask]) -> None:
    absent = replace(tasks[0], location=Location(Path("/nowhere/film.mp4"), 5, 5), fingerprint="absent")
    results = Worker(job).embed([absent, tasks[1]]).results
    (failure,) = [each for each in results if isinstance(each, Failure)]
    assert failure.location == without_stamp(failure.location)
    assert failure.reason == f"does not exist: media must have the same path on every node (on the node {NODE})"
    assert len(results) == 2


def test_a_library_that_is_not_this_one_ends_the_run(job: Job, tasks: list[EmbedTask], tmp_path: Path) -> None:
    report = Worker(replace(job, library=tmp_path / "elsewhere")).embed(tasks)
    assert isinstance(report.error, ClusterError)
    assert str(report.error).endswith(f"share it, or use --staging URI (on the node {NODE})")
    assert not (tmp_path / "elsewhere").exists()


def test_shards_wait_where_the_job_says(job: Job, tasks: list[EmbedTask], tmp_path: Path) -> None:
    report = Worker(replace(job, library=tmp_path / "elsewhere", staging=tmp_path.as_uri())).embed(tasks)
    assert report.error is None
    waiting = {path.name for path in (tmp_path / job.library_id).rglob("*.arrow")}
    assert waiting == {shard.name for shard in shards_of(report.results)}
    assert not (tmp_path / "elsewhere").exists()
