"""What the coordinator does with the reports of workers, without Ray."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import ClusterError
from pesearch.indexer.cluster import embed
from pesearch.indexer.cluster.embed import RayEmbed
from pesearch.indexer.cluster.feed import _actor_options
from pesearch.indexer.cluster.worker import BatchReport
from pesearch.indexer.commit import ResultGroup
from pesearch.indexer.progress_events import Progress
from pesearch.indexer.survey import EmbedTask
from pesearch.indexer.timings import Stage, StageTimings
from pesearch.locations import Location
from pesearch.store.library import Library
from pesearch.types import Failure, MediaInfo, MediaKind

Batches = Sequence[tuple[EmbedTask, ...]]


def task(name: str, seconds: float) -> EmbedTask:
    copies = (Location(Path(f"copy of {name}"), 5, 5),)
    return EmbedTask(Location(Path(name), 5, 5), copies, name, MediaInfo(MediaKind.AUDIO, seconds, None, None))


TASKS = [task("a", 600.0), task("b", 500.0), task("c", 20.0), task("d", 10.0)]


def report(batch: tuple[EmbedTask, ...], worker: str, **values: Any) -> BatchReport:
    names = tuple(task.fingerprint for task in batch)
    seconds = sum(task.info.duration_seconds for task in batch)
    return BatchReport(worker, names, seconds, tuple(Failure(task.location, "done") for task in batch), **values)


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The batches of each round, as names; workers die of any batch with `c` in it."""
    given: list[list[str]] = []

    def reports(_job: object, _pool: object, batches: Batches) -> Iterator[BatchReport | None]:
        given.append(["".join(task.fingerprint for task in batch) for batch in batches])
        for number, batch in enumerate(batches):
            yield None
            if "c" not in given[-1][number]:
                yield report(batch, f"worker {number % 2}", seconds=((Stage.TOWER, 3.0), (Stage.DECODE, 3.0)))

    monkeypatch.setattr(embed, "_reports", reports)
    monkeypatch.setattr(embed, "pack", lambda tasks, _workers: [(tasks[0],), (tasks[1],), (*tasks[2:],)])
    monkeypatch.setattr(embed, "alive_nodes", lambda: [{"CPU": 1.0}])
    return given


def events_of(library: Library, models: ModelSet, stages: StageTimings) -> tuple[list[ResultGroup], float]:
    with library.writer():
        events = list(RayEmbed()(TASKS, models, stages, library.folder))
    groups = [event for event in events if not isinstance(event, Progress)]
    return groups, sum(event.media_seconds for event in events if isinstance(event, Progress))


def test_files_whose_workers_died_are_tried_once_more_alone_and_then_fail(
    rounds: list[list[str]], library: Library, models: ModelSet
) -> None:
    stages = StageTimings()
    groups, seconds = events_of(library, models, stages)
    assert rounds == [["a", "b", "cd"], ["c", "d"]]
    assert [[each.location.path.name for each in group if isinstance(each, Failure)] for group in groups] == [
        ["a"], ["b"], ["d"], ["c", "copy of c"],
    ]  # fmt: skip
    died = [each for each in groups[-1] if isinstance(each, Failure)]
    assert {each.reason for each in died} == {embed._WORKER_DIED}
    assert {(each.location.size_bytes, each.location.modified_ns) for each in died} == {(0, 0)}  # retried in a new run
    assert seconds == 1130.0
    assert stages.seconds(Stage.DECODE) == 9.0  # the sum; others are the mean over two workers
    assert stages.seconds(Stage.TOWER) == 4.5


def test_an_error_in_a_report_ends_the_run(
    rounds: list[list[str]], library: Library, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = ClusterError("the models are missing (on the node b)")
    monkeypatch.setattr(embed, "_reports", lambda *_: (report((task,), "worker", error=error) for task in TASKS))
    with pytest.raises(ClusterError, match="on the node b"):
        events_of(library, models, StageTimings())


def test_ray_retries_a_batch_twice() -> None:
    assert _actor_options() == {"max_restarts": -1, "max_task_retries": 2}
