"""How well scores tell queries that have an answer from queries that have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from pesearch.evaluation.metrics import auroc, calibration_error
from pesearch.search.result import CONFIDENT


@dataclass(frozen=True, slots=True)
class Abstention:
    """Figures of scores in 0..1; NaN for a share of queries of which there are none.

    answered_there, answered_absent: Shares of the queries for present and for absent things with a score of at least
        CONFIDENT.
    """

    questions: int
    auroc: float
    calibration_error: float
    answered_there: float
    answered_absent: float

    @classmethod
    def of(cls, scores: npt.NDArray[np.float64], there: npt.NDArray[np.bool_]) -> Abstention:
        """The figures of the best score of each query [n], and whether what it asks for is there [n]."""
        answered = scores >= CONFIDENT
        return cls(
            len(scores), auroc(scores, there), calibration_error(scores, there), _share(answered[there]),
            _share(answered[~there]),
        )  # fmt: skip

    @classmethod
    def mean(cls, figures: Sequence[Abstention]) -> Abstention:
        """The mean of the figures of several libraries, each of which has queries of both sorts."""
        values = np.mean([[getattr(each, field.name) for field in fields(cls)[1:]] for each in figures], axis=0)
        return cls(sum(each.questions for each in figures), *values.tolist())


def _share(flags: npt.NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else float("nan")
