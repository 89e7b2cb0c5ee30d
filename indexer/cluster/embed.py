"""Embedding on Ray, seen from the coordinator: batches go out, files with their shards come back."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import ClusterError
from pesearch.indexer.cluster.batches import pack
from pesearch.indexer.cluster.feed import Feed
from pesearch.indexer.cluster.session import WorkerPool, alive_nodes, pool_of, ray_session
from pesearch.indexer.cluster.worker import BatchReport, Job, shards_of
from pesearch.indexer.pipeline import Embedder, EmbedEvents
from pesearch.indexer.progress_events import Progress
from pesearch.indexer.survey import EmbedTask, without_stamp
from pesearch.indexer.timings import CONCURRENT_STAGES, Stage, StageTimings
from pesearch.store.catalogue.stamp import read_library_id
from pesearch.store.disk.lock import library_replaced
from pesearch.store.shards.staging import Staging
from pesearch.types import Failure

POLL_SECONDS = 1.0
"""How often the committer is polled while no report comes."""

HEAD_NODE = {"node:__internal_head__": 0.001}
"""Ray resources that place an actor on the head node, without which the cluster would end anyway."""

_WORKER_DIED = "the process that embedded it died each time: it may need more memory than its node has"


@contextmanager
def on_ray(address: str, device: str = "auto", staging: str | None = None) -> Iterator[Embedder]:
    """An embedder on the Ray cluster at `address`, see `session.ray_session`. Raises ClusterError.

    Workers write shards into the library's folder, or, if they do not share it, to the URI `staging`.
    """
    with ray_session(address):
        yield RayEmbed(device, staging)


class RayEmbed:
    """`pipeline.embed` on the cluster that this process is connected to; see `on_ray`."""

    def __init__(self, device: str = "auto", staging: str | None = None) -> None:
        self._device = device
        self._staging = staging

    def __call__(
        self, tasks: Sequence[EmbedTask], models: ModelSet, stages: StageTimings, library: Path
    ) -> EmbedEvents:
        """Raises the errors of `pipeline.embed`, and ClusterError.

        Files whose batches never returned, because their workers died each time, are retried once, each in a batch
        of its own. A file that kills its worker again is a failure.
        """
        pool = pool_of(alive_nodes(), self._device, is_tiny=models.description.is_tiny)
        library_id = read_library_id(library)
        job = Job(
            models.description,
            models.folders,
            models.spaces,
            pool.device,
            pool.cpus,
            library,
            library_id,
            self._staging,
        )
        staging = None if self._staging is None else Staging(self._staging, library_id)
        if staging is not None:
            staging.clear()
        remaining = {task.fingerprint: task for task in tasks}
        timings = _WorkerTimings()
        for batches in (pack(tasks, pool.workers), None):
            with closing(_reports(job, pool, batches or [(task,) for task in remaining.values()])) as reports:
                for report in reports:
                    if report is None or not remaining.keys() & set(report.fingerprints):
                        yield Progress(0.0)
                        continue
                    if report.error is not None:
                        raise report.error
                    for fingerprint in report.fingerprints:
                        remaining.pop(fingerprint, None)
                    timings.add(report)
                    if staging is not None:
                        if read_library_id(library) != library_id:
                            raise library_replaced(library)
                        staging.fetch(library, shards_of(report.results))
                    yield Progress(report.media_seconds)
                    yield report.results
        for task in remaining.values():
            yield Progress(task.info.duration_seconds)
            yield tuple(Failure(without_stamp(location), _WORKER_DIED) for location in (task.location, *task.copies))
        timings.add_to(stages)
        if staging is not None:
            staging.clear()


def _reports(
    job: Job, pool: WorkerPool, batches: Sequence[tuple[EmbedTask, ...]]
) -> Generator[BatchReport | None, None, None]:
    """The reports of batches as they come, at most one per batch, and None each POLL_SECONDS while none comes.

    Waits as long as workers embed: Ray notices those that die, and raises when the cluster is lost. Raises
    ClusterError.
    """
    import ray

    if not batches:
        return
    feed: Any = ray.remote(num_cpus=0, resources=HEAD_NODE)(Feed)
    feed = feed.remote(job, pool, batches)
    try:
        for _ in range(len(batches) + 1):  # the last call returns None
            pending = feed.next_report.remote()
            while not ray.wait([pending], timeout=POLL_SECONDS)[0]:
                yield None
            pickled = ray.get(pending)
            if pickled is None:
                return
            yield pickle.loads(pickled)  # noqa: S301  it comes from our own workers
    except (ray.exceptions.RayError, ConnectionError) as error:
        lines = (str(error).strip() or type(error).__name__).splitlines()
        why = lines[-1 if isinstance(error, ray.exceptions.RayTaskError) else 0]
        raise ClusterError(f"Ray has lost the run ({why.strip()}): run it again, and it continues") from error
    finally:
        with suppress(ray.exceptions.RayError, ConnectionError):
            ray.kill(feed)


class _WorkerTimings:
    """The stage timings and warnings of all workers."""

    def __init__(self) -> None:
        self._seconds: defaultdict[Stage, float] = defaultdict(float)
        self._workers: set[str] = set()
        self._warnings: dict[str, None] = {}

    def add(self, report: BatchReport) -> None:
        """Adds the timings and warnings of one batch."""
        self._workers.add(report.worker)
        self._warnings |= dict.fromkeys(report.warnings)
        for stage, seconds in report.seconds:
            self._seconds[stage] += seconds

    def add_to(self, stages: StageTimings) -> None:
        """Adds them to those of the run; stages that follow one another in a worker count as their mean over the
        workers."""
        for stage, seconds in self._seconds.items():
            stages.add(stage, seconds if stage in CONCURRENT_STAGES else seconds / len(self._workers))
        stages.warnings += self._warnings
