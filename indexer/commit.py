"""Commits finished files to the library, many in one transaction, in a thread of its own.

The models keep running while a batch is written, and Ctrl-C, which only reaches the main thread, cannot interrupt a
commit.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from pesearch.errors import LibraryError
from pesearch.heap_trim import trim_heap
from pesearch.indexer.cues import MAX_BATCH_CUES, FileCues, read_cues
from pesearch.indexer.progress_events import Failed, Indexed, Relocated, Remarked
from pesearch.indexer.properties import properties_of
from pesearch.indexer.timings import Stage, StageTimings
from pesearch.locations import Location, is_gone
from pesearch.media.sidecars import Sidecars
from pesearch.store.derived.previews import Preview
from pesearch.store.shards.records import StreamedFile
from pesearch.store.write.writer import Writer
from pesearch.types import EncodedFile, Failure, MediaProperties

BATCH_FILES = 64
"""A batch is committed as soon as it has this many files, failed ones included."""

BATCH_BYTES = 64 << 20
"""A batch is committed as soon as its vectors, features and previews in memory take this much."""

BATCH_SECONDS = 5.0
"""A batch is committed when its oldest file has waited this long."""


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """A file with its vectors and previews, the other locations of the same content, and the seconds of it that could
    not be decoded."""

    file: EncodedFile | StreamedFile
    copies: tuple[Location, ...]
    unread_seconds: float
    previews: tuple[Preview, ...]

    @property
    def locations(self) -> tuple[Location, ...]:
        """All locations of this content; the vectors were made from the first."""
        return (self.file.location, *self.copies)

    @property
    def size_bytes(self) -> int:
        """Memory held by vectors, features and previews; the vectors of a streamed file are on disk."""
        previews = sum(len(preview.jpeg) for preview in self.previews)
        if isinstance(self.file, StreamedFile):
            return previews
        features = self.file.features.steps.nbytes if self.file.features else 0
        return sum(each.vectors.nbytes for each in self.file.vectors) + features + previews


FileResult = EmbeddedFile | Failure

ResultGroup = tuple[FileResult, ...]
"""Files that must be committed in one transaction, because they share shards."""

CommitOutcome = Indexed | Relocated | Failed | Remarked


class Committer:
    """Collects finished files, commits them in batches, and returns their outcomes once they are safe on disk.

    Leaving its context waits for the commit in flight and commits the files that were added, whatever ended the run,
    except an error of the library itself. `report_rest` is called with the outcomes of commits that nobody took then.
    """

    def __init__(
        self, writer: Writer, stages: StageTimings, report_rest: Callable[[CommitOutcome], None] = lambda _: None
    ) -> None:
        self._writer = writer
        self._stages = stages
        self._report_rest = report_rest
        self._thread = ThreadPoolExecutor(1, "pesearch-commit")
        self._waiting: list[ResultGroup] = []
        self._waiting_since = 0.0
        self._in_flight: Future[list[CommitOutcome]] | None = None
        self._finished: deque[CommitOutcome] = deque()

    def add(self, *results: FileResult) -> None:
        """Adds files to the next batch; the files of one call are committed in one transaction."""
        if not self._waiting:
            self._waiting_since = time.monotonic()
        self._waiting.append(results)

    def poll(self) -> Iterator[CommitOutcome]:
        """Starts a commit when one is due, and returns the outcomes of the previous one. Raises LibraryError.

        Waits only when a commit is due while another is in flight.
        """
        if self._is_due():
            self._wait()
            self._start()
        elif self._in_flight is not None and self._in_flight.done():
            self._wait()
        return self._hand_out()

    def flush(self) -> Iterator[CommitOutcome]:
        """Commits all files that were added and waits for it. Raises LibraryError."""
        self._wait()
        if self._waiting:
            self._start()
            self._wait()
        return self._hand_out()

    def _is_due(self) -> bool:
        waiting = [each for group in self._waiting for each in group]
        return bool(waiting) and (
            len(waiting) >= BATCH_FILES
            or sum(each.size_bytes for each in waiting if isinstance(each, EmbeddedFile)) >= BATCH_BYTES
            or time.monotonic() - self._waiting_since >= BATCH_SECONDS
        )

    def _start(self) -> None:
        self._in_flight = self._thread.submit(self._commit, self._waiting)
        self._waiting = []

    def _commit(self, batch: Sequence[ResultGroup]) -> list[CommitOutcome]:
        with self._stages.timed(Stage.COMMIT):
            outcomes = commit(self._writer, batch)
            trim_heap()
            return outcomes

    def _wait(self) -> None:
        """Waits for the commit in flight, if any. Raises LibraryError."""
        if (in_flight := self._in_flight) is not None:
            wait([in_flight])  # Ctrl-C here leaves it in flight
            self._in_flight = None
            self._finished += in_flight.result()

    def _hand_out(self) -> Iterator[CommitOutcome]:
        """The outcomes, each of which is kept until it is taken."""
        while self._finished:
            yield self._finished.popleft()

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
            if self._in_flight is not None and self._in_flight.exception() is None:
                self._finished += self._in_flight.result()
            for outcome in self._hand_out():
                self._report_rest(outcome)


def commit(writer: Writer, batch: Sequence[ResultGroup]) -> list[CommitOutcome]:
    """Writes a batch, each file with its cues, properties and previews, in as few transactions as MAX_BATCH_CUES
    allows.

    A failed file that no longer exists is reported, but not recorded in the library. Raises LibraryError.
    """
    outcomes: list[CommitOutcome] = []
    described: list[_DescribedFile] = []
    sidecars = Sidecars()
    for group in batch:
        described += [_describe(each, sidecars) for each in group if isinstance(each, EmbeddedFile)]
        if sum(each.cues.count for each in described) >= MAX_BATCH_CUES:
            outcomes += _commit_described(writer, described)
            described.clear()
    if described:
        outcomes += _commit_described(writer, described)
    failures = [each for group in batch for each in group if isinstance(each, Failure)]
    if present := [failure for failure in failures if not is_gone(failure.location.path)]:
        writer.record_failures(*present)
    return outcomes + [Failed(failure) for failure in failures]


@dataclass(frozen=True, slots=True)
class _DescribedFile:
    """A file and what it says: its cues, and its properties if it could be opened."""

    embedded: EmbeddedFile
    cues: FileCues
    properties: MediaProperties | None

    @property
    def located(self) -> list[EncodedFile | StreamedFile]:
        """The file at each of its locations; what it says comes with the first."""
        file, (first, *copies) = self.embedded.file, self.embedded.locations
        return [
            replace(file, location=first, cues=self.cues.sources, properties=self.properties),
            *(replace(file, location=copy) for copy in copies),
        ]


def _describe(embedded: EmbeddedFile, sidecars: Sidecars) -> _DescribedFile:
    """Cues and properties of one file after the other: both probe it, once."""
    location, info = embedded.file.location, embedded.file.info
    cues = read_cues(embedded.locations, info, sidecars)
    return _DescribedFile(embedded, cues, properties_of(location, info.kind))


def _commit_described(writer: Writer, described: Sequence[_DescribedFile]) -> list[CommitOutcome]:
    """One transaction, and the previews of its files."""
    trim_heap()  # of what reading the cues left
    writer.add([file for each in described for file in each.located])
    embedded = [each.embedded for each in described]
    for file in embedded:
        writer.keep_previews(file.file.fingerprint, file.previews)
    return [
        *(Indexed(each.file.location, each.file.info, each.unread_seconds) for each in embedded),
        *(Relocated(copy, None) for each in embedded for copy in each.copies),
        *(
            Remarked(each.embedded.file.location.path, remarks)
            for each in described
            if (remarks := (*each.embedded.file.remarks, *each.cues.remarks))
        ),
    ]
