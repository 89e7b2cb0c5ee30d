"""How well answers are separated from chance as models get weaker and libraries larger.

    python -m benchmarks.separation [--folder DIR] [--seeds 41 43 47 53] [--noise 0 1 2 3] [--fill 1350 100000]
                                    [--composed] [--calibrated] [--oracle] [--set DIR ...]

The starter set is made weak by noise on its vectors and on the logits of its events (`benchmarks.weak_models`): real
matches stand 3 to 6 spreads above chance. 100 queries for things that are in 150 clips, and 100 for things that are
not. Shares of 100 queries are uncertain by 0.03: `mean` rows have those of all seeds. `filled` rows have fewer kinds of
queries, in libraries that are filled up with windows in which none of these things occurs, and without such windows. No
constant changes between rows. `--located` locates sounds, too. `--composed` adds nDCG@10 of composed questions and of
plain sentences (`benchmarks.search`). `--calibrated` adds scores that are corrected as by `pesearch calibrate` with the
other half of the queries (among which are other wordings). `--oracle` adds what the best classifier reaches with the
same deviations (`benchmarks.oracle`), also for each kind of query.

`--set` adds rows of sets that were trained briefly, which confuse things where noise is random:

    python -m training.train --out DIR --work DIR --minutes 30 --scenes 1600 --codec-of encoders/starter
    python -m training.reference --set DIR

They have the constants of the starter set, and reference windows of their own. Their targets are those of the noise
whose target of the AUROC is nearest to what they reach.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.absences import UNRELATED, Presence, QueryKind, presence_questions, write_absent, write_unrelated
from benchmarks.abstention import Abstention
from benchmarks.composed import composed_questions, write_clips
from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.kept_folder import kept_folder
from benchmarks.oracle import best_deviations, compare_with_oracle
from benchmarks.search import by_search, indexed, ndcg_of
from benchmarks.weak_models import WeakModels, weak_library
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.evaluation.ground_truth import read_truths
from pesearch.evaluation.judged_scores import JudgedScore
from pesearch.evaluation.recalibrate import corrected, fit_scores
from pesearch.matching import LogOdds
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.library import Library

Targets = tuple[float, float, float, float]
"""Of AUROC, calibration error, answered when there, answered when absent."""

Scores = npt.NDArray[np.float64]

TARGETS: dict[float, Targets] = {
    0.0: (0.985, 0.08, 0.95, 0.08),
    1.0: (0.97, 0.10, 0.92, 0.10),
    2.0: (0.94, 0.12, 0.82, 0.12),
    3.0: (0.89, 0.15, 0.70, 0.15),
}
"""By noise, in a library of clips alone."""

NONE = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Separation:
    """How the best score tells present from absent things: `what` names the models, the seed and the library.

    targets: A row of TARGETS; None without.
    """

    part: str
    what: str
    figures: Abstention
    targets: Targets | None

    def rows(self) -> Iterator[Row]:
        bars = ("",) * 4
        if self.targets is not None:
            at_least, below, there, absent = self.targets
            bars = (f">= {at_least}", f"<= {below:.2f}", f">= {there:.2f}", f"<= {absent:.2f}")
        found = self.figures
        yield Row(f"{self.what}: AUROC", f"{found.auroc:.3f}", bars[0])
        yield Row("  calibration error", f"{found.calibration_error:.3f}", bars[1])
        yield Row("  answered when there", f"{found.answered_there:.2f}", bars[2])
        yield Row("  answered when absent", f"{found.answered_absent:.2f}", bars[3])


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
    parser.add_argument("--seeds", type=int, nargs="+", default=[41, 43, 47, 53], help="worlds, none in training")
    parser.add_argument("--noise", type=float, nargs="*", default=[0.0, 1.0, 2.0, 3.0], help="none: sets alone")
    parser.add_argument("--fill", type=int, nargs="*", default=[1350, 100_000], help="windows added")
    parser.add_argument("--composed", action="store_true", help="composed questions too")
    parser.add_argument("--located", action="store_true", help="locate sounds too")
    parser.add_argument("--oracle", action="store_true", help="the best classifier of the same deviations too")
    parser.add_argument("--calibrated", action="store_true", help="scores after `pesearch calibrate` too")
    parser.add_argument("--set", type=Path, nargs="*", default=[], help="folders of briefly trained sets")
    options = parser.parse_args()
    with kept_folder(options.folder) as folder:
        report(measure(folder, options))


def measure(folder: Path, options: argparse.Namespace) -> Iterator[Finding]:
    """All rows, the small libraries first."""
    yield this_machine("cpu", "starter")
    models = open_model_set("starter", "cpu")
    for noise in options.noise:
        found: list[Finding] = []
        for seed in options.seeds:
            for finding in _separation(weakened(folder, models, seed, noise), TARGETS.get(noise), options):
                found.append(finding)
                yield finding
        figures = [each.figures for each in found if isinstance(each, Separation) and each.part == "separation"]
        yield Separation(
            "mean", f"{len(figures)} libraries, noise {noise:g}", Abstention.mean(figures), TARGETS.get(noise)
        )
    for set_folder, seed in product(options.set, options.seeds):
        yield from _separation(_briefly_trained(folder, set_folder, seed), None, options)
    filled = [0, *options.fill] if options.fill else []
    for fill, seed, noise in product(filled, options.seeds, options.noise):
        asked = weakened(folder, models, seed, noise, fill, UNRELATED)
        yield Separation("filled", asked.what, asked.figures(best_scores(asked, False)), None)
    if options.composed:
        for noise in options.noise:
            yield _composed(folder, models, options.seeds[0], noise)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Queries for a library, half of which it has no answer to; `what` names the models, the seed and the library."""

    what: str
    library: Library
    models: ModelSet
    questions: list[Presence]
    seed: int

    @property
    def texts(self) -> list[str]:
        """The queries."""
        return [each.text for each in self.questions]

    def figures(self, scores: Scores) -> Abstention:
        """The figures of the score of each query."""
        return Abstention.of(scores, np.array([each.is_there for each in self.questions]))


