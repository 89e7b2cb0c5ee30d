"""Which tests run in one worker process of xdist, and in what order; in what order a worker collects them.

A worker runs whole files, and one worker runs all of `tests/app`, so that each shared fixture, server and browser is
made once. (`--dist loadgroup` of xdist 3.8 has no effect in pytest 9.2, which ignores the groups that xdist writes into
node ids.)
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler.protocol import Scheduling

_FOLDERS = ("tests/app",)
"""The folders whose files share what is expensive."""

LONGEST = (
    "tests/app",
    "tests/media/test_clock_film.py",
    "tests/indexer/cluster/test_ray.py",
    "tests/search/test_common_things.py",
    "tests/training/test_train.py",
    "tests/indexer/test_devices.py",
    "tests/search/test_mixed_library.py",
    "tests/store/test_conformance.py",
    "tests/cli/test_calibrate.py",
    "tests/search/test_search.py",
    "tests/media/test_cut_clip.py",
    "tests/indexer/test_equality.py",
    "tests/faults/test_faults.py",
    "tests/store/write/test_compaction.py",
    "tests/store/index/test_milvus.py",
    "tests/indexer/test_repair.py",
    "tests/store/shards/test_features.py",
    "tests/indexer/test_stopping.py",
    "tests/store/test_doctor.py",
    "tests/media/test_audio_streams.py",
    "tests/encoders/test_real_sizes.py",
    "tests/indexer/test_broken.py",
)
"""The groups that take the longest: they are run first, so that no worker is idle at the end."""


def group_of(node_id: str) -> str:
    """The file or folder whose tests run in one worker."""
    path = node_id.partition("::")[0]
    return next((folder for folder in _FOLDERS if path.startswith(f"{folder}/")), path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest groups first. All workers have to give the same order."""
    rank = {group: place for place, group in enumerate(LONGEST)}
    items.sort(key=lambda item: (rank.get(group_of(item.nodeid), len(rank)), item.path))


class _RotatedDirectory(pytest.Dir):
    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        children = list(super().collect())
        first = int(len(children) * _share())
        return children[first:] + children[:first]


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Dir:
    """Each worker begins to collect elsewhere: those that read the same files at the same time would all rewrite their
    assertions. So each finds most of them rewritten, where nothing is cached yet: 5 s of the 13 s that this takes."""
    return _RotatedDirectory.from_parent(parent, path=path)


def _share() -> float:
    """Where this worker stands among all: 0 is the first, 0.5 the second of two."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return int(number) / int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Hands out whole groups, in the order of the tests."""
    from xdist.scheduler import LoadScopeScheduling

    class GroupScheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    config.option.loadscopereorder = False
    return GroupScheduling(config, log)
