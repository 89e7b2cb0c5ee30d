"""Batches for the workers of a cluster, and the number of workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.errors import ClusterError
from pesearch.indexer.cluster.batches import MAX_FILES, MAX_SECONDS, MIN_SECONDS, pack
from pesearch.indexer.cluster.session import WorkerPool, pool_of
from pesearch.indexer.survey import EmbedTask
from pesearch.locations import Location
from pesearch.types import MediaInfo, MediaKind

LENGTHS = st.lists(st.floats(0, 20_000), max_size=200)


def tasks_of(lengths: list[float]) -> list[EmbedTask]:
    return [
        EmbedTask(Location(Path(f"{number}"), 1, 1), (), f"{number}", MediaInfo(MediaKind.AUDIO, seconds, None, None))
        for number, seconds in enumerate(lengths)
    ]


@given(LENGTHS, st.integers(1, 64))
def test_each_task_is_in_one_batch_longest_first_within_the_limits(lengths: list[float], workers: int) -> None:
    batches = pack(tasks_of(lengths), workers)
    given = [task for batch in batches for task in batch]
    assert sorted(task.fingerprint for task in given) == sorted(str(number) for number in range(len(lengths)))
    assert [task.info.duration_seconds for task in given] == sorted(lengths, reverse=True)
    for batch in batches:
        assert 1 <= len(batch) <= MAX_FILES
        assert len(batch) == 1 or sum(task.info.duration_seconds for task in batch) <= MAX_SECONDS + 1e-6


@given(st.integers(1, 64))
def test_every_worker_gets_several_batches(workers: int) -> None:
    assert len(pack(tasks_of([MIN_SECONDS] * 32 * workers), workers)) >= 8 * workers


NODE = {"CPU": 32.0, "memory": 1e11}


@pytest.mark.parametrize(
    ("nodes", "device", "is_tiny", "expected"),
    [
        ([NODE], "auto", True, WorkerPool(32, 1, 0, "cpu")),
        ([NODE, {"CPU": 4.0}], "auto", False, WorkerPool(9, 4, 0, "cpu")),
        ([NODE, {"CPU": 0.0}], "cpu", False, WorkerPool(4, 8, 0, "cpu")),
        ([NODE | {"GPU": 4.0}, NODE | {"GPU": 2.0}, NODE], "auto", False, WorkerPool(6, 8, 1, "cuda")),
        ([{"CPU": 2.0, "GPU": 2.0}], "cuda", False, WorkerPool(2, 1, 1, "cuda")),
        ([NODE | {"GPU": 4.0}], "cpu", False, WorkerPool(4, 8, 0, "cpu")),
    ],
)
def test_worker_pool_follows_the_resources_of_the_nodes(
    nodes: list[dict[str, float]], device: str, is_tiny: bool, expected: WorkerPool
) -> None:
    assert pool_of(nodes, device, is_tiny=is_tiny) == expected


@pytest.mark.parametrize(
    ("nodes", "device", "message"),
    [
        ([NODE], "cuda", "No node of the Ray cluster has a GPU"),
        ([NODE], "cuda:0,1", "the cluster assigns its GPUs"),
        ([{"memory": 1e9}], "auto", "has a free CPU"),
    ],
)
def test_unusable_clusters_are_refused(nodes: list[dict[str, float]], device: str, message: str) -> None:
    with pytest.raises(ClusterError, match=message):
        pool_of(nodes, device, is_tiny=True)
