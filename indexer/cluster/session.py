"""Being connected to Ray: to a cluster that runs, or to a Ray of our own that lasts as long as the run."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pesearch.errors import ClusterError, first_line

AUTO = "auto"

STORE_BYTES = 200_000_000
"""The object store of a Ray of our own: what passes through it is small."""

NODE_CPUS = 8
"""The cores of one worker without a GPU, where the node has so many: each holds the models once, in 4 to 20 GB."""

GPU_CPUS = 8
"""The cores of a worker with a GPU, where the node has so many for each: what decoding takes at a hundred times real
time (`benchmarks.scale`), should the GPU not decode."""


@dataclass(frozen=True, slots=True)
class Pool:
    """How many workers a cluster can hold, and what each takes of it. `device` is where its models run."""

    workers: int
    cpus: int
    gpus: int
    device: str


@contextmanager
def ray_session(address: str, cpus: int | None = None) -> Iterator[None]:
    """Connected to Ray, within. `auto`: the cluster that RAY_ADDRESS names or that runs on this machine, else a Ray of
    our own, with all that this machine has, or so many `cpus`, which listens on 127.0.0.1 alone; any other address is
    that of a cluster.

    Raises ClusterError: Ray is not installed, or cannot be reached.
    """
    running = _running_address() if address == AUTO else address
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if running is None:  # read when Ray is imported: whether other machines may take part
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    ray = _import_ray()
    folder = tempfile.mkdtemp(prefix="pesearch-ray-", dir="/tmp") if running is None else None  # sockets: short paths
    try:
        _connect(ray, running, folder, cpus)
        yield
    finally:
        ray.shutdown()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def living_nodes() -> list[dict[str, float]]:
    """The resources of each node of the cluster that is alive."""
    import ray

    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]  # Ray gives it no types
    return [node["Resources"] for node in nodes if node["Alive"]]


def pool_of(nodes: Sequence[Mapping[str, float]], device: str, *, is_tiny: bool) -> Pool:
    """The workers for nodes of such resources (`CPU`, `GPU`). With GPUs in the cluster one for each, unless `device` is
    cpu. Raises ClusterError."""
    if device not in ("auto", "cpu", "cuda"):
        raise ClusterError(f"With --ray, --device is auto, cpu or cuda, not {device}: the cluster shares out its GPUs.")
    with_gpu = [node for node in nodes if node.get("GPU", 0) >= 1 and node.get("CPU", 0) >= 1]
    if device == "cuda" and not with_gpu:
        raise ClusterError("No node of the Ray cluster has a GPU: use --device cpu.")
    if with_gpu and device != "cpu":
        cpus = min(GPU_CPUS, *(int(node["CPU"] // node["GPU"]) for node in with_gpu))
        return Pool(int(sum(node["GPU"] for node in with_gpu)), max(cpus, 1), 1, "cuda")
    with_cpu = [node for node in nodes if node.get("CPU", 0) >= 1]
    if not with_cpu:
        raise ClusterError("No node of the Ray cluster has a CPU to give: wait until it has, or start one.")
    cpus = 1 if is_tiny else int(min(NODE_CPUS, *(node["CPU"] for node in with_cpu)))
    return Pool(int(sum(node["CPU"] // cpus for node in with_cpu)), cpus, 0, "cpu")


def _running_address() -> str | None:
    """The cluster that RAY_ADDRESS names, or the one that `ray start` has left word of on this machine."""
    if named := os.environ.get("RAY_ADDRESS"):
        return named
    word = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir(), "ray", "ray_current_cluster")
    address = word.read_text().strip() if word.is_file() else ""
    return address if _answers(address) else None


def _answers(address: str) -> bool:
    """Whether somebody listens there: the word of a cluster that was killed stays behind."""
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
    ray._private.worker.print_to_stdstream = _say_nothing  # of workers that died; on stdout, which is for data
    own: dict[str, Any] = {
        "num_cpus": cpus,
        "include_dashboard": False,
        "object_store_memory": STORE_BYTES,
        "_temp_dir": folder,
    }
    try:
        ray.init(
            address or "local", log_to_driver=False, logging_level=logging.CRITICAL, configure_logging=False,
            **(own if address is None else {}),
        )  # fmt: skip
    except (OSError, RuntimeError, ValueError) as error:
        where = "could not be started here" if address is None else f"cannot be reached at {address}"
        why = first_line(error)
        raise ClusterError(f"Ray {where}: {why}") from error


def _say_nothing(*_: object, **__: object) -> None:
    """What a run has to tell comes from its workers."""
