"""Connects to Ray: to a running cluster, or to a local Ray that is started for the run and ends with it."""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

from pesearch.errors import ClusterError, first_line
from pesearch.indexer.cluster.ray_internals import require_token, silence_stdout, started_cluster
from pesearch.temporary_folder import TemporaryFolder

AUTO = "auto"
"""The address that stands for the running cluster, if there is one, else a local Ray."""

SHORT_PARENT = "/tmp"
"""The folder for the files of a local Ray: paths of its sockets may have 107 characters."""

OBJECT_STORE_BYTES = 200_000_000
"""Size of the object store of a local Ray: only lists of paths and shards pass through it."""

MAX_CPUS_PER_CPU_WORKER = 8
"""Maximum cores of a worker without a GPU. Each worker holds the models once, in 4 to 20 GB."""

MAX_CPUS_PER_GPU_WORKER = 8
"""Maximum cores of a worker with a GPU: what decoding takes at a hundred times real time (`benchmarks.scale`), if the
GPU cannot decode."""


@dataclass(frozen=True, slots=True)
class WorkerPool:
    """The number of workers a cluster has room for, and the resources of each. `device` is that of its models."""

    workers: int
    cpus: int
    gpus: int
    device: str


@contextmanager
def ray_session(address: str, cpus: int | None = None) -> Iterator[None]:
    """Stays connected to Ray inside the context.

    `address` is that of a cluster, or `auto`: the cluster at RAY_ADDRESS or the one running on this machine, else a
    local Ray with all resources of this machine (or `cpus` cores), which listens on 127.0.0.1 only and needs a token.

    Raises ClusterError: Ray is not installed, cannot be reached, or does not run on this system.
    """
    if sys.platform == "win32":
        raise ClusterError("--ray needs Linux or macOS")
    running = _running_address() if address == AUTO else address
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if running is None:  # whether other machines may join; Ray reads it on import
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        require_token()
    ray = _import_ray()
    with nullcontext() if running else TemporaryFolder(SHORT_PARENT) as folder:
        try:
            _connect(ray, running, folder, cpus)
            yield
        finally:
            ray.shutdown()


def alive_nodes() -> list[dict[str, float]]:
    """The resources of each living node of the cluster."""
    import ray

    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]  # Ray gives it no types
    return [node["Resources"] for node in nodes if node["Alive"]]


def pool_of(nodes: Sequence[Mapping[str, float]], device: str, *, is_tiny: bool) -> WorkerPool:
    """The workers for nodes with these resources (`CPU`, `GPU`): one per GPU if there are any, unless `device` is cpu.

    Raises ClusterError.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ClusterError(f"With --ray, --device is auto, cpu or cuda, not {device}: the cluster assigns its GPUs.")
    with_gpu = [node for node in nodes if node.get("GPU", 0) >= 1 and node.get("CPU", 0) >= 1]
    if device == "cuda" and not with_gpu:
        raise ClusterError("No node of the Ray cluster has a GPU: use --device cpu.")
    if with_gpu and device != "cpu":
        cpus = min(MAX_CPUS_PER_GPU_WORKER, *(int(node["CPU"] // node["GPU"]) for node in with_gpu))
        return WorkerPool(int(sum(node["GPU"] for node in with_gpu)), max(cpus, 1), 1, "cuda")
    with_cpu = [node for node in nodes if node.get("CPU", 0) >= 1]
    if not with_cpu:
        raise ClusterError("No node of the Ray cluster has a free CPU: wait for one, or add a node.")
    cpus = 1 if is_tiny else int(min(MAX_CPUS_PER_CPU_WORKER, *(node["CPU"] for node in with_cpu)))
    return WorkerPool(int(sum(node["CPU"] // cpus for node in with_cpu)), cpus, 0, "cpu")


def _running_address() -> str | None:
    """The cluster at RAY_ADDRESS, or the one that this user or root started on this machine if it still runs."""
    if named := os.environ.get("RAY_ADDRESS"):
        return named
    address = started_cluster()
    return address if address is not None and _is_listening(address) else None


def _is_listening(address: str) -> bool:
    """Whether HOST:PORT accepts connections: the recorded address outlives a cluster that was killed."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        return False
    with suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), timeout=2.0):
        return True
    return False


def _import_ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ClusterError("--ray needs Ray, which is not installed: pip install 'pesearch[cluster]'") from error
    return ray


def _connect(ray: Any, address: str | None, folder: str | None, cpus: int | None) -> None:
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    silence_stdout(ray)
    local: dict[str, Any] = {
        "num_cpus": cpus,
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE_BYTES,
        "_temp_dir": folder and f"{folder}/r",  # Ray lets everybody into it, but not through its parent
    }
    try:
        ray.init(
            address or "local", log_to_driver=False, logging_level=logging.CRITICAL, configure_logging=False,
            **(local if address is None else {}),
        )  # fmt: skip
    except (OSError, RuntimeError, ValueError) as error:
        where = "could not be started here" if address is None else f"cannot be reached at {address}"
        why = first_line(error)
        raise ClusterError(f"Ray {where}: {why}") from error
