"""Ray Data over the batches of a run: an actor in the cluster that gives out one report after another.

It runs in the cluster and not where `pesearch index` does, because Ray's clients (`ray://`) cannot follow a stream.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

from pesearch.indexer.cluster.session import Pool
from pesearch.indexer.cluster.worker import Job, Worker
from pesearch.indexer.survey import Work

TRIES = 2
"""A batch whose worker died is done again so often."""


class Feed:
    """Batches to reports, in the order in which they are done. Batches whose workers died each time are left out."""

    def __init__(self, job: Job, pool: Pool, batches: Sequence[tuple[Work, ...]]) -> None:
        import ray.data

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = -1
        rows = [{"batch": pickle.dumps(batch)} for batch in batches]
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Embedding,
            fn_constructor_args=(job,),
            batch_size=1,
            num_cpus=pool.cpus,
            num_gpus=pool.gpus,
            compute=ray.data.ActorPoolStrategy(
                min_size=1, max_size=pool.workers, initial_size=pool.workers, max_tasks_in_flight_per_actor=1
            ),
            ray_remote_args_fn=_tries,
        )
        self._rows = iter(done.iter_rows())

    def take(self) -> bytes | None:
        """The next report, pickled; waits for it. None: there are no more."""
        row = next(self._rows, None)
        return None if row is None else row["report"]


class _Embedding:
    """A worker as Ray Data calls it."""

    def __init__(self, job: Job) -> None:
        self._worker = Worker(job)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        work = [pickle.loads(row) for row in batch["batch"]]  # noqa: S301  it comes from our own coordinator
        return {"report": [pickle.dumps(self._worker.embed(each)) for each in work]}


def _tries() -> dict[str, Any]:
    return {"max_restarts": -1, "max_task_retries": TRIES}
