"""Time of `pesearch query "siren and train"` in a terminal, cold and answered by a running page.

    python -m benchmarks.warm [--times 5]

The sample clips are indexed with the starter set. Cold and warm queries alternate; warm ones are served by the process
of a page that has answered before. `python -c pass` is the lower bound. CPU seconds are user and system time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.costs import children_cpu_seconds
from benchmarks.figures import Finding, Row, report, this_machine
from pesearch.encoders.model_set import open_model_set
from pesearch.indexer.run import index
from pesearch.search.opening import open_for_search
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.search.server.client import ask_server
from pesearch.search.server.server import serve_queries
from pesearch.store.library import create_library

TEXT = "siren and train"
MAX_COLD_SECONDS = 1.0
MAX_COLD_CPU_SECONDS = 1.2
SAMPLE_MEDIA = Path(__file__).parent.parent / "sample_media"


@dataclass(frozen=True, slots=True)
class Warm:
    """Medians in seconds of `times` processes each; `answer_seconds` is a warm query without starting a process."""

    part: str
    times: int
    cold_seconds: float
    cold_cpu_seconds: float
    warm_seconds: float
    warm_cpu_seconds: float
    bare_seconds: float
    answer_seconds: float
    max_cold_seconds: float = MAX_COLD_SECONDS
    max_cold_cpu_seconds: float = MAX_COLD_CPU_SECONDS

    def rows(self) -> Iterator[Row]:
        yield Row(
            f'pesearch query "{TEXT}", no page is running',
            f"{self.cold_seconds:.2f} s",
            f"<= {self.max_cold_seconds:g}",
        )
        yield Row("  CPU", f"{self.cold_cpu_seconds:.2f} s", f"<= {self.max_cold_cpu_seconds:g}")
        yield Row("the same, answered by the running page", f"{self.warm_seconds:.2f} s")
        yield Row("  CPU", f"{self.warm_cpu_seconds:.2f} s")
        yield Row("  answer of the page", f"{self.answer_seconds * 1000:.0f} ms")
        yield Row("python -c pass", f"{self.bare_seconds:.2f} s")


def main() -> None:
    """Index, search, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5, help="number of processes of each kind (default 5)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder  # so that no running page answers
        report(measure(Path(folder) / "library", arguments.times))


def measure(folder: Path, times: int) -> Iterator[Finding]:
    """Cold and warm queries in turns."""
    yield this_machine("cpu", "starter")
    models = open_model_set("starter", "cpu")
    library = create_library(folder, models.name, models.spaces)
    for _ in index([SAMPLE_MEDIA], library, models):
        pass
    query = ["-m", "pesearch", "query", TEXT, "--library", str(folder), "--verbose"]
    cold, warm, bare, answers = list[Spent](), list[Spent](), list[Spent](), list[float]()
    for _ in range(times):
        cold.append(_run(query, "no page is running"))
        with _page(folder):
            warm.append(_run(query, "answered by the running page"))
            answers.append(_answer_seconds(folder))
        bare.append(_run(["-c", "pass"], ""))
    yield Warm(
        part="warm",
        times=times,
        cold_seconds=statistics.median(each.seconds for each in cold),
        cold_cpu_seconds=statistics.median(each.cpu_seconds for each in cold),
        warm_seconds=statistics.median(each.seconds for each in warm),
        warm_cpu_seconds=statistics.median(each.cpu_seconds for each in warm),
        bare_seconds=statistics.median(each.seconds for each in bare),
        answer_seconds=statistics.median(answers),
    )


@contextmanager
def _page(folder: Path) -> Iterator[None]:
    """Serve queries from this process, as a page that has answered before."""
    library, models = open_for_search(folder, "cpu")
    with serve_queries(folder, lambda: models, partial(search, library, models)) as trouble:
        if trouble:
            raise SystemExit(trouble)
        ask_server(folder, SearchRequest(TEXT), "auto")
        yield


def _answer_seconds(folder: Path) -> float:
    started = time.perf_counter()
    ask_server(folder, SearchRequest(TEXT), "auto")
    return time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class Spent:
    """Wall-clock and CPU seconds of a process."""

    seconds: float
    cpu_seconds: float


def _run(arguments: list[str], expected: str) -> Spent:
    """Run Python; `expected` must be on its stderr."""
    before, started = children_cpu_seconds(), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    spent = Spent(time.perf_counter() - started, children_cpu_seconds() - before)
    if expected not in done.stderr:
        raise SystemExit(done.stderr)
    return spent


if __name__ == "__main__":
    main()
