"""Decode in threads, embed in the caller's thread, commit in another: each goes on while the others wait or work.

What has been decoded and waits for the models is bounded in bytes, whatever the files are.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import FFmpegMissing, MediaError
from pesearch.indexer.assembly import FileVectors
from pesearch.indexer.channel import Channel, Closed
from pesearch.indexer.commit import Committer, Embedded, Finished
from pesearch.indexer.decode import Piece, decode
from pesearch.indexer.encode import encode
from pesearch.indexer.outcomes import Outcome, Progress
from pesearch.indexer.plan import Work, kept_out, unseen
from pesearch.indexer.stages import Stage, Stages
from pesearch.types import EncodedFile, Failure, Location, SpaceVectors

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
class Trouble:
    """Why a file is not indexed. What does not last (a share that is away, a file still growing) is tried again."""

    reason: str
    lasts: bool


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more comes of this file: all was read, or `trouble` ended it."""

    number: int
    trouble: Trouble | None
    size_bytes: int = 0


def embed_all(work: Sequence[Work], models: ModelSet, committer: Committer, stages: Stages) -> Iterator[Outcome]:
    """Embeds every file and hands it to the committer; the outcomes come in the order in which files are finished.

    Raises ModelError, LibraryError; a file that cannot be read is an outcome.
    """
    so_far: dict[int, FileVectors] = {}
    with Decoding(work, models, stages) as decoding:
        for batch in decoding.batches():
            parts = [each for each in batch if isinstance(each, Part)]
            encode([(so_far.setdefault(part.number, FileVectors()), part.piece) for part in parts], models, stages)
            yield from _progress(sum(part.piece.media_seconds for part in parts))
            for end in (each for each in batch if isinstance(each, End)):
                task, file = work[end.number], so_far.pop(end.number, FileVectors())
                yield from _progress(task.info.duration_seconds - file.media_seconds)
                for finished in _finish(task, file, end.trouble, models):
                    committer.add(finished)
            yield from committer.turn()
    yield from committer.flush()


class Decoding:
    """Threads that decode files, a file each, into a bounded channel. Leaving its context stops them."""

    def __init__(self, work: Sequence[Work], models: ModelSet, stages: Stages) -> None:
        threads = max(1, min(4, os.cpu_count() or 1, len(work)))
        self._work = work
        self._models = models
        self._stages = stages
        self._waiting = deque(range(len(work)))
        self._channel: Channel[Part | End] = Channel(AHEAD_BYTES[models.device_kind], threads)
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
            trouble: Trouble | None = Trouble(str(error), lasts=not kept_out(error))
        except OSError as error:
            trouble = Trouble(f"cannot be read: {error.strerror}", lasts=False)
        except MemoryError:
            trouble = Trouble("needs more memory than there is", lasts=True)
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


def _finish(task: Work, file: FileVectors, trouble: Trouble | None, models: ModelSet) -> list[Finished]:
    """The file as it goes to the library, or, for each of its places, why it does not."""
    vectors = file.by_space()
    trouble = _changed(task.location) or trouble or _trouble_with(vectors)
    places = (task.location, *task.copies)
    if trouble is not None:
        return [Failure(place if trouble.lasts else unseen(place), trouble.reason) for place in places]
    steps = file.steps()
    features = None if steps is None else models.keep(steps)
    encoded = EncodedFile(task.location, task.fingerprint, task.info, vectors, features)
    return [Embedded(encoded, task.copies, file.unread_seconds)]


def _changed(location: Location) -> Trouble | None:
    try:
        status = location.path.stat()
    except OSError:
        return Trouble("vanished while it was read", lasts=False)
    if (status.st_size, status.st_mtime_ns) != (location.size_bytes, location.modified_ns):
        return Trouble("changed while it was read: index again when it is complete", lasts=False)
    return None


def _trouble_with(vectors: tuple[SpaceVectors, ...]) -> Trouble | None:
    if not vectors:
        return Trouble("holds nothing that these models can embed", lasts=True)
    if not all(np.isfinite(each.vectors.astype(np.float16)).all() for each in vectors):
        return Trouble("damaged: what it holds gives the models no finite numbers", lasts=True)
    return None


def _progress(media_seconds: float) -> Iterator[Progress]:
    if media_seconds > 0:
        yield Progress(media_seconds)
