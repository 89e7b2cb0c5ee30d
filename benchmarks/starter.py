"""Quality of the starter set on a world outside its training data: the figures of README and model card.

    python -m benchmarks.starter [--seed 7] [--count 100]

Makes the clips, indexes them with the command line, and evaluates them; then searches for each noun of the world and
for nouns outside it. Prints one JSON line with the figures and the seconds of each step on this machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pesearch.encoders.model_set import open_model_set
from pesearch.evaluation.metrics import Scores, auroc
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.library import open_library
from training.words import OBJECTS, OUTSIDE, SOUNDS

ROOT = Path(__file__).resolve().parent.parent


def timed(*command: str | Path) -> tuple[str, float]:
    """Run a command; its standard output and its seconds."""
    started = time.monotonic()
    result = subprocess.run([str(part) for part in command], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return result.stdout, round(time.monotonic() - started, 1)


def outside_auroc(library: Path) -> float:
    """The probability that a noun of the world scores above one from outside it, by the best moment."""
    inside = sorted({*SOUNDS, *OBJECTS})
    scores = best_scores([*inside, *OUTSIDE], library)
    return round(auroc(scores, np.arange(len(scores)) < len(inside)), 4)


def best_scores(words: Sequence[str], library: Path) -> Scores:
    """The score of the best moment for each word, [words]; 0 without moments."""
    opened, models = open_library(library), open_model_set("starter", "cpu")
    answers = (search(opened, models, SearchRequest(word, k=1)) for word in words)
    return np.array([answer.moments[0].score if answer.moments else 0.0 for answer in answers])


def main() -> None:
    """Make clips, index them, evaluate, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips, library = Path(folder) / "clips", Path(folder) / "library"
        seed, count = str(arguments.seed), str(arguments.count)
        _, world_seconds = timed(
            sys.executable, "-m", "training.world", "--seed", seed, "--count", count, "--out", clips
        )
        pesearch = (sys.executable, "-m", "pesearch")
        _, index_seconds = timed(*pesearch, "index", clips, "--model", "starter", "--library", library)
        figures, eval_seconds = timed(*pesearch, "eval", clips / "truths.json", "--library", library, "--json")
        outside = outside_auroc(library)
    steps = {"world_seconds": world_seconds, "index_seconds": index_seconds, "eval_seconds": eval_seconds}
    print(json.dumps({"seed": arguments.seed, **steps, **json.loads(figures), "outside_auroc": outside}))


if __name__ == "__main__":
    main()