def _separation(asked: Asked, targets: Targets | None, options: argparse.Namespace) -> Iterator[Finding]:
    """The rows of a library of clips alone. Without targets, those of the nearest noise count."""
    scores = best_scores(asked, located=False)
    figures = asked.figures(scores)
    targets = targets or nearest_targets(figures.auroc)
    yield Separation("separation", asked.what, figures, targets)
    if options.calibrated:
        yield Separation("calibrated", f"{asked.what}, calibrated", asked.figures(calibrated(asked, scores)), targets)
    if options.oracle:
        deviations = best_deviations(asked.library, asked.models, asked.texts)
        yield from compare_with_oracle(asked.what, asked.questions, deviations, scores, asked.seed)
    if options.located:
        located = asked.figures(best_scores(asked, located=True))
        yield Separation("located", f"{asked.what}, located", located, targets)


def nearest_targets(reached: float) -> Targets:
    """The row of TARGETS whose AUROC is nearest to the one reached."""
    return min(TARGETS.values(), key=lambda targets: abs(targets[0] - reached))


def weakened(
    folder: Path, models: ModelSet, seed: int, noise: float, fill: int = 0, unasked: frozenset[str] = NONE
) -> Asked:
    """Noisy clips, kept in `folder`, with queries about no `unasked` things; `fill` windows are added."""
    clips, others = folder / f"absent {seed}", folder / f"unrelated {seed}"
    source = indexed(clips, lambda: write_absent(clips, seed + 1), models)
    unrelated = indexed(others, lambda: write_unrelated(others, seed + 2), models) if fill else None
    library = weak_library(folder / f"weak {seed} {noise:g} {fill}", source, noise, seed, unrelated, fill)
    questions = presence_questions(read_truths(clips / "truths.json"), seed, unasked)
    what = f"seed {seed}, noise {noise:g}, {150 + fill} windows"
    return Asked(what, library, WeakModels(models, noise, seed), questions, seed)


def _briefly_trained(folder: Path, set_folder: Path, seed: int) -> Asked:
    """Each set has a library of its own: its label has the hashes of the weights."""
    models, clips = open_model_set("starter", "cpu", set_folder), folder / f"absent {seed}"
    label = " ".join([set_folder.name, *sorted({space.revision for space in models.spaces})])
    library = indexed(clips, lambda: write_absent(clips, seed + 1), models, label)
    questions = presence_questions(read_truths(clips / "truths.json"), seed)
    return Asked(f"seed {seed}, {set_folder.name}", library, models, questions, seed)


def best_scores(asked: Asked, located: bool) -> Scores:
    """The score of the best moment for each query, 0 without one."""
    requests = (SearchRequest(text, k=1, locate=located) for text in asked.texts)
    found = [search(asked.library, asked.models, request).moments for request in requests]
    return np.array([moments[0].score if moments else 0.0 for moments in found])


def calibrated(asked: Asked, scores: Scores) -> Scores:
    """The scores, each corrected as `pesearch calibrate` would after it saw the other half of the queries."""
    number = np.random.default_rng(asked.seed).permutation(len(scores))
    is_said = np.array([each.kind is QueryKind.SAID for each in asked.questions])
    is_there, after = np.array([each.is_there for each in asked.questions]), scores.copy()
    for half in (number % 2 == 0, number % 2 == 1):
        judged = zip(number[~half], is_said[~half], scores[~half], is_there[~half], strict=True)
        fits = fit_scores([JudgedScore(int(query), bool(said), *each) for query, said, *each in judged])
        for kind, fit in ((~is_said, fits.names), (is_said, fits.sentences)):
            after[half & kind] = corrected(scores[half & kind], fit.correction or LogOdds())
    return after


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
