"""Tidying the library while a run goes on, and at its end: who searches meanwhile does not wait for hours to end.

The models stand still while a search index is renewed: it takes every core, and Ctrl-C must end it at once. So that is
the time to embed the cues that came meanwhile.
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

EVERY_SECONDS = 300.0
"""So long a library may go untidied. With the large models of a GPU that is some 100,000 vectors of a space."""

TIME_SHARE = 0.03
"""And no more of a run than this: the longer one tidying takes, the longer until the next."""


class Maintenance:
    """Tidies when it is time to."""

    def __init__(
        self, library: Library, models: ModelSet, writer: Writer, committer: Committer, stages: StageTimings
    ) -> None:
        self._library = library
        self._models = models
        self._writer = writer
        self._committer = committer
        self._stages = stages
        self._due = time.monotonic() + EVERY_SECONDS

    def turn(self) -> Iterator[Outcome]:
        """Tidies if it is time to. Errors as in `now`. What other processes compute on is left to them."""
        if time.monotonic() >= self._due:
            yield from self._now(with_cues=len(self._models.devices) == 1)

    def now(self) -> Iterator[Outcome]:
        """Commits all that was handed over, embeds the cues that wait for it, then tidies, step by step. Raises
        LibraryError, ModelError."""
        yield from self._now(with_cues=True)

    def _now(self, with_cues: bool) -> Iterator[Outcome]:
        yield from self._committer.flush()
        started = time.monotonic()
        if with_cues:
            yield from embed_cues(self._library, self._models, self._writer, self._stages)
        with self._stages.timed(Stage.INDEX):
            yield from self._writer.maintain()
        ended = time.monotonic()
        self._due = ended + max(EVERY_SECONDS, (ended - started) / TIME_SHARE)
