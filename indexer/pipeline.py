"""The pipeline on one device: threads decode, the caller's thread embeds, another thread commits.

Decoded media that waits for the models is bounded in bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.batch_encoder import encode
from pesearch.indexer.commit import Committer, EmbeddedFile, ResultGroup
from pesearch.indexer.decode_workers import DecodedChunk, DecodeWorkers, EndOfFile, Problem
from pesearch.indexer.maintenance import Maintenance
from pesearch.indexer.progress_events import Outcome, Progress
from pesearch.indexer.row_buffer import InMemoryRows, RowBuffer
from pesearch.indexer.survey import VANISHED, EmbedTask, without_stamp
from pesearch.indexer.timings import StageTimings
from pesearch.indexer.window_assembler import WindowAssembler
from pesearch.locations import Location
from pesearch.store.write.streaming import StreamingShardWriter
from pesearch.types import Failure

STREAMING_THRESHOLD_SECONDS = 1200.0
"""The rows of files above this duration are streamed to disk. 20 minutes are about 13 MB with the small set."""

EmbedEvents = Generator[ResultGroup | Progress, None, None]

Embedder = Callable[[Sequence[EmbedTask], ModelSet, StageTimings, Path], EmbedEvents]
"""The signature of `embed`, of its variant on several devices, and of the one on a cluster; the path is the library's
folder."""


def embed_all(events: EmbedEvents, committer: Committer, maintenance: Maintenance) -> Iterator[Outcome]:
    """Commits files as they are embedded, in the order in which they finish, with maintenance at intervals.

    Raises ModelError, LibraryError. An unreadable file is an outcome.
    """
    with closing(events):
        for event in events:
            if isinstance(event, Progress):
                yield event
            else:
                committer.add(*event)
            yield from committer.poll()
            yield from maintenance.poll()


def embed(tasks: Sequence[EmbedTask], models: ModelSet, stages: StageTimings, library: Path) -> EmbedEvents:
    """Embeds the files on one device; yields progress, and each file when it is finished.

    The rows of long files are written to shards in the folder `library`. Raises ModelError, LibraryError.
    """
    assemblers: dict[int, WindowAssembler] = {}
    models.load()
    try:
        with DecodeWorkers(tasks, models, stages) as workers:
            for batch in workers.batches():
                decoded = [each for each in batch if isinstance(each, DecodedChunk)]
                for number in {each.number for each in batch} - assemblers.keys():
                    assemblers[number] = WindowAssembler(_row_buffer(tasks[number], models, library))
                encode([(assemblers[each.number], each.chunk) for each in decoded], models, stages)
                yield from _progress(sum(each.chunk.media_seconds for each in decoded))
                for end in (each for each in batch if isinstance(each, EndOfFile)):
                    task, assembler = tasks[end.number], assemblers[end.number]
                    finished = _finish(task, assembler, end.problem)
                    del assemblers[end.number]  # its shards now belong to the receiver and are not discarded below
                    yield from _progress(task.info.duration_seconds - assembler.media_seconds)
                    yield finished
    finally:
        for assembler in assemblers.values():
            assembler.rows.discard()
    stages.warnings += models.problems()


def _row_buffer(task: EmbedTask, models: ModelSet, library: Path) -> RowBuffer:
    seconds = task.info.duration_seconds
    is_long = seconds > STREAMING_THRESHOLD_SECONDS
    target = StreamingShardWriter(library, models.spaces) if is_long else InMemoryRows()
    return RowBuffer(seconds, models.shared_codec_digest(), target)


def _finish(task: EmbedTask, assembler: WindowAssembler, problem: Problem | None) -> ResultGroup:
    """The embedded file, or a failure for each of its locations."""
    problem = _problem_of_location(task.location) or problem or _problem_of_rows(assembler.rows)
    if problem is None:
        rows = replace(assembler.rows.finish(task), remarks=assembler.remarks)
        return (EmbeddedFile(rows, task.copies, assembler.unread_seconds, tuple(assembler.previews)),)
    assembler.rows.discard()
    locations = (task.location, *task.copies)
    return tuple(
        Failure(location if problem.is_permanent else without_stamp(location), problem.reason) for location in locations
    )


def _problem_of_location(location: Location) -> Problem | None:
    """A problem if the file changed since it was found, when its vectors may mix two contents; else None."""
    try:
        now = Location.of_file(location.path)
    except FileNotFoundError:
        return Problem(VANISHED, is_permanent=False)
    except OSError as error:
        return Problem(f"cannot be read: {error.strerror}", is_permanent=False)
    if now != location:
        return Problem("changed while it was read: index again when it is complete", is_permanent=False)
    return None


def _problem_of_rows(rows: RowBuffer) -> Problem | None:
    if rows.is_empty:
        return Problem("no audio or video this model set can use", is_permanent=True)
    if not rows.is_finite:
        return Problem("damaged: the models give no finite vectors for it", is_permanent=True)
    return None


def _progress(media_seconds: float) -> Iterator[Progress]:
    if media_seconds > 0:
        yield Progress(media_seconds)
