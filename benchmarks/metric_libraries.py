"""Our metrics against psds_eval, sed_eval and scikit-learn, on random clips and rankings:

    python -m benchmarks.metric_libraries

Runs in an environment with requirements/metrics.txt; pesearch itself needs only NumPy there. Exit status 1 when a
figure differs by more than 1e-9. `--record FILE` saves cases with the libraries' results, which the tests read.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas
import psds_eval
import sed_eval
import sklearn.metrics

from pesearch.evaluation.detection import OFFSET_SHARE, DetectionCounts
from pesearch.evaluation.metrics import ONSET_COLLAR_SECONDS
from pesearch.evaluation.psds import SCENARIO_1, SCENARIO_2, PsdsCounts, Scenario
from pesearch.evaluation.ranking import average_precisions, ndcg_at

Spans = dict[str, list[tuple[float, float]]]
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip with its true events, and those detected at each operating point."""

    seconds: float
    truths: Spans
    found: list[Spans]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Scores of the items for a query, all different, and their relevance."""

    scores: list[float]
    grades: list[float]


@dataclass(frozen=True, slots=True)
class Case:
    """A random data set."""

    clips: list[Clip]
    ranking: Ranking


@dataclass(frozen=True, slots=True)
class Scores:
    """The figures of a case; the F-scores are at the first operating point."""

    psds1: float
    psds2: float
    event_f1: float
    segment_f1: float
    average_precision: float
    ndcg10: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the largest differences, and record if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100, help="number of random data sets (default 100)")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write 6 cases with the libraries' answers")
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore", category=FutureWarning)  # psds_eval uses functions that pandas 3 removed
    cases = [random_case(np.random.default_rng(seed)) for seed in range(options.cases)]
    theirs = [library_scores(case) for case in cases]
    worst = dict.fromkeys(asdict(theirs[0]), 0.0)
    for case, expected in zip(cases, theirs, strict=True):
        found = asdict(our_scores(case))
        for name, value in asdict(expected).items():
            worst[name] = max(worst[name], abs(found[name] - value))
    for name, difference in worst.items():
        values = [asdict(one)[name] for one in theirs]
        print(f"{name:<17} {options.cases} cases, {min(values):.3f} to {max(values):.3f}: differs by {difference:.1e}")
    if options.record:
        kept = [
            asdict(case) | {"libraries": asdict(scores)}
            for case, scores in zip(cases, theirs, strict=True)
            if scores.psds1 > 0
        ]
        options.record.write_text(json.dumps(kept[:6], separators=(",", ":")) + "\n", encoding="utf-8")
    return int(max(worst.values()) > TOLERANCE)


def our_scores(case: Case) -> Scores:
    """The figures as computed by pesearch."""
    clips, scores, grades = case.clips, np.array([case.ranking.scores]), np.array([case.ranking.grades])
    labels = labels_of(clips)
    psds = [PsdsCounts(labels, len(clips[0].found), scenario) for scenario in (SCENARIO_1, SCENARIO_2)]
    events, segments = DetectionCounts(labels), DetectionCounts(labels)
    for clip in clips:
        for counts in psds:
            counts.add(clip.seconds, clip.truths, clip.found)
        events.add_events(clip.truths, clip.found[0])
        segments.add_segments(clip.truths, clip.found[0])
    return Scores(
        psds1=psds[0].score(),
        psds2=psds[1].score(),
        event_f1=events.micro_f1(),
        segment_f1=segments.micro_f1(),
        average_precision=float(average_precisions(scores, grades > 0)[0]),
        ndcg10=float(ndcg_at(scores, grades, 10)[0]),
    )


def library_scores(case: Case) -> Scores:
    """The figures as computed by the libraries."""
    clips, scores, grades = case.clips, np.array([case.ranking.scores]), np.array([case.ranking.grades])
    labels = labels_of(clips)
    events = sed_eval.sound_event.EventBasedMetrics(
        event_label_list=labels, t_collar=ONSET_COLLAR_SECONDS, percentage_of_length=OFFSET_SHARE
    )
    segments = sed_eval.sound_event.SegmentBasedMetrics(event_label_list=labels, time_resolution=1.0)
    for number, clip in enumerate(clips):
        true, found = entries(number, clip.truths), entries(number, clip.found[0])
        if true or found:  # sed_eval rejects clips with neither
            events.evaluate(true, found)
            segments.evaluate(true, found)
    return Scores(
        psds1=library_psds(clips, SCENARIO_1),
        psds2=library_psds(clips, SCENARIO_2),
        event_f1=events.overall_f_measure()["f_measure"],
        segment_f1=segments.overall_f_measure()["f_measure"],
        average_precision=float(sklearn.metrics.average_precision_score(grades[0] > 0, scores[0])),
        ndcg10=float(sklearn.metrics.ndcg_score(grades, scores, k=10)),
    )


def library_psds(clips: Sequence[Clip], scenario: Scenario) -> float:
    """The score of a scenario by psds_eval."""
    columns = ["filename", "onset", "offset", "event_label"]
    lengths = pandas.DataFrame(
        {"filename": [f"{n}.wav" for n in range(len(clips))], "duration": [c.seconds for c in clips]}
    )
    truths = pandas.DataFrame(
        [entry for n, clip in enumerate(clips) for entry in entries(n, clip.truths)], columns=columns
    )
    measure = psds_eval.PSDSEval(
        dtc_threshold=scenario.detection_share,
        gtc_threshold=scenario.truth_share,
        cttc_threshold=scenario.cross_share,
        ground_truth=truths,
        metadata=lengths,
    )
    for point in range(len(clips[0].found)):
        found = [entry for number, clip in enumerate(clips) for entry in entries(number, clip.found[point])]
        measure.add_operating_point(pandas.DataFrame(found, columns=columns))
    score = measure.psds(scenario.cross_weight, scenario.spread_weight, scenario.max_errors_per_hour)
    return float(score.value)


def entries(number: int, spans: Mapping[str, Sequence[tuple[float, float]]]) -> list[dict[str, object]]:
    """The events of a clip in the format of both libraries."""
    return [
        {"filename": f"{number}.wav", "onset": start, "offset": end, "event_label": label}
        for label, listed in spans.items()
        for start, end in listed
    ]


def labels_of(clips: Sequence[Clip]) -> list[str]:
    """The labels with a true event."""
    return sorted({label for clip in clips for label, spans in clip.truths.items() if spans})


def random_case(random: np.random.Generator) -> Case:
    """Clips, and a ranking of 2 to 40 items, at least one of them relevant."""
    items = int(random.integers(2, 41))
    grades = random.integers(0, 4, items) * (random.random(items) < 0.3)
    grades[random.integers(items)] = 2
    return Case(random_clips(random), Ranking((random.permutation(items) / 7).tolist(), grades.astype(float).tolist()))


def random_clips(random: np.random.Generator) -> list[Clip]:
    """Up to 24 clips of up to 4 sounds; detections match the truth more or less closely at each operating point."""
    labels = ["bell", "dog", "siren", "train"][: random.integers(2, 5)]
    noise = random.uniform(0.005, 0.3)
    clips = []
    for _ in range(random.integers(8, 25)):
        seconds = round(random.uniform(8, 12), 3)
        truths = {label: random_spans(random, seconds, 0) for label in labels}
        found = [
            {label: heard(random, truths[label], seconds, noise * (1 + point), point) for label in labels}
            for point in range(4)
        ]
        clips.append(Clip(seconds, truths, found))
    kept = set(labels_of(clips))
    return [Clip(clip.seconds, only(clip.truths, kept), [only(spans, kept) for spans in clip.found]) for clip in clips]


def only(spans: Spans, labels: set[str]) -> Spans:
    """The intervals of some labels."""
    return {label: listed for label, listed in spans.items() if label in labels}


def random_spans(random: np.random.Generator, seconds: float, least: int) -> list[tuple[float, float]]:
    """A few disjoint intervals."""
    times = np.sort(random.uniform(0, seconds, 2 * int(random.integers(least, 4))))
    return [(round(float(start), 3), round(float(end), 3)) for start, end in times.reshape(-1, 2)]


def heard(
    random: np.random.Generator, truths: list[tuple[float, float]], seconds: float, noise: float, point: int
) -> list[tuple[float, float]]:
    """Most of the true events with shifted ends, and sometimes a false one."""
    moved = [
        (round(start + random.normal(0, noise), 3), round(end + random.normal(0, noise), 3))
        for start, end in truths
        if random.random() > 0.15 * point
    ]
    if random.random() < 0.03 + 0.1 * point:
        moved += random_spans(random, seconds, 1)
    kept: list[tuple[float, float]] = []
    for start, end in sorted((max(start, 0.0), min(end, seconds)) for start, end in moved):
        if end > start and (not kept or start > kept[-1][1]):
            kept.append((start, end))
    return kept


if __name__ == "__main__":
    sys.exit(main())
