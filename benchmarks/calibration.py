"""What `pesearch calibrate` gains: fitted to half of the annotations of clips, measured on the other half.

    python -m benchmarks.calibration [--folder DIR] [--seeds 41 43] [--noise 0 1 2 3]

The libraries are those of `benchmarks.separation`: 150 clips, with noise on the vectors. Even queries fit, odd ones
measure, and the other way round.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.absences import write_absent
from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.search import indexed
from benchmarks.weak_models import WeakModels, weak_library
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.evaluation.ground_truth import read_truths
from pesearch.evaluation.judged_scores import JudgedScore, Judgements, judged_scores, of_clips
from pesearch.evaluation.metrics import calibration_error
from pesearch.evaluation.recalibrate import fit_scores
from pesearch.store.library import Library
from pesearch.store.recalibration import write_recalibration


@dataclass(frozen=True, slots=True)
class Gain:
    """Calibration error of one half of the queries, before and after a fit to the other half."""

    part: str
    seed: int
    noise: float
    half: int
    before: float
    after: float

    def rows(self) -> Iterator[Row]:
        what = f"seed {self.seed}, noise {self.noise:g}, half {self.half}: {self.before:.3f} before, after"
        yield Row(what, f"{self.after:.3f}", f"< {self.before:.3f}")


def main() -> None:
    """Make clips, index them, add noise, search, fit, search again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="keep clips and libraries here for another run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[41, 43], help="worlds, none in training")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 1.0, 2.0, 3.0])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        report(measure(folder, options))


def measure(folder: Path, options: argparse.Namespace) -> Iterator[Finding]:
    """Both halves of each library."""
    yield this_machine("cpu", "starter")
    models = open_model_set("starter", "cpu")
    for seed, noise in product(options.seeds, options.noise):
        clips = folder / f"absent {seed}"
        source = indexed(clips, lambda: write_absent(clips, seed + 1), models)  # noqa: B023  # called at once
        library = weak_library(folder / f"weak {seed} {noise:g} 0", source, noise, seed)
        judgements = of_clips(read_truths(clips / "truths.json"), library)
        for half in (0, 1):
            yield _gain(library, WeakModels(models, noise, seed), judgements, seed, noise, half)


def _gain(library: Library, models: ModelSet, judgements: Judgements, seed: int, noise: float, half: int) -> Gain:
    halves = [replace(judgements, queries=judgements.queries[start::2]) for start in (half, 1 - half)]
    before = _scores(halves[0], library, models)
    recalibration = fit_scores(_scores(halves[1], library, models)).recalibration("the other half")
    write_recalibration(library.folder, recalibration)
    try:
        after = _scores(halves[0], library, models, is_recalibrated=True)
    finally:
        write_recalibration(library.folder, None)
    return Gain("calibration", seed, noise, half, _error(before), _error(after))


def _scores(
    judgements: Judgements, library: Library, models: ModelSet, is_recalibrated: bool = False
) -> list[JudgedScore]:
    return [score for scores in judged_scores(judgements, library, models, is_recalibrated) for score in scores]


def _error(scores: list[JudgedScore]) -> float:
    answers = np.array([each.is_answer for each in scores], dtype=bool)
    return calibration_error(np.array([each.score for each in scores]), answers)


if __name__ == "__main__":
    main()
