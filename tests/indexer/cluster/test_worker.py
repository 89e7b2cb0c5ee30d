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
from pesearch.indexer.commit import Embedded
from pesearch.indexer.survey import Work, unseen
from pesearch.locations import Location
from pesearch.media.fingerprint import fingerprint
from pesearch.media.probe import probe
from pesearch.store.catalogue.stamp import read_library_id
from pesearch.store.library import Library
from pesearch.store.shards.records import StreamedFile
from pesearch.types import Failure

NODE = socket.gethostname()


@pytest.fixture
def job(library: Library, models: ModelSet) -> Job:
    with library.writer():
        library_id = read_library_id(library.folder)
    return Job(models.description, models.folders, models.spaces, "cpu", 1, library.folder, library_id, None)


@pytest.fixture
def work(sample: Callable[[str], Path]) -> list[Work]:
    paths = [sample("both.mp4"), sample("tone.wav")]
    return [Work(Location.of_file(path), (), fingerprint(path), probe(path)) for path in paths]


def test_files_come_back_without_vectors_and_can_be_registered(job: Job, work: list[Work], library: Library) -> None:
    report = Worker(job).embed(work)
    assert report.error is None
    assert set(report.contents) == {task.fingerprint for task in work}
    files = [each.file for each in report.ended if isinstance(each, Embedded)]
    assert all(isinstance(file, StreamedFile) for file in files)
    assert len(shards_of(report.ended)) == len({shard.name for shard in shards_of(report.ended)}) == len(job.spaces)
    with library.writer():
        pass  # sweeps what nobody has registered
    assert not list((library.folder / "vectors").glob("*/*"))


def test_what_a_node_cannot_see_is_told_with_its_name_and_not_remembered(job: Job, work: list[Work]) -> None:
    away = replace(work[0], location=Location(Path("/nowhere/film.mp4"), 5, 5), fingerprint="away")
    ended = Worker(job).embed([away, work[1]]).ended
    (failure,) = [each for each in ended if isinstance(each, Failure)]
    assert failure.location == unseen(failure.location)
    assert failure.reason == f"is not there: media must lie at the same path on every node (on the node {NODE})"
    assert len(ended) == 2


def test_a_library_that_is_not_this_one_ends_the_run(job: Job, work: list[Work], tmp_path: Path) -> None:
    report = Worker(replace(job, library=tmp_path / "elsewhere")).embed(work)
    assert isinstance(report.error, ClusterError)
    assert str(report.error).endswith(f"share its folder, or give --staging URI (on the node {NODE})")
    assert not (tmp_path / "elsewhere").exists()


def test_shards_wait_where_the_job_says(job: Job, work: list[Work], tmp_path: Path) -> None:
    report = Worker(replace(job, library=tmp_path / "elsewhere", staging=tmp_path.as_uri())).embed(work)
    assert report.error is None
    waiting = {path.name for path in (tmp_path / job.library_id).rglob("*.arrow")}
    assert waiting == {shard.name for shard in shards_of(report.ended)}
    assert not (tmp_path / "elsewhere").exists()
