"""Hypotheses of how a window matches a text: it is seen, it is heard, or both.

The deviations of several spaces that say the same add up: noise does not. Their sum over the root of their number has
the spread of one (Stouffer 1949). A thing may be seen and not heard: the best hypothesis counts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import IntEnum

import numpy as np

from pesearch.search.score.match_threshold import Deviations
from pesearch.types import MEDIA_SPACES, SpaceName


class Hypothesis(IntEnum):
    """How a window matches; also the index into arrays of hypotheses."""

    SEEN = 0
    HEARD = 1
    BOTH = 2


HYPOTHESIS_SPACES = {
    Hypothesis.SEEN: frozenset({SpaceName.FRAME, SpaceName.VIDEO, SpaceName.AUDIO_VIDEO}),
    Hypothesis.HEARD: frozenset({SpaceName.AUDIO, SpaceName.AUDIO_VIDEO}),
    Hypothesis.BOTH: frozenset(MEDIA_SPACES),
}
"""The spaces that speak for each hypothesis: PE-AV's joint vectors for all."""


def count_hypotheses(spaces: Collection[SpaceName]) -> int:
    """The number of hypotheses that differ if only these spaces are searched."""
    return len({HYPOTHESIS_SPACES[hypothesis].intersection(spaces) for hypothesis in Hypothesis} - {frozenset()})


def hypothesis_deviations(deviations: Deviations, searched: Sequence[bool]) -> Deviations:
    """The deviations of each hypothesis [..., hypotheses] from those of MEDIA_SPACES [..., spaces].

    searched: Whether a space counts [spaces]. A missing space (NaN) is left out; NaN without any.
    """
    columns = []
    for hypothesis in Hypothesis:
        chosen = [
            at for at, space in enumerate(MEDIA_SPACES) if searched[at] and space in HYPOTHESIS_SPACES[hypothesis]
        ]
        values = deviations[..., chosen]
        counts = (~np.isnan(values)).sum(axis=-1)
        sums = np.nansum(values, axis=-1) / np.sqrt(np.maximum(counts, 1))
        columns.append(np.where(counts > 0, sums, np.nan))
    return np.stack(columns, axis=-1)
