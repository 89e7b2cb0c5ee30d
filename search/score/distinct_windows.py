"""Which of the sampled windows of a library are distinct.

Archives have the same recording in several formats: its copies must not count as so many chance scores, nor hide what
they hold because it is common.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pesearch.search.score.window_pooling import Indexes, WindowRows
from pesearch.types import FloatArray

COPY_COSINE = 0.98
"""A window is a copy of another if their mean vectors are at least as similar in each space, and they have the same
spaces. Measured with the starter set: the same film in six codecs has 0.997 or more, two of 150 generated clips have
0.9, one 0.99."""


def distinct_windows(spaces: Sequence[tuple[FloatArray, WindowRows]]) -> Indexes:
    """The numbers of the windows that are no copies of earlier ones.

    spaces: The vectors of each space, float32 [n, dim], and the rows of each window in them.
    """
    count = len(spaces[0][1].first) if spaces else 0
    similarity = np.ones((count, count))
    for vectors, rows in spaces:
        similarity = np.minimum(similarity, _similarity(vectors, rows))
    distinct: list[int] = []
    for number in range(count):
        if not (similarity[number, distinct] >= COPY_COSINE).any():
            distinct.append(number)
    return np.array(distinct, dtype=np.int64)


def _similarity(vectors: FloatArray, rows: WindowRows) -> FloatArray:
    """The cosines of the windows' mean vectors, [windows, windows]; 1 if neither has any, -1 if one of them has."""
    has_rows = rows.counts > 0
    sums = np.add.reduceat(
        np.concatenate([vectors, np.zeros((1, vectors.shape[1]), np.float32)]),
        np.stack([rows.first, rows.stop], axis=1).ravel(),
    )[::2]
    means = np.where(has_rows[:, None], sums, 0.0)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    similarity: FloatArray = np.where(has_rows[:, None] & has_rows, means @ means.T, -1.0)
    similarity[~has_rows[:, None] & ~has_rows] = 1.0
    return similarity
