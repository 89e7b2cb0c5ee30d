"""Decode in threads, embed in the caller's thread, commit in another: each goes on while the others wait or work.

What has been decoded and waits for the models is bounded in bytes, whatever the files are.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.batch_encoder import encode
from pesearch.indexer.commit import Committer, Embedded, Ended
from pesearch.indexer.decode_workers import Decoding, End, Part, Problem
from pesearch.indexer.maintenance import Maintenance
from pesearch.indexer.progress_events import Outcome, Progress
from pesearch.indexer.row_buffer import FileRows, InMemoryRows
from pesearch.indexer.survey import Work, unseen
from pesearch.indexer.timings import StageTimings
from pesearch.indexer.window_assembler import WindowAssembler
from pesearch.locations import Location
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.types import Failure

LONG_SECONDS = 1200.0
"""What 20 minutes give is about 13 MB with the small set: so much of a file may lie in memory."""

Embedding = Generator[Ended | Progress, None, None]
Embed = Callable[[Sequence[Work], ModelSet, StageTimings, Path], Embedding]
"""What embeds files, as `embed` does, wherever that may be; the path is the library's folder."""


def embed_all(embedding: Embedding, committer: Committer, tidying: Maintenance) -> Iterator[Outcome]:
    """Hands what is embedded to the committer, and tidies now and then; files come in the order in which they end.

    Raises ModelError, LibraryError; a file that cannot be read is an outcome.
    """
    with closing(embedding):
        for each in embedding:
            if isinstance(each, Progress):
                yield each
            else:
                committer.add(*each)
            yield from committer.turn()
            yield from tidying.turn()


def embed(work: Sequence[Work], models: ModelSet, stages: StageTimings, library: Path) -> Embedding:
    """Embeds every file on one device; how it goes on, and each file when it is finished.

    What a long file gives goes to the disk in the folder `library`. Raises ModelError, LibraryError.
    """
    so_far: dict[int, WindowAssembler] = {}
    models.load()
    try:
        with Decoding(work, models, stages) as decoding:
            for batch in decoding.batches():
                parts = [each for each in batch if isinstance(each, Part)]
                for number in {each.number for each in batch} - so_far.keys():
                    so_far[number] = WindowAssembler(_rows(work[number], models, library))
                encode([(so_far[part.number], part.piece) for part in parts], models, stages)
                yield from _progress(sum(part.piece.media_seconds for part in parts))
                for end in (each for each in batch if isinstance(each, End)):
                    task, file = work[end.number], so_far[end.number]
                    finished = _finish(task, file, end.trouble)
                    del so_far[end.number]  # what is handed over now is not discarded any more
                    yield from _progress(task.info.duration_seconds - file.media_seconds)
                    yield finished
    finally:
        for file in so_far.values():
            file.rows.discard()
    stages.troubles += models.problems()


def _rows(task: Work, models: ModelSet, library: Path) -> FileRows:
    seconds = task.info.duration_seconds
    target = StreamingShardWriter(library, models.spaces) if seconds > LONG_SECONDS else InMemoryRows()
    return FileRows(seconds, models.shared_codec(), target)


def _finish(task: Work, file: WindowAssembler, trouble: Problem | None) -> Ended:
    """The file as it goes to the library, or, for each of its places, why it does not."""
    trouble = _changed(task.location) or trouble or _trouble_with(file.rows)
    if trouble is None:
        embedded = file.rows.finish(task)
        return (Embedded(embedded, task.copies, file.unread_seconds, tuple(file.pictures)),)
    file.rows.discard()
    places = (task.location, *task.copies)
    return tuple(Failure(place if trouble.lasts else unseen(place), trouble.reason) for place in places)


def _changed(location: Location) -> Problem | None:
    try:
        now = Location.of_file(location.path)
    except OSError:
        return Problem("vanished while it was read", lasts=False)
    if now != location:
        return Problem("changed while it was read: index again when it is complete", lasts=False)
    return None


def _trouble_with(rows: FileRows) -> Problem | None:
    if rows.is_empty:
        return Problem("holds nothing that these models can embed", lasts=True)
    if not rows.is_finite:
        return Problem("damaged: what it holds gives the models no finite numbers", lasts=True)
    return None


def _progress(media_seconds: float) -> Iterator[Progress]:
    if media_seconds > 0:
        yield Progress(media_seconds)
