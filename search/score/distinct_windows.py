"""Which of the sampled windows of a library are distinct.

Archives have the same recording in several formats: its copies must not count as so many chance scores, nor hide what
they hold because it is common.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pesearch.search.score.near_equality import MeanVectors, group
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
    is_copy = np.ones((count, count), np.bool_)
    for vectors, rows in spaces:
        is_copy &= MeanVectors.of_windows(vectors, rows).distances() <= 1 - COPY_COSINE
    return np.array([copies[0] for copies in group(is_copy)], dtype=np.int64)
