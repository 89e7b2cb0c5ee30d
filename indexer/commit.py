"""Finished files into the library, many in one transaction, in a thread of its own.

The models go on while a batch is written, and Ctrl-C, which only reaches the main thread, cannot cut a commit short.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from pesearch.errors import LibraryError
from pesearch.indexer.cues import CuesRead, read_cues
from pesearch.indexer.progress_events import CuesLeftOut, Failed, Indexed, Relocated
from pesearch.indexer.timings import Stage, StageTimings
from pesearch.locations import Location
from pesearch.media.sidecars import Sidecars
from pesearch.store.derived.previews import Preview
from pesearch.store.shards.records import StreamedFile
from pesearch.store.write.writer import Writer
from pesearch.types import EncodedFile, Failure

BATCH_FILES = 64
BATCH_BYTES = 64 << 20
BATCH_SECONDS = 5.0
"""A batch is committed when it has so many files or bytes of vectors, or when its oldest file has waited so long."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A file with its vectors, the other places of the same content, how much of it could not be decoded, and the
    pictures of it that are kept."""

    file: EncodedFile | StreamedFile
    copies: tuple[Location, ...]
    unread_seconds: float
    pictures: tuple[Preview, ...]

    @property
    def places(self) -> tuple[Location, ...]:
        """Everywhere that this content lies."""
        return (self.file.location, *self.copies)

    @property
    def size_bytes(self) -> int:
        """What lies in memory of its vectors, features and pictures."""
        pictures = sum(len(each.jpeg) for each in self.pictures)
        if isinstance(self.file, StreamedFile):
            return pictures
        features = self.file.features.steps.nbytes if self.file.features else 0
        return sum(each.vectors.nbytes for each in self.file.vectors) + features + pictures


Finished = Embedded | Failure

Ended = tuple[Finished, ...]
"""Files that go into the library in one transaction: those that share shards must."""

Committed = Indexed | Relocated | Failed | CuesLeftOut


class Committer:
    """Takes finished files and gives back what has become of them, once that is safe on disk.

    Leaving its context waits for the commit in flight and commits what is finished, whatever ended the run, except
    an error of the library itself.
    """

    def __init__(self, writer: Writer, stages: StageTimings) -> None:
        self._writer = writer
        self._stages = stages
        self._thread = ThreadPoolExecutor(1, "pesearch-commit")
        self._waiting: list[Finished] = []
        self._waiting_since = 0.0
        self._in_flight: Future[list[Committed]] | None = None

    def add(self, *ended: Finished) -> None:
        """Hands over files, which go into one transaction."""
        if not self._waiting:
            self._waiting_since = time.monotonic()
        self._waiting += ended

    def turn(self) -> list[Committed]:
        """Starts a commit when one is due; what earlier ones have brought since. Raises LibraryError."""
        if self._is_due():
            outcomes = self._arrived()
            self._start()
            return outcomes
        return self._arrived() if self._in_flight is not None and self._in_flight.done() else []

    def flush(self) -> list[Committed]:
        """Commits all that was handed over and waits for it. Raises LibraryError."""
        outcomes = self._arrived()
        if self._waiting:
            self._start()
        return outcomes + self._arrived()

    def _is_due(self) -> bool:
        return bool(self._waiting) and (
            len(self._waiting) >= BATCH_FILES
            or sum(each.size_bytes for each in self._waiting if isinstance(each, Embedded)) >= BATCH_BYTES
            or time.monotonic() - self._waiting_since >= BATCH_SECONDS
        )

    def _start(self) -> None:
        self._in_flight = self._thread.submit(self._commit, self._waiting)
        self._waiting = []

    def _commit(self, batch: Sequence[Finished]) -> list[Committed]:
        with self._stages.timed(Stage.COMMIT):
            return commit(self._writer, batch)

    def _arrived(self) -> list[Committed]:
        """The outcomes of the commit in flight; waits for it."""
        in_flight, self._in_flight = self._in_flight, None
        return in_flight.result() if in_flight is not None else []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not isinstance(error, LibraryError):
                self.flush()
        finally:
            self._thread.shutdown()


def commit(writer: Writer, batch: Sequence[Finished]) -> list[Committed]:
    """Writes a batch, each file with its cues and pictures. A failed file that has vanished is told, but there is
    nothing left to remember."""
    embedded = [each for each in batch if isinstance(each, Embedded)]
    failures = [each for each in batch if isinstance(each, Failure)]
    sidecars = Sidecars()
    read = [read_cues(each.places, each.file.info, sidecars) for each in embedded]
    if embedded:
        writer.add([file for each, cues in zip(embedded, read, strict=True) for file in _at_its_places(each, cues)])
    for each in embedded:
        writer.keep_previews(each.file.fingerprint, each.pictures)
    if remembered := [failure for failure in failures if os.path.lexists(failure.location.path)]:
        writer.record_failures(*remembered)
    return [
        *(Indexed(each.file.location, each.file.info, each.unread_seconds) for each in embedded),
        *(Relocated(copy, None) for each in embedded for copy in each.copies),
        *(Failed(failure) for failure in failures),
        *(remark for cues in read for remark in cues.remarks),
    ]


def _at_its_places(embedded: Embedded, cues: CuesRead) -> list[EncodedFile | StreamedFile]:
    first, *copies = embedded.places
    return [
        replace(embedded.file, location=first, cues=cues.sources),
        *(replace(embedded.file, location=copy) for copy in copies),
    ]
