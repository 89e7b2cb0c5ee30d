"""The size from which a compressed index searches a space with less work than an exact scan in memory.

    python -m benchmarks.flat_limit [--dim 1024] [--rows 4096 8192 16384 32768 65536]

Synthetic vectors (`benchmarks.two_cones`). A query of two terms has three vectors in each space, and 100 hits of each
are retrieved: the CPU time of that with both indexes, and the share of the exact hits that the compressed one finds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.vector_data import VectorData, make_data
from benchmarks.vector_systems import Ours
from pesearch.blas_threads import on_one_core
from pesearch.search_hits import Hits
from pesearch.store.index import vector_search
from pesearch.store.library import Library, open_library
from pesearch.types import SpaceName

QUERY_VECTORS = 3
"""Vectors of a query of two terms in one space."""

HITS = 100
"""Hits that are retrieved for each of them."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Median CPU time of one search of a space, exact and compressed, and recall@HITS of the compressed index."""

    part: str
    vectors: int
    size_bytes: int
    exact_cpu_ms: float
    compressed_cpu_ms: float
    recall: float

    def rows(self) -> Iterator[Row]:
        """CPU time of the compressed index, against the exact one; its recall."""
        what = f"{self.vectors} vectors, {self.size_bytes / (1 << 20):.0f} MiB: exact {self.exact_cpu_ms:.1f} CPU-ms"
        yield Row(f"{what}, compressed", f"{self.compressed_cpu_ms:.1f} CPU-ms")
        yield Row(f"  recall@{HITS} of the compressed index", f"{self.recall:.3f}")


def main() -> None:
    """Make vectors, index them, search, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--rows", type=int, nargs="+", default=[1 << bits for bits in range(12, 17)])
    arguments = parser.parse_args()
    report(measure(arguments.dim, arguments.rows))


def measure(dim: int, row_counts: Sequence[int]) -> Iterator[Finding]:
    """Compare both indexes over spaces of different sizes."""
    yield this_machine("cpu", "starter")
    with tempfile.TemporaryDirectory() as name:
        for rows in row_counts:
            folder = Path(name) / str(rows)
            folder.mkdir()
            yield _compare(make_data(folder, rows, dim), folder)


def _compare(data: VectorData, folder: Path) -> Compared:
    before = vector_search.MAX_FLAT_BYTES
    try:
        vector_search.MAX_FLAT_BYTES = 0
        Ours().build(data, folder)
        compressed_ms, compressed = _search(open_library(folder / "library"), data)
        vector_search.MAX_FLAT_BYTES = data.vectors.nbytes
        exact_ms, exact = _search(open_library(folder / "library"), data)
    finally:
        vector_search.MAX_FLAT_BYTES = before
    recall = float(np.mean([_share(found, true) for found, true in zip(compressed, exact, strict=True)]))
    return Compared("flat limit", len(data.vectors), data.vectors.nbytes, exact_ms, compressed_ms, recall)


def _search(library: Library, data: VectorData) -> tuple[float, list[Hits]]:
    times: list[float] = []
    hits: list[Hits] = []
    with on_one_core():
        for start in range(0, len(data.questions), QUERY_VECTORS):
            queries = {SpaceName.FRAME: data.questions[start : start + QUERY_VECTORS]}
            before = time.process_time()
            hits += library.search_spaces(queries, HITS, None)[SpaceName.FRAME]
            times.append(time.process_time() - before)
    return float(np.median(times)) * 1000, hits


def _share(found: Hits, true: Hits) -> float:
    """The share of the true hits that were found."""
    each = [set(zip(hits.file_ids.tolist(), hits.segments[:, 0].tolist(), strict=True)) for hits in (found, true)]
    return len(each[0] & each[1]) / len(each[1])


if __name__ == "__main__":
    main()
