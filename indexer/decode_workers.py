"""Decoding ahead of the models: a few threads, a file each, into a channel that is bounded in bytes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import FFmpegMissing, MediaError
from pesearch.indexer.bounded_queue import BoundedQueue, Closed
from pesearch.indexer.chunk_reader import Piece, decode
from pesearch.indexer.survey import Work, kept_out
from pesearch.indexer.timings import Stage, StageTimings

AHEAD_BYTES = {"cpu": 64 << 20, "cuda": 512 << 20}
"""Decoded media that may wait for the models. A GPU wants its next batches ready; for a CPU more is memory lost."""

BATCH_PIECES = 64
BATCH_BYTES = {"cpu": 8 << 20, "cuda": 256 << 20}
"""What the models are given at a time, over all files: so many pieces, or so many bytes of them, and at least one.

20 s of video with sound are about 15 MB. A CPU works on that for minutes, and progress is told after each batch.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of the file that has this number in the plan."""

    number: int
    piece: Piece

    @property
    def size_bytes(self) -> int:
        return self.piece.size_bytes


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file is not indexed. What does not last (a share that is away, a file still growing) is tried again."""

    reason: str
    lasts: bool


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more comes of this file: all was read, or `trouble` ended it."""

    number: int
    trouble: Problem | None
    size_bytes: int = 0


class Decoding:
    """Threads that decode files, a file each, into a bounded channel. Leaving its context stops them."""

    def __init__(self, work: Sequence[Work], models: ModelSet, stages: StageTimings) -> None:
        threads = max(1, min(4, os.cpu_count() or 1, len(work)))
        self._work = work
        self._models = models
        self._stages = stages
        self._waiting = deque(range(len(work)))
        self._channel: BoundedQueue[Part | End] = BoundedQueue(AHEAD_BYTES[models.device_kind], threads)
        self._threads = ThreadPoolExecutor(threads, "pesearch-decode")
        self._loops: list[Future[None]] = [self._threads.submit(self._loop) for _ in range(threads)]

    def batches(self) -> Iterator[list[Part | End]]:
        """What has been decoded, the parts of one file in order and then its end; the files may interleave."""
        while batch := self._next_batch():
            yield batch
        for loop in self._loops:
            loop.result()

    def _next_batch(self) -> list[Part | End]:
        with self._stages.timed(Stage.WAIT):
            return self._channel.take(BATCH_PIECES, BATCH_BYTES[self._models.device_kind])

    def _loop(self) -> None:
        try:
            while (number := self._next()) is not None:
                self._decode(number)
        except Closed:
            return
        finally:
            self._channel.finish()

    def _next(self) -> int | None:
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def _decode(self, number: int) -> None:
        task = self._work[number]
        try:
            pieces = decode(task.location.path, task.info, self._models)
            while True:
                with self._stages.timed(Stage.DECODE):
                    piece = next(pieces, None)
                if piece is None:
                    break
                self._channel.put(Part(number, piece))
        except FFmpegMissing:
            raise
        except MediaError as error:
            trouble: Problem | None = Problem(str(error), lasts=not kept_out(error))
        except OSError as error:
            trouble = Problem(f"cannot be read: {error.strerror}", lasts=False)
        except MemoryError:
            trouble = Problem("needs more memory than there is", lasts=True)
        else:
            trouble = None
        self._channel.put(End(number, trouble))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()
        self._threads.shutdown()
