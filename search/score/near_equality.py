"""When windows, or moments, are near-equal: as the same recording is in another format, size or cut.

They are if their mean vectors agree in each space, and they have the same spaces. How far apart vectors are that agree
depends on the models: those of some lie in a narrow cone, where different things have cosines above 0.9. Distances are
therefore compared with the typical distance of the windows of the library.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.search.score.window_pooling import WindowRows
from pesearch.types import FloatArray

Distances = npt.NDArray[np.float64]

Near = npt.NDArray[np.bool_]

MAX_DISTANCE_RATIO = 0.1
"""Of the typical distance. Measured by `benchmarks.near_duplicates` with the starter set, moments of 164 clips, 43 of
them in 9 forms: recall of 2047 pairs of copies 0.74 (0.90 or more of each form but those cut by 2 s, 0.85, and
letterboxed ones, 0.18), precision 0.97: 3 of 13,366 pairs of different clips, with the same things and sounds. Recall
is 0.75 and precision the same in a cone where cosines are 0.95, and 0.28 and 1 with noise of 0.3 in each vector. With a
share of 0.05 recall is 0.61 and precision 0.998, with 0.2 they are 0.83 and 0.97, with 0.3 0.86 and 0.91. Chosen by
these figures: no other clips confirm them. Copies share 0.7 of their seconds, as only 13 pairs of clips cut by 2 s do.
Models other than the starter set were not measured."""

MIN_TYPICAL_DISTANCE = 0.01
"""That of libraries with hardly any windows, or with a single recording: then only the closest copies are near-equal.
Models whose windows have cosines of 0.99 were not seen."""


@dataclass(frozen=True, slots=True, eq=False)
class MeanVectors:
    """The mean vector of each of some windows or moments in one space.

    units: float32 [n, dim], of length 1.
    is_there: bool [n], False where there are no vectors.
    """

    units: FloatArray
    is_there: Near

    @classmethod
    def of(cls, sums: FloatArray, is_there: Near) -> MeanVectors:
        """From sums of vectors."""
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        return cls(np.where(is_there[:, None], sums / np.maximum(lengths, 1e-12), 0.0).astype(np.float32), is_there)

    @classmethod
    def of_windows(cls, vectors: FloatArray, rows: WindowRows) -> MeanVectors:
        """Of windows, whose `rows` are those of `vectors` [rows, dim]."""
        padded = np.concatenate([vectors, np.zeros((1, vectors.shape[1]), np.float32)])
        sums = np.add.reduceat(padded, np.stack([rows.first, rows.stop], axis=1).ravel())[::2]
        return cls.of(sums, rows.counts > 0)

    def distances(self) -> Distances:
        """1 - cosine of each pair, [n, n]; 0 if neither has vectors, infinity if one of them has."""
        distances = np.where(self.is_there[:, None] & self.is_there, 1.0 - self.units @ self.units.T, np.inf)
        distances[~self.is_there[:, None] & ~self.is_there] = 0.0
        return distances

    def typical_distance(self) -> float:
        """The median distance of two that have vectors, MIN_TYPICAL_DISTANCE or more."""
        units = self.units[self.is_there]
        of_pairs = (1.0 - units @ units.T)[np.triu_indices(len(units), 1)]
        return max(float(np.median(of_pairs)) if len(of_pairs) else 0.0, MIN_TYPICAL_DISTANCE)


def are_near(means: MeanVectors, typical_distance: float) -> Near:
    """Which pairs agree in one space, bool [n, n]."""
    near: Near = means.distances() <= MAX_DISTANCE_RATIO * typical_distance
    return near


def group(near: Near, keep_apart: Near | None = None) -> list[list[int]]:
    """Groups of the numbers 0 to n - 1, in order: each joins the first group whose first member it is near.

    near, keep_apart: bool [n, n]; two that are kept apart are not in one group.
    """
    groups: list[list[int]] = []
    for number, row in enumerate(near):
        is_near = row[[members[0] for members in groups]]
        for found in np.flatnonzero(is_near).tolist():
            if keep_apart is None or not keep_apart[number, groups[found]].any():
                groups[found].append(number)
                break
        else:
            groups.append([number])
    return groups
