"""Which spaces are evidence for a moment."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from pesearch.locations import Location
from pesearch.search.query.language.nodes import Words
from pesearch.search.query.plan import QueryPlan
from pesearch.search.score.evidence import select_evidence
from pesearch.search.score.hypotheses import Hypothesis
from pesearch.search.score.interval import Interval
from pesearch.search.score.part_scores import PartScores, SpaceScores
from pesearch.search_hits import Hits
from pesearch.types import Hit, MediaFile, MediaInfo, MediaKind, Part, SpaceName

PLAN = QueryPlan(0, (Words("siren"),), (True,))
SEGMENTS = np.array([[0.0, 10.0], [5.0, 15.0], [10.0, 20.0]])
SPACES_IN_ORDER = (SpaceName.FRAME, SpaceName.VIDEO, SpaceName.AUDIO)


def part_with(certainties: dict[SpaceName, list[float]]) -> PartScores:
    """A file of 20 s whose three windows have these certainties; query vector n searches the n-th space."""
    info = MediaInfo(MediaKind.VIDEO, 20.0, None, None)
    file = MediaFile(7, "print", info, (Location(Path("/a.mp4"), 1, 1),))
    spaces = {
        space: SpaceScores(
            SEGMENTS,
            np.array([1.0, 2.0, 3.0], dtype=np.float32),
            np.full(3, SPACES_IN_ORDER.index(space)),
            np.full((3, 1), np.nan),
            np.array(values)[:, None],
        )
        for space, values in certainties.items()
    }
    return PartScores(file, Part(7, 0.0, math.inf), SEGMENTS, np.zeros((3, 1, len(Hypothesis))), spaces)


NO_HITS = [Hits.empty(space) for space in SPACES_IN_ORDER]


def test_spaces_below_half_of_the_best_certainty_are_no_evidence() -> None:
    part = part_with(
        {SpaceName.FRAME: [0.0, 0.39, 0.0], SpaceName.VIDEO: [0.41, 0, 0], SpaceName.AUDIO: [0.1, 0.8, 0.2]}
    )
    evidence = select_evidence(part, Interval(0.0, 20.0, 0.8), PLAN, NO_HITS)
    assert evidence == (
        Hit(7, SpaceName.AUDIO, 5.0, 15.0, 2.0, 1),
        Hit(7, SpaceName.VIDEO, 0.0, 10.0, 1.0, 1),
    )


def test_half_of_the_best_certainty_is_evidence_and_zero_is_not() -> None:
    part = part_with({SpaceName.VIDEO: [0.4, 0, 0], SpaceName.AUDIO: [0.8, 0, 0], SpaceName.FRAME: [0, 0, 0]})
    evidence = select_evidence(part, Interval(0.0, 20.0, 0.8), PLAN, NO_HITS)
    assert [hit.space for hit in evidence] == [SpaceName.AUDIO, SpaceName.VIDEO]
    nothing = part_with({SpaceName.AUDIO: [0.0, 0.0, 0.0]})
    assert select_evidence(nothing, Interval(0.0, 20.0, 0.8), PLAN, NO_HITS) == ()


def test_only_segments_in_the_interval_count_and_ranks_are_those_of_the_hits() -> None:
    part = part_with({SpaceName.AUDIO: [0.9, 0.5, 0.3]})
    hits = [*NO_HITS[:2], Hits(SpaceName.AUDIO, np.array([3, 7]), SEGMENTS[[0, 2]], np.array([4, 3], dtype=np.float32))]
    (hit,) = select_evidence(part, Interval(15.0, 20.0, 0.3), PLAN, hits)
    assert (hit.start_seconds, hit.score, hit.rank) == (10.0, 3.0, 2)
    (hit,) = select_evidence(part, Interval(12.0, 14.0, 0.3), PLAN, hits)
    assert (hit.start_seconds, hit.score, hit.rank) == (5.0, 2.0, 3)  # one after the last hit
    assert hit.score == pytest.approx(2.0)
