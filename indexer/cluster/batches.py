"""Packs tasks into batches for the workers of a cluster. A batch is the unit that is retried when a worker dies."""

from __future__ import annotations

from collections.abc import Sequence

from pesearch.indexer.survey import EmbedTask

BATCHES_PER_WORKER = 16
"""Approximate. More batches let all workers finish at about the same time; fewer have less overhead."""

MAX_FILES = 64
"""Maximum number of files in a batch."""

MIN_SECONDS = 60.0
"""A batch is filled with short files up to this length of media, even if that makes fewer batches per worker."""

MAX_SECONDS = 7200.0
"""Maximum length of a batch of several files: a minute and a half where a GPU runs at a hundred times real time."""


def pack(tasks: Sequence[EmbedTask], workers: int) -> list[tuple[EmbedTask, ...]]:
    """All tasks in batches, the longest files first, so that no worker is left with a long one at the end.

    A file longer than a batch gets a batch of its own.
    """
    share = 1 / (workers * BATCHES_PER_WORKER)
    seconds = sum(task.info.duration_seconds for task in tasks) * share
    max_seconds = min(max(seconds, MIN_SECONDS), MAX_SECONDS)
    max_files = min(max(round(len(tasks) * share), 1), MAX_FILES)
    batches: list[list[EmbedTask]] = []
    remaining = 0.0
    for task in sorted(tasks, key=lambda task: -task.info.duration_seconds):
        if not batches or task.info.duration_seconds > remaining or len(batches[-1]) == max_files:
            batches.append([])
            remaining = max_seconds
        batches[-1].append(task)
        remaining -= task.info.duration_seconds
    return [tuple(batch) for batch in batches]
