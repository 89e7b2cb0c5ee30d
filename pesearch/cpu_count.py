"""The CPUs that this process may use: fewer than the machine has, by its affinity or by the quota of its container.

`os.cpu_count` knows neither. With a thread for each CPU of the machine, a container that has a share of them is stopped
for most of each period.
"""

from __future__ import annotations

import math
import os
from functools import cache
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
"""Where Linux shows control groups: one tree (version 2), or a tree for each controller (version 1)."""

OWN_CGROUPS = Path("/proc/self/cgroup")
"""The groups of this process, one line for each tree: `0::/path`, or `4:cpu,cpuacct:/path` in version 1."""


@cache
def usable_cpus() -> int:
    """CPUs that this process may use, at least 1; part of a CPU counts as one. Read once."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(allowed, cgroup_cpus())))


def cgroup_cpus(own: Path = OWN_CGROUPS, cgroups: Path = CGROUPS) -> float:
    """The smallest quota of CPU time, in CPUs, of the groups of this process and those above; infinite without one."""
    try:
        lines = own.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return math.inf
    groups = [line.split(":", 2) for line in lines if line.count(":") >= 2]  # number:controllers:path
    return min(
        (
            _quota(folder)
            for _, controllers, path in groups
            if not controllers or "cpu" in controllers.split(",")
            for folder in _and_above(cgroups / controllers, path)
        ),
        default=math.inf,
    )


def _and_above(root: Path, path: str) -> list[Path]:
    """The folders of a group and of those that contain it, down from the root. In a container the path may be that on
    the host; then only the root is there."""
    folder = root / path.lstrip("/")
    return [root, *(each for each in (folder, *folder.parents) if each.is_relative_to(root))]


def _quota(folder: Path) -> float:
    """CPU time per time, by cpu.max (version 2) or cpu.cfs_quota_us (version 1); infinite without a limit."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            quota, period = " ".join((folder / name).read_text(encoding="utf-8") for name in names).split()
            if quota.isdecimal() and int(quota) and int(period):
                return int(quota) / int(period)
        except (OSError, ValueError):
            continue
    return math.inf
