"""Maintains the library during a run and at its end, so that searches stay fast during runs of hours.

Embedding pauses while a search index is refreshed, because that takes every core and Ctrl-C must end it at once. Cues
added since are embedded in the same pause.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.commit import Committer
from pesearch.indexer.cue_embedding import embed_cues
from pesearch.indexer.progress_events import Outcome
from pesearch.indexer.timings import Stage, StageTimings
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer

MIN_INTERVAL_SECONDS = 300.0
"""Minimum time between two runs of maintenance, in which the large models on a GPU add some 100,000 vectors per
space."""

MAX_TIME_SHARE = 0.03
"""Maximum share of an indexing run that maintenance takes: the longer it took, the later it runs again."""


class Maintenance:
    """Embeds cues and refreshes search indexes, at intervals."""

    def __init__(
        self, library: Library, models: ModelSet, writer: Writer, committer: Committer, stages: StageTimings
    ) -> None:
        self._library = library
        self._models = models
        self._writer = writer
        self._committer = committer
        self._stages = stages
        self._due = time.monotonic() + MIN_INTERVAL_SECONDS

    def poll(self) -> Iterator[Outcome]:
        """Runs if it is due, without the cues if other processes use the devices. Raises LibraryError, ModelError."""
        if time.monotonic() >= self._due:
            yield from self._run(with_cues=len(self._models.devices) == 1)

    def run(self) -> Iterator[Outcome]:
        """Commits all finished files, embeds the cues without vectors, and refreshes the search indexes.

        Raises LibraryError, ModelError.
        """
        yield from self._run(with_cues=True)

    def _run(self, with_cues: bool) -> Iterator[Outcome]:
        yield from self._committer.flush()
        started = time.monotonic()
        if with_cues:
            yield from embed_cues(self._library, self._models, self._writer, self._stages)
        with self._stages.timed(Stage.INDEX):
            yield from self._writer.maintain()
        ended = time.monotonic()
        self._due = ended + max(MIN_INTERVAL_SECONDS, (ended - started) / MAX_TIME_SHARE)
