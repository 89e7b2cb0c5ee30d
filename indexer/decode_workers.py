"""Threads that decode files ahead of the models, one file each, into a queue that is bounded in bytes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pesearch.cpu_count import usable_cpus
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import FFmpegMissing, MediaError
from pesearch.indexer.bounded_queue import BoundedQueue, QueueClosed
from pesearch.indexer.chunk_reader import read_chunks
from pesearch.indexer.media_chunk import MediaChunk
from pesearch.indexer.survey import EmbedTask, is_access_error
from pesearch.indexer.timings import Stage, StageTimings

MAX_THREADS = 4
"""Decoding threads; no more than there are cores or files."""

PREFETCH_BYTES = {"cpu": 16 << 20, "mps": 64 << 20, "cuda": 512 << 20}
"""Limit of decoded media waiting for the models. A GPU needs its next batches ready; on a CPU more only costs
memory."""

BATCH_CHUNKS = 64
"""Maximum number of chunks, of all files together, that the models are given at a time."""

BATCH_BYTES = {"cpu": 8 << 20, "mps": 32 << 20, "cuda": 256 << 20}
"""Maximum size of a batch for the models, unless a single chunk is larger.

20 s of video with sound are about 15 MB. A CPU works on that for minutes, and progress is reported after each batch.
"""


@dataclass(frozen=True, slots=True)
class DecodedChunk:
    """A chunk of the file at index `number` of the tasks."""

    number: int
    chunk: MediaChunk

    @property
    def size_bytes(self) -> int:
        return self.chunk.size_bytes


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file is not indexed. One that is not permanent (an offline share, a file still growing) is retried in the
    next run."""

    reason: str
    is_permanent: bool


@dataclass(frozen=True, slots=True)
class EndOfFile:
    """The last item of a file: all of it was decoded, or a `problem` ended it."""

    number: int
    problem: Problem | None
    size_bytes: int = 0


class DecodeWorkers:
    """Threads that decode files into a bounded queue. Leaving the context stops them."""

    def __init__(self, tasks: Sequence[EmbedTask], models: ModelSet, stages: StageTimings) -> None:
        threads = max(1, min(MAX_THREADS, usable_cpus(), len(tasks)))
        self._tasks = tasks
        self._models = models
        self._stages = stages
        self._waiting = deque(range(len(tasks)))
        self._queue: BoundedQueue[DecodedChunk | EndOfFile] = BoundedQueue(PREFETCH_BYTES[models.device_kind], threads)
        self._threads = ThreadPoolExecutor(threads, "pesearch-decode")
        self._workers: list[Future[None]] = [self._threads.submit(self._work) for _ in range(threads)]

    def batches(self) -> Iterator[list[DecodedChunk | EndOfFile]]:
        """Batches for the models: the chunks of each file in order, then its end. Files may interleave.

        Raises FFmpegMissing.
        """
        while batch := self._next_batch():
            yield batch
        for worker in self._workers:
            worker.result()

    def _next_batch(self) -> list[DecodedChunk | EndOfFile]:
        with self._stages.timed(Stage.WAIT):
            return self._queue.take(BATCH_CHUNKS, BATCH_BYTES[self._models.device_kind])

    def _work(self) -> None:
        try:
            while (number := self._next_task()) is not None:
                self._decode(number)
        except QueueClosed:
            return
        finally:
            self._queue.finish()

    def _next_task(self) -> int | None:
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def _decode(self, number: int) -> None:
        """Puts the chunks of one file and its end. Raises QueueClosed, FFmpegMissing."""
        problem: Problem | None = None
        try:
            for chunk in self._timed_chunks(self._tasks[number]):
                self._queue.put(DecodedChunk(number, chunk))
        except FFmpegMissing:
            raise
        except MediaError as error:
            problem = Problem(str(error), is_permanent=not is_access_error(error))
        except OSError as error:
            problem = Problem(f"cannot be read: {error.strerror}", is_permanent=False)
        except MemoryError:
            problem = Problem("needs more memory than is available", is_permanent=True)
        self._queue.put(EndOfFile(number, problem))

    def _timed_chunks(self, task: EmbedTask) -> Iterator[MediaChunk]:
        """The chunks of a file: ends after the finite number that `timeline.chunks` gives for its duration."""
        chunks = read_chunks(task.location.path, task.info, self._models, task.audio_track)
        while (chunk := self._next_chunk(chunks)) is not None:
            yield chunk

    def _next_chunk(self, chunks: Iterator[MediaChunk]) -> MediaChunk | None:
        with self._stages.timed(Stage.DECODE):
            return next(chunks, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._queue.close()
        self._threads.shutdown()
