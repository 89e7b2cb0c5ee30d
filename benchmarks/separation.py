"""How well answers are separated from chance as models get weaker and libraries larger.

    python -m benchmarks.separation [--folder DIR] [--seeds 41 43] [--noise 0 1 2 3] [--fill 1350 100000] [--composed]

The starter set is made weak by noise on its vectors and on the logits of its events (`benchmarks.weak_models`): real
matches stand 3 to 6 spreads above chance. 100 queries for things that are in 150 clips, and 100 for things that are
not. `filled` rows have fewer kinds of queries, in libraries that are filled up with windows in which none of these
things occurs, and without such windows. No constant changes between rows. `--located` locates sounds, too.
`--composed` adds nDCG@10 of composed questions and of plain sentences (`benchmarks.search`).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.absences import UNRELATED, presence_questions, write_absent, write_unrelated
from benchmarks.composed import composed_questions, write_clips
from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.search import by_search, indexed, ndcg_of
from benchmarks.weak_models import WeakModels, weak_library
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.evaluation.ground_truth import read_truths
from pesearch.evaluation.metrics import auroc, calibration_error
from pesearch.search.query.request import SearchRequest
from pesearch.search.result import CONFIDENT
from pesearch.search.search import search
from pesearch.store.library import Library

TARGETS = {
    0: ("0.985", "0.08", "0.95", "0.08"),
    1: ("0.97", "0.10", "0.92", "0.10"),
    2: ("0.94", "0.12", "0.82", "0.12"),
    3: ("0.89", "0.15", "0.70", "0.15"),
}
"""By noise: AUROC, calibration error, answered when there, answered when absent, in a library of clips alone."""

NO_TARGETS = ("", "", "", "")

NONE = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Separation:
    """How the best score tells present from absent things, at one noise in a library of one size: 0..1 each."""

    part: str
    seed: int
    noise: float
    fill: int
    located: bool
    questions: int
    auroc: float
    calibration_error: float
    answered_there: float
    answered_absent: float

    def rows(self) -> Iterator[Row]:
        size = f"{150 + self.fill} windows" + ", located" * self.located
        targets = TARGETS.get(int(self.noise), NO_TARGETS) if self.part == "separation" else NO_TARGETS
        what = f"seed {self.seed}, noise {self.noise:g}, {size}"
        yield Row(f"{what}: AUROC", f"{self.auroc:.3f}", targets[0] and f">= {targets[0]}")
        yield Row("  calibration error", f"{self.calibration_error:.3f}", targets[1] and f"<= {targets[1]}")
        yield Row("  answered when there", f"{self.answered_there:.2f}", targets[2] and f">= {targets[2]}")
        yield Row("  answered when absent", f"{self.answered_absent:.2f}", targets[3] and f"<= {targets[3]}")


@dataclass(frozen=True, slots=True)
class ComposedQuestions:
    """nDCG@10 of 200 composed questions in the query language, and as plain sentences."""

    part: str
    noise: float
    language: float
    plain: float

    def rows(self) -> Iterator[Row]:
        what = f"composed, noise {self.noise:g}: language {self.language:.3f}, plain {self.plain:.3f}, gain"
        yield Row(what, f"{self.language - self.plain:+.3f}", ">= 0.15")


def main() -> None:
    """Make clips, index them, add noise, search, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="keep clips and libraries here for another run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[41, 43], help="worlds, none in training")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 1.0, 2.0, 3.0])
    parser.add_argument("--fill", type=int, nargs="*", default=[1350, 100_000], help="windows added")
    parser.add_argument("--composed", action="store_true", help="composed questions too")
    parser.add_argument("--located", action="store_true", help="locate sounds too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        report(measure(folder, options))


def measure(folder: Path, options: argparse.Namespace) -> Iterator[Finding]:
    """All rows, the small libraries first."""
    yield this_machine("cpu", "starter")
    models = open_model_set("starter", "cpu")
    filled = [(0, UNRELATED), *((fill, UNRELATED) for fill in options.fill)] if options.fill else []
    for fill, unasked in [(0, NONE), *filled]:
        for seed, noise in product(options.seeds, options.noise):
            yield _separation(folder, models, seed, noise, fill, unasked)
            if options.located and not unasked:
                yield _separation(folder, models, seed, noise, fill, unasked, located=True)
    if options.composed:
        for noise in options.noise:
            yield _composed(folder, models, options.seeds[0], noise)


def _separation(
    folder: Path, models: ModelSet, seed: int, noise: float, fill: int, unasked: frozenset[str], located: bool = False
) -> Separation:
    clips, others = folder / f"absent {seed}", folder / f"unrelated {seed}"
    source = indexed(clips, lambda: write_absent(clips, seed + 1), models)
    unrelated = indexed(others, lambda: write_unrelated(others, seed + 2), models) if fill else None
    library = weak_library(folder / f"weak {seed} {noise:g} {fill}", source, noise, seed, unrelated, fill)
    questions = presence_questions(read_truths(clips / "truths.json"), seed, unasked)
    weak = WeakModels(models, noise, seed)
    scores = best_scores(library, weak, [each.text for each in questions], located)
    there = np.array([each.is_there for each in questions])
    answered = scores >= CONFIDENT
    return Separation(
        "filled" if unasked else "separation", seed, noise, fill, located, len(questions), auroc(scores, there),
        calibration_error(scores, there), float(answered[there].mean()), float(answered[~there].mean()),
    )  # fmt: skip


def best_scores(library: Library, models: ModelSet, texts: Sequence[str], located: bool) -> npt.NDArray[np.float64]:
    """The score of the best moment for each text, 0 without one."""
    found = [search(library, models, SearchRequest(text, k=1, locate=located)).moments for text in texts]
    return np.array([moments[0].score if moments else 0.0 for moments in found])


def _composed(folder: Path, models: ModelSet, seed: int, noise: float) -> ComposedQuestions:
    clips = folder / f"composed {seed}"
    source = indexed(clips, lambda: write_clips(clips, seed, 400), models)
    library = weak_library(folder / f"weak composed {seed} {noise:g}", source, noise, seed)
    questions = composed_questions(read_truths(clips / "truths.json"), 200, seed)
    rank, names = by_search(library, WeakModels(models, noise, seed)), [file.path.name for file in library.files()]
    gains = [[ndcg_of(rank, text, each, names) for text in (each.language, each.sentence)] for each in questions]
    language, plain = np.mean(gains, axis=0).tolist()
    return ComposedQuestions("composed", noise, language, plain)


if __name__ == "__main__":
    main()
