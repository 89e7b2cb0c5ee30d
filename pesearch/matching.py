"""How a model set tells matches from chance: measured constants, and windows whose contents are known to be various."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.types import FloatArray, SpaceName


@dataclass(frozen=True, slots=True)
class Matching:
    """Constants of the threshold between chance and match (`search/score/match_threshold.py`), of one model set.

    measured_on: The libraries on which they were measured; None for a set that was never measured.
    name_share, sentence_share: The place of the threshold between what texts score that match nothing in a library and
        what texts score that do: for things and sounds, and for what is said.
    width_share, min_width: Width of the logistic function around it: a share of the same distance, and at least that
        many spreads.
    min_separation: The least distance between both, in spreads: a library may hold nothing that is in the cohort.
    min_threshold: The lowest threshold, in spreads: in a library of one window.
    """

    measured_on: str | None = None
    name_share: float = 0.24
    sentence_share: float = 0.17
    width_share: float = 0.06
    min_width: float = 0.15
    min_separation: float = 2.0
    min_threshold: float = 2.6


UNMEASURED = Matching()
"""The constants of a set that was never measured: those of the starter set."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceWindows:
    """Windows of various contents that come with a model set: small libraries are compared with them.

    vectors: By space, float32 [n, dim], those of one window after another.
    counts: By space, int64 [windows]: the number of vectors of each window; 0 for one without any.
    """

    vectors: Mapping[SpaceName, FloatArray]
    counts: Mapping[SpaceName, npt.NDArray[np.int64]]
