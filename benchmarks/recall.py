"""What compressed indexes find of the best vectors where matches are weak.

    python -m benchmarks.recall [--folder DIR] [--seed 41] [--noise 0 1 2 3] [--fill 100000]

The libraries are those of `benchmarks.separation`: clips among windows of other things, with noise that makes the
starter set as weak as published models. The queries are texts about the clips. `found` is the share of the best scores
that the answer of the index reaches, `work` its CPU time as a share of that of the exact search in memory.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks.absences import UNRELATED
from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.kept_folder import kept_folder
from benchmarks.separation import weakened
from pesearch.encoders.model_set import open_model_set
from pesearch.search_hits import Hits
from pesearch.store.index import vector_search
from pesearch.store.library import Library, open_library
from pesearch.types import MEDIA_SPACES, FloatArray, SpaceName

QUERIES = 60
K = 100
DEPTHS = (1, 10, K)


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of the best 1, 10 and 100 scores that the index finds, and its work beside exact search."""

    part: str
    noise: float
    space: str
    rows_of_space: int
    found: tuple[float, ...]
    work: float

    def rows(self) -> Iterator[Row]:
        found = ", ".join(f"{share:.3f}" for share in self.found)
        yield Row(f"noise {self.noise:g}, {self.rows_of_space} {self.space}: found of 1, 10, 100", found, "")
        yield Row("  work, as a share of exact search", f"{self.work:.2f}", "< 1")


def main() -> None:
    """Make the libraries, search them in both ways, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="keep clips and libraries here for another run")
    parser.add_argument("--seed", type=int, default=41, help="a world, not in training")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 1.0, 2.0, 3.0])
    parser.add_argument("--fill", type=int, default=100_000, help="windows added")
    options = parser.parse_args()
    with kept_folder(options.folder) as folder:
        report(measure(folder, options))


def measure(folder: Path, options: argparse.Namespace) -> Iterator[Finding]:
    """A row for each noise and space."""
    yield this_machine("cpu", "starter")
    models = open_model_set("starter", "cpu")
    for noise in options.noise:
        asked = weakened(folder, models, options.seed, noise, options.fill, UNRELATED)
        texts = asked.models.embed_texts([text.partition(":")[2].strip("()") or text for text in asked.texts[:QUERIES]])
        for space in MEDIA_SPACES:
            queries = texts.of(space)
            assert queries is not None
            with patch.object(vector_search, "MAX_FLAT_BYTES", 1 << 40):
                exact, exact_seconds = _timed(open_library(asked.library.folder), space, queries)
            found, seconds = _timed(asked.library, space, queries)
            shares = tuple(float(np.mean([*map(_reached(depth), exact, found)])) for depth in DEPTHS)
            yield Recall("recall", noise, space.value, asked.library.rows(space), shares, seconds / exact_seconds)


def _timed(library: Library, space: SpaceName, queries: FloatArray) -> tuple[list[Hits], float]:
    """The hits of each query, and the CPU seconds of all, without opening the index."""
    library.search(space, queries[:1], K)
    start = time.process_time()
    hits = [library.search(space, query[None], K)[0] for query in queries]
    return hits, time.process_time() - start


def _reached(depth: int) -> Callable[[Hits, Hits], float]:
    """The share of the `depth` best scores that an answer reaches."""
    return lambda exact, found: min(float((found.scores >= exact.scores[depth - 1] - 1e-5).sum()) / depth, 1.0)


if __name__ == "__main__":
    main()
