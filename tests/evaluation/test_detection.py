"""Detection metrics against the values of psds_eval and sed_eval, and against brute force.

`agreed.json` has random clips with the values of the two libraries. `benchmarks/metric_libraries.py --record` writes
it, in an environment that has them.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.evaluation.detection import DetectionCounts, FrameScores, matched_events
from pesearch.evaluation.metrics import auroc
from pesearch.evaluation.psds import SCENARIO_1, SCENARIO_2, PsdsCounts, merge_overlapping

CASES = json.loads((Path(__file__).parent / "agreed.json").read_text(encoding="utf-8"))
SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda s: (s[0] / 7, (s[0] + s[1]) / 7)), max_size=5
)


def labels_of(clips: list[dict[str, Any]]) -> list[str]:
    return sorted({label for clip in clips for label, spans in clip["truths"].items() if spans})


@pytest.mark.parametrize("case", CASES)
def test_psds_agrees_with_psds_eval(case: dict[str, Any]) -> None:
    clips = case["clips"]
    for scenario, name in ((SCENARIO_1, "psds1"), (SCENARIO_2, "psds2")):
        counts = PsdsCounts(labels_of(clips), len(clips[0]["found"]), scenario)
        for clip in clips:
            counts.add(clip["seconds"], clip["truths"], clip["found"])
        assert counts.score() == pytest.approx(case["libraries"][name], abs=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_f_scores_agree_with_sed_eval(case: dict[str, Any]) -> None:
    events, segments = DetectionCounts(labels_of(case["clips"])), DetectionCounts(labels_of(case["clips"]))
    for clip in case["clips"]:
        events.add_events(clip["truths"], clip["found"][0])
        segments.add_segments(clip["truths"], clip["found"][0])
    assert events.micro_f1() == pytest.approx(case["libraries"]["event_f1"], abs=1e-9)
    assert segments.micro_f1() == pytest.approx(case["libraries"]["segment_f1"], abs=1e-9)


def test_reference_cases_are_not_trivial() -> None:
    for name in ("psds1", "psds2", "event_f1", "segment_f1"):
        values = {case["libraries"][name] for case in CASES}
        assert len(values) > 4
        assert max(values) > 0.2


def maximum_matching(truths: list[tuple[float, float]], found: list[tuple[float, float]]) -> int:
    """Size of the largest one-to-one matching, by brute force."""
    if not truths:
        return 0
    (start, end), rest = truths[0], truths[1:]
    tries = [
        1 + maximum_matching(rest, found[:at] + found[at + 1 :])
        for at, span in enumerate(found)
        if abs(span[0] - start) <= 0.2 and abs(span[1] - end) <= max(0.2, 0.2 * (end - start))
    ]
    return max([maximum_matching(rest, found), *tries])


@given(SPANS, SPANS)
def test_matched_events_is_the_maximum_matching(
    truths: list[tuple[float, float]], found: list[tuple[float, float]]
) -> None:
    assert matched_events(truths, found) == maximum_matching(truths, found)


def test_offset_tolerance_is_a_fifth_of_the_duration() -> None:
    assert matched_events([(0.0, 10.0)], [(0.1, 8.1)]) == 1
    assert matched_events([(0.0, 10.0)], [(0.1, 7.9)]) == 0
    assert matched_events([(0.0, 0.5)], [(0.0, 0.8)]) == 0
    assert matched_events([(0.0, 10.0)], [(0.3, 10.0)]) == 0


def test_labels_that_are_never_found_count_zero_in_the_mean() -> None:
    counts = DetectionCounts(["bell", "dog", "quiet"])
    counts.add_events({"bell": [(0, 1)], "dog": [(0, 1)]}, {"bell": [(0, 1)]})
    assert counts.macro_f1() == pytest.approx(0.5)
    assert counts.micro_f1() == pytest.approx(2 / 3)
    assert math.isnan(DetectionCounts(["quiet"]).micro_f1())


def test_a_segment_is_active_if_any_part_of_it_is() -> None:
    counts = DetectionCounts(["bell"])
    counts.add_segments({"bell": [(0.9, 2.1)]}, {"bell": [(1.5, 1.6), (3.0, 4.0)]})
    assert counts.micro_f1() == pytest.approx(2 * 1 / (3 + 2))


def test_psds_of_perfect_and_of_no_detections() -> None:
    truths = {"bell": [(0.0, 2.0)], "dog": [(3.0, 5.0)]}
    for scenario in (SCENARIO_1, SCENARIO_2):
        perfect, empty, none = (PsdsCounts(["bell", "dog"], 1, scenario) for _ in range(3))
        perfect.add(10.0, truths, [truths])
        empty.add(10.0, truths, [{}])
        assert perfect.score() == pytest.approx(1.0)
        assert empty.score() == 0.0
        assert math.isnan(none.score())


def test_psds_with_one_label() -> None:
    counts = PsdsCounts(["bell"], 1, SCENARIO_2)
    counts.add(3600.0, {"bell": [(0, 1), (5, 6)]}, [{"bell": [(0, 1)]}])
    assert counts.score() == pytest.approx(0.5)


def test_overlapping_spans_are_merged() -> None:
    assert merge_overlapping([(4, 5), (0, 2), (1, 3), (3, 4)]) == [(0, 3), (3, 4), (4, 5)]


@pytest.mark.parametrize("seed", range(5))
def test_frame_auroc_equals_that_of_all_steps_together(seed: int) -> None:
    random = np.random.default_rng(seed)
    clips = [
        random.random((3, int(random.integers(5, 80)))).astype(np.float16).astype(np.float32) ** 2 for _ in range(4)
    ]
    halves = [clip.astype(np.float16).astype(np.float32) for clip in clips]
    truths = [random.random(clip.shape) < clip for clip in clips]
    for truth in truths:
        truth[2] = False
    scores = FrameScores(3)
    for clip, truth in zip(clips, truths, strict=True):
        scores.add(clip, truth)
    for label, found in enumerate(scores.aurocs()):
        steps, active = np.concatenate([half[label] for half in halves]), np.concatenate([t[label] for t in truths])
        exact = auroc(np.concatenate([clip[label] for clip in clips]), active)
        assert found == pytest.approx(auroc(steps, active), abs=1e-9, nan_ok=True)
        assert found == pytest.approx(exact, abs=1e-3, nan_ok=True)


def test_psds_counts_cross_triggers_of_scenario_2() -> None:
    """One bell detection covers the dog's 90 s in an hour: 1 false alarm + 0.5 * 3600 / 90 = 21 errors per hour.

    Below that limit the rates are 0 for the bell and 1 for the dog, above it 0.5 and 1: mean minus standard deviation
    is 0, then 0.5 over the remaining 79 of 100 errors per hour.
    """
    truths = {"bell": [(0.0, 10.0), (100.0, 110.0)], "dog": [(200.0, 290.0)]}
    counts = PsdsCounts(["bell", "dog"], 1, SCENARIO_2)
    counts.add(3600.0, truths, [{"bell": [(0.0, 10.0), (200.0, 290.0)], "dog": [(200.0, 290.0)]}])
    assert counts.score() == pytest.approx(0.5 * 0.79)
