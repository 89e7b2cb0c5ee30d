"""Results of encoding a file, plain or by pesearch, for comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pesearch.types import FloatArray, SpaceName

PHRASES = ("siren", "dog")


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors float32 [n, dim] by space, and the probability of each of PHRASES, float32 [phrases, steps]."""

    vectors: Mapping[SpaceName, FloatArray]
    events: FloatArray


def lowest_cosine(one: Embedded, other: Embedded) -> float:
    """Lowest cosine between vectors of the same frame or window: 1 when both results are equal."""
    if one.vectors.keys() != other.vectors.keys():
        raise RuntimeError(f"the two results have different spaces: {[*one.vectors]}, {[*other.vectors]}")
    return min(float(cosines(one.vectors[space], other.vectors[space]).min()) for space in one.vectors)


def largest_event_difference(one: Embedded, other: Embedded) -> float:
    """Largest difference between probabilities of the same phrase at the same step."""
    return float(np.abs(one.events - other.events).max())


def cosines(one: FloatArray, other: FloatArray) -> FloatArray:
    """The cosine of each row of both [n, dim], float32 [n]."""
    found: FloatArray = (one * other).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    return found
