"""The same synthetic vectors (`benchmarks.two_cones`) searched by FAISS and by Milvus, as a small and a large space.

    python -m benchmarks.milvus [--rows 20000] [--dim 256] [--vectors milvus:URI]

Prints for each: the time to load the vectors, the latency of single queries, and recall@10 in all files and in a tenth
of them. Without `--vectors` it uses a Milvus Lite in this process.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.vector_data import K, VectorData, make_data
from benchmarks.vector_systems import Ours
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index import vector_search as vectors
from pesearch.store.index.milvus.sync import resolve_vectors
from pesearch.store.library import open_library
from pesearch.types import SpaceName

TENTH = 0.1


@dataclass(frozen=True, slots=True)
class Figures:
    """Results of one backend; `seconds` is the time to load the vectors."""

    way: str
    seconds: float
    p50_ms: float
    p99_ms: float
    recall: float
    recall_of_tenth: float


def main() -> None:
    """Make the vectors, search them in each way, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--vectors", default=None, metavar="milvus:URI")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pesearch-") as folder:
        data = make_data(Path(folder), arguments.rows, arguments.dim)
        milvus = resolve_vectors(arguments.vectors or f"milvus:{folder}/lite.db")
        print(f"{arguments.rows} vectors of {arguments.dim} numbers, {len(data.questions)} questions")
        print("| backend | load time | p50 | p99 | recall@10 | in a tenth |\n|---|---|---|---|---|---|")
        for each in compare(data, milvus):
            print(
                f"| {each.way} | {each.seconds:.1f} s | {each.p50_ms:.1f} ms | {each.p99_ms:.1f} ms "
                f"| {each.recall:.3f} | {each.recall_of_tenth:.3f} |",
                flush=True,
            )


def compare(data: VectorData, milvus: MilvusAddress | None) -> Iterator[Figures]:
    """Measure each backend on one library and copies of it."""
    source = data.folder / "source"
    Ours().build(data, source)
    small = vectors.MAX_FLAT_BYTES
    for limit in (1 << 62, 0):  # the same vectors once as a small space and once as a large one
        vectors.MAX_FLAT_BYTES = limit
        for where in (None, milvus):
            folder = data.folder / f"{limit} {where is None}"
            shutil.copytree(source, folder)
            yield _figures(data, folder, where)
    vectors.MAX_FLAT_BYTES = small


def _figures(data: VectorData, folder: Path, where: MilvusAddress | None) -> Figures:
    started = time.perf_counter()
    library = open_library(folder / "library")
    with library.writer() as writer:
        writer.set_vector_backend(where)
    seconds = time.perf_counter() - started
    ours = Ours()
    ours.open(data, folder)
    for question in data.questions:  # warm
        ours.search(question, K)
    taken, found = [], []
    for question in data.questions:
        before = time.perf_counter()
        found.append(ours.search(question, K))
        taken.append(1e3 * (time.perf_counter() - before))
    tenth = frozenset((np.flatnonzero(data.chosen[TENTH]) + 1).tolist())
    of_tenth = [ours.search(question, K, file_ids=tenth) for question in data.questions]
    policy = str(library.status().policies[SpaceName.FRAME]).replace(f" on {where}", " on the Milvus")
    with library.writer() as writer:
        writer.set_vector_backend(None)  # a shared Milvus is left as it was
    p50, p99 = np.percentile(taken, [50, 99])
    return Figures(policy, seconds, p50, p99, _recall(found, data.truth[1.0]), _recall(of_tenth, data.truth[TENTH]))


def _recall(found: list[np.ndarray], truth: np.ndarray) -> float:
    shared = [len(set(ours.tolist()) & set(best.tolist())) for ours, best in zip(found, truth, strict=True)]
    return float(np.mean(shared) / K)


if __name__ == "__main__":
    main()
