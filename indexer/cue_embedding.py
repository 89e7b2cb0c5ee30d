"""Embeds the cues of a library, so that queries find them by meaning.

Every cue without a vector is embedded, whether it comes from a new file, a sidecar that was added later, a run that was
interrupted, or a library of an older version. The media is not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np

from pesearch.encoders.model_set import ModelSet
from pesearch.heap_trim import trim_heap
from pesearch.indexer.progress_events import CuesEmbedded
from pesearch.indexer.timings import Stage, StageTimings
from pesearch.store.catalogue.cues import CueSources, RowIds, StoredCue
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer
from pesearch.types import FloatArray, SpaceName, SpaceVectors

CUES_PER_COMMIT = 2048
"""Cues per commit, unless a single source has more: a second of a GPU, some minutes of a CPU."""

CUES_AT_ONCE = 2048
"""Cues in memory with their vectors, which are 8 MiB at 1024 numbers each."""

TEXTS_PER_BATCH = 64
"""Maximum number of texts in one call of the text tower."""

CHARACTERS_PER_BATCH = 8192
"""Maximum number of texts times the characters of the longest, to which all are padded: memory grows with it."""


def embed_cues(library: Library, models: ModelSet, writer: Writer, stages: StageTimings) -> Iterator[CuesEmbedded]:
    """Embeds the cues without vectors, a few sources per commit, each distinct text of CUES_AT_ONCE once.

    Raises LibraryError, ModelError.
    """
    missing = library.cues_to_embed()
    total, done = int(missing.counts.sum()), 0
    for source_ids in _groups(missing):
        committed = done
        with writer.cue_vectors() as stream:
            for cues in _parts(library, source_ids):
                vectors: FloatArray | None = None
                rows, embedded_texts = _rows_of_texts(cues), 0
                for texts in _batches(rows):
                    yield CuesEmbedded(done + embedded_texts, total)
                    with stages.timed(Stage.TRANSFORMERS):
                        embedded = models.embed_texts(texts, {SpaceName.CUE}).of(SpaceName.CUE)
                    if embedded is None:  # the model set has no audio model
                        return
                    if vectors is None:
                        vectors = np.empty((len(cues), embedded.shape[1]), embedded.dtype)
                    for text, vector in zip(texts, embedded, strict=True):
                        vectors[rows[text]] = vector
                    embedded_texts += len(texts)
                if vectors is not None:
                    for source_id, of_source in _by_source(cues, vectors):
                        stream.append(source_id, of_source)
                done += len(cues)
                trim_heap()  # texts of all lengths leave gaps that grow with their number
        yield CuesEmbedded(done, total, done - committed)


def _parts(library: Library, source_ids: RowIds) -> Iterator[list[StoredCue]]:
    """The cues of sources, up to CUES_AT_ONCE at a time."""
    first = 0
    while cues := library.cues_of(source_ids, first, CUES_AT_ONCE):
        yield cues
        first += len(cues)


def _groups(sources: CueSources) -> Iterator[RowIds]:
    """Ids of sources in ascending order, grouped up to CUES_PER_COMMIT cues."""
    group: list[int] = []
    cue_count = 0
    for source_id, cues in zip(sources.ids.tolist(), sources.counts.tolist(), strict=True):
        if group and cue_count + cues > CUES_PER_COMMIT:
            yield np.array(group, dtype=np.int64)
            group, cue_count = [], 0
        group.append(source_id)
        cue_count += cues
    if group:
        yield np.array(group, dtype=np.int64)


def _rows_of_texts(cues: Sequence[StoredCue]) -> dict[str, list[int]]:
    """The places of each distinct text among the cues."""
    rows: dict[str, list[int]] = {}
    for row, found in enumerate(cues):
        rows.setdefault(found.cue.text, []).append(row)
    return rows


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts, sorted by length so that little padding is needed."""
    batch: list[str] = []
    for text in sorted(texts, key=lambda text: (len(text), text)):
        if batch and (len(batch) == TEXTS_PER_BATCH or (len(batch) + 1) * len(text) > CHARACTERS_PER_BATCH):
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch


def _by_source(cues: Sequence[StoredCue], vectors: FloatArray) -> Iterator[tuple[int, SpaceVectors]]:
    """The vectors of each source, which are parts of `vectors` (one row a cue) and no copies."""
    begin = 0
    for source_id, group in groupby(cues, key=lambda found: found.source_id):
        segments = np.array([(found.cue.start_seconds, found.cue.end_seconds) for found in group])
        end = begin + len(segments)
        yield source_id, SpaceVectors(SpaceName.CUE, segments, vectors[begin:end])
        begin = end
