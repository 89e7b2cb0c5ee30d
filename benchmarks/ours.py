"""Encoding by pesearch: a file in chunks, as the indexer does it, then events from the stored features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.costs import Meter
from benchmarks.embedded import PHRASES, Embedded
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.batch_encoder import encode
from pesearch.indexer.chunk_reader import read_chunks
from pesearch.indexer.media_chunk import MediaChunk
from pesearch.indexer.progress_events import Indexed, RunTimings
from pesearch.indexer.row_buffer import InMemoryRows, RowBuffer
from pesearch.indexer.run import index
from pesearch.indexer.survey import EmbedTask
from pesearch.indexer.timings import Stage, StageTimings
from pesearch.indexer.window_assembler import WindowAssembler
from pesearch.locations import Location
from pesearch.media.probe import probe
from pesearch.store.library import create_library
from pesearch.types import EncodedFile, FloatArray


def embed(path: Path, models: ModelSet, meter: Meter) -> Embedded:
    """Encode a whole file in this thread; the meter records the costs."""
    info = probe(path)
    rows = RowBuffer(info.duration_seconds, models.shared_codec_digest(), InMemoryRows())
    file, pieces = WindowAssembler(rows), read_chunks(path, info, models)
    while True:
        with meter.timed(Stage.DECODE):
            piece = next(pieces, None)
        if piece is None:
            break
        encode([(file, piece)], models, meter)
    with meter.timed(Stage.TRANSFORMERS):
        made = rows.finish(EmbedTask(Location.of_file(path), (), "", info))
        assert isinstance(made, EncodedFile)
        events = _events(made, models)
    return Embedded({each.space: each.vectors for each in made.vectors}, events)


def decode_all(path: Path, models: ModelSet) -> list[MediaChunk]:
    """All chunks of a file, in memory."""
    return list(read_chunks(path, probe(path), models))


def encode_all(pieces: Sequence[MediaChunk], models: ModelSet, stages: StageTimings) -> None:
    """Run the bare encoders on decoded chunks of a file."""
    file = WindowAssembler(RowBuffer(pieces[-1].end_seconds, models.shared_codec_digest(), InMemoryRows()))
    encode([(file, piece) for piece in pieces], models, stages)


def index_all(media: Path, library: Path, models: ModelSet) -> RunTimings:
    """A whole run of the indexer into a new library. Raises RuntimeError if anything fails to index."""
    outcomes = list(index([media], create_library(library, models.name, models.spaces), models))
    spent = next((outcome for outcome in outcomes if isinstance(outcome, RunTimings)), None)
    whole = [outcome for outcome in outcomes if isinstance(outcome, Indexed) and not outcome.unread_seconds]
    if spent is None or len(whole) != sum(1 for path in [media, *media.rglob("*")] if path.is_file()):
        raise RuntimeError(f"{media} was not indexed as a whole: {outcomes}")
    return spent


def _events(file: EncodedFile, models: ModelSet) -> FloatArray:
    events = None if file.features is None else models.event_probabilities_from(file.features, PHRASES)
    if events is None:
        raise RuntimeError("the stored features do not suit PE-A-Frame")
    return events
