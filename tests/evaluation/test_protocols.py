"""Groups of vectors, and the metrics of a retrieval direction, by values."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.evaluation.datasets import DatasetClip, IndexedClip
from pesearch.evaluation.layouts import VIDEO_TO_AUDIO
from pesearch.evaluation.protocols import VectorGroups, task_metrics
from pesearch.locations import Location
from pesearch.store.library import Library
from pesearch.types import MediaFile, MediaInfo, MediaKind, SpaceName

VIDEO = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
AUDIO = np.array([[1.0, 0.0], [3.0, 1.0]], dtype=np.float32)
"""Clip 0 is nearest to itself in direction, but clip 1 has the longer vector."""


class VectorsOnly:
    """A library of two files with one vector in each of two spaces."""

    spaces = (SimpleNamespace(name=SpaceName.VIDEO), SimpleNamespace(name=SpaceName.AUDIO))

    def vectors(self, file_id: int, space: SpaceName) -> Any:
        rows = VIDEO if space is SpaceName.VIDEO else AUDIO
        return SimpleNamespace(vectors=rows[file_id : file_id + 1])


def indexed_clip(number: int) -> IndexedClip:
    info = MediaInfo(MediaKind.VIDEO, 4.0, None, None)
    file = MediaFile(number, str(number), info, (Location(Path(f"/{number}.mp4"), 1, 1),))
    return IndexedClip(DatasetClip(str(number), (str(number),)), (file,))


def test_dot_product_and_cosine_rank_differently() -> None:
    clips = [indexed_clip(0), indexed_clip(1)]
    metrics = task_metrics(VIDEO_TO_AUDIO, clips, cast(Library, VectorsOnly()), cast(ModelSet, None))
    assert metrics is not None
    assert (metrics.queries, metrics.gallery) == (2, 2)
    assert (metrics.dot.r1, metrics.cosine.r1) == (0.5, 1.0)
    assert metrics.dot.map == pytest.approx((1 / 2 + 1) / 2)


def test_normalized_groups_have_unit_vectors_and_keep_their_rows() -> None:
    rows = np.array([[3.0, 4.0], [0.0, 0.0], [0.0, 2.0]], dtype=np.float32)
    groups = VectorGroups.concatenated([rows[:2], rows[2:]], [frozenset([0]), frozenset([1, 2])])
    normalized = groups.normalized()
    assert normalized.vectors.tolist() == [[0.6, 0.8], [0.0, 0.0], [0.0, 1.0]]
    assert normalized.keys == groups.keys == (frozenset([0]), frozenset([1, 2]))
    assert normalized.starts.tolist() == groups.starts.tolist() == [0, 2, 3]
    assert groups.vectors.tolist() == rows.tolist()
