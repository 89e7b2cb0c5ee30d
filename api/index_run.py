"""A run of `Library.index`: an iterator over its outcomes, with a summary, that can be ended from any thread."""

from __future__ import annotations

import time
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from pesearch.api.outcome_log import log_outcome, log_summary
from pesearch.indexer.progress_events import Outcome
from pesearch.indexer.summary import IndexSummary, OutcomeCounter


class IndexRun(Iterator[Outcome]):
    """Indexes while it is iterated over; `finish` does that to the end. Nothing happens before.

    Finished files stay in the library however a run ends, by Ctrl-C, `close`, an error, or with the process; another
    run continues with the rest. A file that cannot be read is an outcome, not an error.

    While it is iterated over, it raises LibraryError (LibraryBusy if another run is writing to the library,
    NoSpaceLeft, LibraryUnavailable, ...), ModelError (ModelDamaged, OutOfMemory, ...), FFmpegMissing, and PesearchError
    for an invalid pattern in `exclude`.
    """

    def __init__(self, folder: Path, outcomes: Generator[Outcome, None, None]) -> None:
        """`Library.index` makes it; `folder` is that of the library."""
        self._folder = folder
        self._outcomes = outcomes
        self._counter = OutcomeCounter()
        self._started: float | None = None
        self._is_complete = False
        self._is_cut_short = False
        self._lock = Lock()

    @property
    def summary(self) -> IndexSummary:
        """What the run has done so far."""
        return IndexSummary.of(self._counter, self._is_complete)

    def finish(self) -> IndexSummary:
        """Run to the end, and return the summary."""
        for _ in self:
            pass
        return self.summary

    def close(self) -> None:
        """End the run. A thread that is iterating over it now gets the next outcome, and then no more."""
        self._is_cut_short = True
        if self._lock.acquire(blocking=False):
            try:
                self._outcomes.close()
            finally:
                self._lock.release()

    def __next__(self) -> Outcome:
        with self._lock:
            if self._is_cut_short:
                self._outcomes.close()
            if self._started is None:
                self._started = time.monotonic()
            try:
                outcome = next(self._outcomes)
            except StopIteration:
                self._end()
                raise
            except BaseException:  # Ctrl-C too
                self._is_cut_short = True
                raise
            finally:
                self._counter.elapsed_seconds = time.monotonic() - self._started
            self._counter.count(outcome)
        log_outcome(outcome)
        return outcome

    def _end(self) -> None:
        """The outcomes are exhausted: the run has reached its end, or was closed."""
        if not self._is_complete and not self._is_cut_short:
            self._is_complete = True
            log_summary(self._folder, self.summary)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if self._started is None and not self._is_cut_short:
            message = f"nothing was indexed into {self._folder}: iterate over what index() returns, or call finish()"
            warnings.warn(message, RuntimeWarning, stacklevel=2)

    def __repr__(self) -> str:
        if self._started is None:
            return f"IndexRun({str(self._folder)!r}, not started: iterate over it, or call finish())"
        state = "complete" if self._is_complete else "not complete"
        return f"IndexRun({str(self._folder)!r}, {self._counter.indexed} indexed, {state})"
