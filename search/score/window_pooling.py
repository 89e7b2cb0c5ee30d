"""Max-pools the values of segments to windows, for many parts of files at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pesearch.search.score.normalization import Certainty
from pesearch.timeline import windows
from pesearch.types import MediaFile, Part, SegmentArray

Indexes = npt.NDArray[np.int64]

_PART_OFFSET_SECONDS = float(1 << 23)
"""Offset between parts on their common time axis: 97 days. A power of two keeps the times exact."""


def file_windows(file: MediaFile) -> SegmentArray:
    """The windows of a file, float64 [n, 2]; a still image has one of zero length."""
    segments = windows(file.info.duration_seconds)
    return segments if len(segments) else np.zeros((1, 2))


def part_windows(file: MediaFile, part: Part) -> SegmentArray:
    """The windows of a file that are entirely inside a part."""
    segments = file_windows(file)
    return segments[(segments[:, 0] >= part.start_seconds) & (segments[:, 1] <= part.end_seconds)]


def max_pool(
    windows_of_parts: Sequence[SegmentArray], segments: SegmentArray, part_numbers: Indexes, values: Certainty
) -> list[Certainty]:
    """The maximum of `values` [n, terms] in each window, [windows, terms] for each part; 0 in windows without segments.

    `segments` [n, 2] are sorted by part and time; `part_numbers` [n] index `windows_of_parts`. A segment belongs to the
    windows that contain its middle in their interior: windows overlap by half, so the middle of one is the edge of the
    next. If a part has a single window, all its segments belong to it.
    """
    edges = np.concatenate(
        [_shifted(window_segments, number) for number, window_segments in enumerate(windows_of_parts)]
    )
    middles = (segments[:, 0] + segments[:, 1]) / 2 + part_numbers * _PART_OFFSET_SECONDS
    first = np.searchsorted(middles, edges[:, 0], "right")
    stop = np.maximum(np.searchsorted(middles, edges[:, 1], "left"), first)
    padded = np.concatenate([values, np.zeros((1, values.shape[1]))])
    maxima = np.maximum.reduceat(padded, np.stack([first, stop], axis=1).ravel(), axis=0)[::2]
    pooled = np.where((stop > first)[:, None], maxima, 0.0)
    return np.split(pooled, np.cumsum([len(window_segments) for window_segments in windows_of_parts])[:-1])


def _shifted(segments: SegmentArray, number: int) -> SegmentArray:
    if len(segments) == 1:
        segments = np.array([[-_PART_OFFSET_SECONDS / 4, _PART_OFFSET_SECONDS / 2]])
    return segments + number * _PART_OFFSET_SECONDS
