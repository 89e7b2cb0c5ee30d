"""Tidying the library while a run goes on, and at its end: who searches meanwhile does not wait for hours to end.

The models stand still while a search index is renewed: it takes every core, and Ctrl-C must end it at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from pesearch.indexer.commit import Committer
from pesearch.indexer.outcomes import Outcome
from pesearch.indexer.stages import Stage, Stages
from pesearch.store.writer import Writer

EVERY_SECONDS = 300.0
"""So long a library may go untidied. With the large models of a GPU that is some 100,000 vectors of a space."""

TIME_SHARE = 0.03
"""And no more of a run than this: the longer one tidying takes, the longer until the next."""


class Tidying:
    """Tidies when it is time to."""

    def __init__(self, writer: Writer, committer: Committer, stages: Stages) -> None:
        self._writer = writer
        self._committer = committer
        self._stages = stages
        self._due = time.monotonic() + EVERY_SECONDS

    def turn(self) -> Iterator[Outcome]:
        """Tidies if it is time to. Errors as in `now`."""
        if time.monotonic() >= self._due:
            yield from self.now()

    def now(self) -> Iterator[Outcome]:
        """Commits all that was handed over, then tidies, step by step. Raises LibraryError."""
        yield from self._committer.flush()
        started = time.monotonic()
        with self._stages.timed(Stage.INDEX):
            yield from self._writer.tidy()
        ended = time.monotonic()
        self._due = ended + max(EVERY_SECONDS, (ended - started) / TIME_SHARE)
