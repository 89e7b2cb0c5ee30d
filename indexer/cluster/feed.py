"""Ray Data over the batches of a run: an actor in the cluster that returns one report per call.

It runs in the cluster and not in the coordinator, because Ray's clients (`ray://`) cannot follow a stream.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

from pesearch.indexer.cluster.session import WorkerPool
from pesearch.indexer.cluster.worker import Job, Worker
from pesearch.indexer.survey import EmbedTask

MAX_RETRIES = 2
"""How often a batch is retried after its worker died."""


class Feed:
    """Reports of batches, in the order in which they finish. Batches whose workers died each time are left out."""

    def __init__(self, job: Job, pool: WorkerPool, batches: Sequence[tuple[EmbedTask, ...]]) -> None:
        import ray.data

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = -1
        rows = [{"batch": pickle.dumps(batch)} for batch in batches]
        reports = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _RayWorker,
            fn_constructor_args=(job,),
            batch_size=1,
            num_cpus=pool.cpus,
            num_gpus=pool.gpus,
            compute=ray.data.ActorPoolStrategy(
                min_size=1, max_size=pool.workers, initial_size=pool.workers, max_tasks_in_flight_per_actor=1
            ),
            ray_remote_args_fn=_actor_options,
        )
        self._rows = iter(reports.iter_rows())

    def next_report(self) -> bytes | None:
        """Waits for the next report, a pickled `BatchReport`. None after the last."""
        row = next(self._rows, None)
        return None if row is None else row["report"]


class _RayWorker:
    """A `Worker` with the interface of Ray Data."""

    def __init__(self, job: Job) -> None:
        self._worker = Worker(job)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        batches = [pickle.loads(row) for row in batch["batch"]]  # noqa: S301  it comes from our own coordinator
        return {"report": [pickle.dumps(self._worker.embed(tasks)) for tasks in batches]}


def _actor_options() -> dict[str, Any]:
    return {"max_restarts": -1, "max_task_retries": MAX_RETRIES}
