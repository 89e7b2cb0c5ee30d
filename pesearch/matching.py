"""How a model set tells matches from chance: measured constants, and windows whose contents are known to be various."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pesearch.types import FloatArray, SpaceName


@dataclass(frozen=True, slots=True)
class Placement:
    """The place of the threshold between what texts score that match nothing in a library and what texts score that do.

    share, far_share: Of the distance between both, beyond `margin` spreads: where it is short, and where it is long
        (`DISTANCES` of search/score/match_threshold.py; None for the same).
    """

    share: float
    margin: float = 0.0
    far_share: float | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """Constants of the threshold between chance and match (`search/score/match_threshold.py`), of one model set.

    measured_on: The libraries on which they were measured; None for a set that was never measured.
    names, sentences: The place of the threshold, for things and sounds, and for what is said.
    width_share, min_width: Width of the logistic function around it: a share of the same distance, and at least that
        many spreads.
    min_threshold: The lowest threshold, in spreads: in a library of one window.
    """

    measured_on: str | None = None
    names: Placement = Placement(share=0.22, far_share=0.45)
    sentences: Placement = Placement(share=0.11, margin=2.0)
    width_share: float = 0.045
    min_width: float = 0.25
    min_threshold: float = 2.6


UNMEASURED = Matching()
"""The constants of a set that was never measured: those of the starter set."""


@dataclass(frozen=True, slots=True)
class LogOdds:
    """A correction of the log odds of scores: `slope` times the log odds, plus `offset`."""

    slope: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Recalibration:
    """Corrections of the scores of one library, fitted to judged queries by `pesearch calibrate`.

    measured_on: The judgements, in words.
    names, sentences: For things and sounds, and for what is said.
    """

    measured_on: str
    names: LogOdds = LogOdds()
    sentences: LogOdds = LogOdds()


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceWindows:
    """Windows of various contents that come with a model set: small libraries are compared with them.

    vectors: By space, float32 [n, dim], those of one window after another.
    counts: By space, int64 [windows]: the number of vectors of each window; 0 for one without any.
    """

    vectors: Mapping[SpaceName, FloatArray]
    counts: Mapping[SpaceName, npt.NDArray[np.int64]]
