"""The CPUs of a process: by its affinity, and by the quotas of control groups as Linux shows them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pesearch import cpu_count
from pesearch.cpu_count import cgroup_cpus, usable_cpus


@pytest.fixture(autouse=True)
def uncached() -> Iterator[None]:
    usable_cpus.cache_clear()
    yield
    usable_cpus.cache_clear()


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


@pytest.mark.parametrize(
    ("own", "files", "cpus"),
    [
        ("0::/", {"": {"cpu__max": "150000 100000"}}, 1.5),
        ("0::/", {"": {"cpu__max": "max 100000"}}, math.inf),
        ("0::/", {}, math.inf),
        ("0::/a/b", {"a": {"cpu__max": "200000 100000"}, "a/b": {"cpu__max": "max 100000"}}, 2.0),
        ("0::/a/b", {"a": {"cpu__max": "400000 100000"}, "a/b": {"cpu__max": "50000 100000"}}, 0.5),
        ("0::/host/path", {"": {"cpu__max": "300000 100000"}}, 3.0),
        ("0::/../above", {"": {"cpu__max": "300000 100000"}}, 3.0),
        (
            "4:cpu,cpuacct:/docker/x\n3:memory:/docker/x",
            {"cpu,cpuacct": {"cpu__cfs_quota_us": "250000", "cpu__cfs_period_us": "100000"}},
            2.5,
        ),
        ("4:cpu:/", {"cpu": {"cpu__cfs_quota_us": "-1", "cpu__cfs_period_us": "100000"}}, math.inf),
        ("3:cpuset:/", {"cpuset": {"cpu__max": "100000 100000"}}, math.inf),
        ("0::/", {"": {"cpu__max": "nonsense"}}, math.inf),
    ],
)
def test_the_smallest_quota_of_the_groups_counts(
    tmp_path: Path, own: str, files: dict[str, dict[str, str]], cpus: float
) -> None:
    write(tmp_path, own=own)
    for folder, contents in files.items():
        write(tmp_path / "cgroup" / folder, **contents)
    assert cgroup_cpus(tmp_path / "own", tmp_path / "cgroup") == cpus


def test_without_control_groups_there_is_no_quota(tmp_path: Path) -> None:
    assert cgroup_cpus(tmp_path / "absent", tmp_path) == math.inf


@pytest.mark.parametrize(("quota", "cpus"), [(0.2, 1), (1.5, 2), (3.0, 3), (64.0, 4), (math.inf, 4)])
def test_affinity_and_quota_limit_each_other(monkeypatch: pytest.MonkeyPatch, quota: float, cpus: int) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)))
    monkeypatch.setattr(cpu_count, "cgroup_cpus", lambda: quota)
    assert usable_cpus() == cpus


def test_where_there_is_no_affinity_all_cpus_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(cpu_count, "cgroup_cpus", lambda: math.inf)
    assert usable_cpus() == 6
