"""What `pesearch calibrate` gains: fitted to half of the annotations of clips, measured on the other half.

    python -m benchmarks.calibration [--folder DIR] [--seeds 41 43] [--noise 0 1 2 3]

The libraries are those of `benchmarks.separation`: 150 clips, with noise on the vectors. Even queries fit, odd ones
measure, and the other way round.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.kept_folder import kept_folder
from benchmarks.separation import weakened
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.evaluation.ground_truth import read_truths
from pesearch.evaluation.judged_scores import JudgedScore, Judgements, judged_scores, of_clips
from pesearch.evaluation.recalibrate import calibration_errors, fit_scores
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
    with kept_folder(options.folder) as folder:
        report(measure(folder, options))


def measure(folder: Path, options: argparse.Namespace) -> Iterator[Finding]:
    """Both halves of each library."""
    yield this_machine("cpu", "starter")
    models = open_model_set("starter", "cpu")
    for seed, noise in product(options.seeds, options.noise):
        asked = weakened(folder, models, seed, noise)
        judgements = of_clips(read_truths(folder / f"absent {seed}" / "truths.json"), asked.library)
        for half in (0, 1):
            yield _gain(asked.library, asked.models, judgements, seed, noise, half)


def _gain(library: Library, models: ModelSet, judgements: Judgements, seed: int, noise: float, half: int) -> Gain:
    halves = [replace(judgements, queries=judgements.queries[start::2]) for start in (half, 1 - half)]
    before = _scores(halves[0], library, models)
    recalibration = fit_scores(_scores(halves[1], library, models)).recalibration("the other half")
    write_recalibration(library.folder, recalibration)
    try:
        after = _scores(halves[0], library, models, is_recalibrated=True)
    finally:
        write_recalibration(library.folder, None)
    errors = calibration_errors(before, after)
    return Gain("calibration", seed, noise, half, errors.models, errors.library)


def _scores(
    judgements: Judgements, library: Library, models: ModelSet, is_recalibrated: bool = False
) -> list[JudgedScore]:
    return [score for scores in judged_scores(judgements, library, models, is_recalibrated) for score in scores]


if __name__ == "__main__":
    main()
