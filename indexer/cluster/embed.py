"""Embedding on Ray as seen from where `pesearch index` runs: batches go out, files with their shards come back."""

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
from pesearch.indexer.cluster.session import Pool, living_nodes, pool_of, ray_session
from pesearch.indexer.cluster.worker import Job, Report, shards_of
from pesearch.indexer.pipeline import Embed, Embedding
from pesearch.indexer.progress_events import Progress
from pesearch.indexer.survey import Work, unseen
from pesearch.indexer.timings import BESIDE, Stage, StageTimings
from pesearch.store.catalogue.stamp import read_library_id
from pesearch.store.shards.staging import Staging
from pesearch.types import Failure

LOOK_SECONDS = 1.0
"""So often the committer has its turn while no report comes."""

ON_HEAD = {"node:__internal_head__": 0.001}
"""Where the cluster itself would end, should that node go."""

_DIED = "the process that embedded it died each time: it may need more memory than its node has"


@contextmanager
def on_ray(address: str, device: str = "auto", staging: str | None = None) -> Iterator[Embed]:
    """What embeds on Ray (`session.ray_session` says which), within. Raises ClusterError.

    Workers write shards into the library's folder, or, where they do not see it, to the waiting place `staging`.
    """
    with ray_session(address):
        yield RayEmbed(device, staging)


class RayEmbed:
    """`pipeline.embed` on the cluster that this process is connected to; see `on_ray`."""

    def __init__(self, device: str = "auto", staging: str | None = None) -> None:
        self._device = device
        self._staging = staging

    def __call__(self, work: Sequence[Work], models: ModelSet, stages: StageTimings, library: Path) -> Embedding:
        """Errors as `pipeline.embed`, and ClusterError.

        What is left when workers have died with it again and again is tried once more, each file in a batch of its own.
        """
        pool = pool_of(living_nodes(), self._device, is_tiny=models.description.is_tiny)
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
        left = {task.fingerprint: task for task in work}
        account = _Account()
        for batches in (pack(work, pool.workers), None):
            with closing(_reports(job, pool, batches or [(task,) for task in left.values()])) as reports:
                for report in reports:
                    if report is None or not left.keys() & set(report.contents):
                        yield Progress(0.0)
                        continue
                    if report.error is not None:
                        raise report.error
                    for content in report.contents:
                        left.pop(content, None)
                    account.add(report)
                    if staging is not None:
                        staging.fetch(library, shards_of(report.ended))
                    yield Progress(report.media_seconds)
                    yield report.ended
        for task in left.values():
            yield Progress(task.info.duration_seconds)
            yield tuple(Failure(unseen(place), _DIED) for place in (task.location, *task.copies))
        account.close(stages)
        if staging is not None:
            staging.clear()


def _reports(job: Job, pool: Pool, batches: Sequence[tuple[Work, ...]]) -> Generator[Report | None, None, None]:
    """The reports of batches as they come, and now and then None while none comes. Raises ClusterError."""
    import ray

    if not batches:
        return
    feed: Any = ray.remote(num_cpus=0, resources=ON_HEAD)(Feed)
    feed = feed.remote(job, pool, batches)
    try:
        while True:
            asked = feed.take.remote()
            while not ray.wait([asked], timeout=LOOK_SECONDS)[0]:
                yield None
            taken = ray.get(asked)
            if taken is None:
                return
            yield pickle.loads(taken)  # noqa: S301  it comes from our own workers
    except (ray.exceptions.RayError, ConnectionError) as error:
        lines = (str(error).strip() or type(error).__name__).splitlines()
        why = lines[-1 if isinstance(error, ray.exceptions.RayTaskError) else 0]
        raise ClusterError(f"Ray has lost the run ({why.strip()}): run it again, and it goes on") from error
    finally:
        with suppress(ray.exceptions.RayError, ConnectionError):
            ray.kill(feed)


class _Account:
    """Where the workers' time went, as one machine tells it."""

    def __init__(self) -> None:
        self._seconds: defaultdict[Stage, float] = defaultdict(float)
        self._workers: set[str] = set()
        self._troubles: dict[str, None] = {}

    def add(self, report: Report) -> None:
        """One batch more."""
        self._workers.add(report.worker)
        self._troubles |= dict.fromkeys(report.troubles)
        for stage, seconds in report.seconds:
            self._seconds[stage] += seconds

    def close(self, stages: StageTimings) -> None:
        """Adds it to the account of the run: what follows one another in a worker is the mean over all of them."""
        for stage, seconds in self._seconds.items():
            stages.add(stage, seconds if stage in BESIDE else seconds / len(self._workers))
        stages.troubles += self._troubles
