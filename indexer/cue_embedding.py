"""The cues of a library to vectors, by which questions find them by their meaning.

What has no vectors yet is embedded, wherever it comes from: new files, sidecars that came later, runs that were ended
before, libraries of older programs. The media is not touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.progress_events import CuesEmbedded
from pesearch.indexer.timings import Stage, StageTimings
from pesearch.store.catalogue.cues import CueSources, RowIds, StoredCue
from pesearch.store.library import Library
from pesearch.store.write.writer import Writer
from pesearch.types import FloatArray, SpaceName, SpaceVectors

CUES_A_COMMIT = 2048
"""So many cues, or one source, make a commit: a second of a GPU, some minutes of a CPU."""

TEXTS_A_BATCH, CHARACTERS_A_BATCH = 64, 8192
"""So many texts at once, padded to the longest of them: the text tower's memory grows with their characters."""


def embed_cues(library: Library, models: ModelSet, writer: Writer, stages: StageTimings) -> Iterator[CuesEmbedded]:
    """Embeds the cues that have no vectors yet, some sources at a time, each text once among them; how it goes on."""
    lacking = library.cues_to_embed()
    total, done = int(lacking.counts.sum()), 0
    for source_ids in _parts(lacking):
        cues = library.cues_of(source_ids)
        vectors: dict[str, FloatArray] = {}
        for texts in _batches(cues):
            yield CuesEmbedded(done + len(vectors), total)
            with stages.timed(Stage.TRANSFORMERS):
                embedded = models.embed_texts(texts, {SpaceName.CUE}).of(SpaceName.CUE)
            if embedded is None:  # a model set that does not hear
                return
            vectors.update(zip(texts, embedded, strict=True))
        writer.add_cue_vectors(list(_by_source(cues, vectors)))
        done += len(cues)
        yield CuesEmbedded(done, total)


def _parts(sources: CueSources) -> Iterator[RowIds]:
    """Sources by rising id, together as long as they hold no more than CUES_A_COMMIT cues."""
    part: list[int] = []
    held = 0
    for source_id, cues in zip(sources.ids.tolist(), sources.counts.tolist(), strict=True):
        if part and held + cues > CUES_A_COMMIT:
            yield np.array(part, dtype=np.int64)
            part, held = [], 0
        part.append(source_id)
        held += cues
    if part:
        yield np.array(part, dtype=np.int64)


def _batches(cues: Sequence[StoredCue]) -> Iterator[list[str]]:
    """Each text once; those of a length together, so that little is padded."""
    batch: list[str] = []
    for text in sorted({found.cue.text for found in cues}, key=lambda text: (len(text), text)):
        if batch and (len(batch) == TEXTS_A_BATCH or (len(batch) + 1) * len(text) > CHARACTERS_A_BATCH):
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch


def _by_source(cues: Sequence[StoredCue], vectors: dict[str, FloatArray]) -> Iterator[tuple[int, SpaceVectors]]:
    for source_id, group in groupby(cues, key=lambda found: found.source_id):
        mine = [found.cue for found in group]
        segments = np.array([(cue.start_seconds, cue.end_seconds) for cue in mine])
        yield source_id, SpaceVectors(SpaceName.CUE, segments, np.stack([vectors[cue.text] for cue in mine]))
