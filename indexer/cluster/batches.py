"""Work in batches for the workers of a cluster: what is lost, and done again, when one of them dies."""

from __future__ import annotations

from collections.abc import Sequence

from pesearch.indexer.survey import Work

ROUNDS = 16
"""Each worker gets about so many batches: few enough to cost nothing, enough for all to end at about the same time."""

MOST_FILES = 64
LEAST_SECONDS, MOST_SECONDS = 60.0, 7200.0
"""A batch holds at most two hours of media: a minute and a half where a GPU goes a hundred times real time."""


def pack(work: Sequence[Work], workers: int) -> list[tuple[Work, ...]]:
    """All work in batches, the longest files first, so that none is left over at the end. A long file is one alone."""
    share = 1 / (workers * ROUNDS)
    seconds = sum(task.info.duration_seconds for task in work) * share
    most_seconds = min(max(seconds, LEAST_SECONDS), MOST_SECONDS)
    most_files = min(max(round(len(work) * share), 1), MOST_FILES)
    batches: list[list[Work]] = []
    room = 0.0
    for task in sorted(work, key=lambda task: -task.info.duration_seconds):
        if not batches or task.info.duration_seconds > room or len(batches[-1]) == most_files:
            batches.append([])
            room = most_seconds
        batches[-1].append(task)
        room -= task.info.duration_seconds
    return [tuple(batch) for batch in batches]
