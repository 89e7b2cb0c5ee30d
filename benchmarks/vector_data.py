"""Vectors, queries and exact results for all systems: made once, kept in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.two_cones import TwoCones
from pesearch.types import FloatArray, HalfArray

QUESTIONS = 200
CLOSENESS = (1.0, 0.4)
"""Half of the queries are about one shot alone, half mostly about other things."""
SHARES = (1.0, 0.5, 0.1, 0.01)
"""Shares of the rows that filters keep; 1 is no filter."""
K = 10
_BLOCK = 1 << 15


@dataclass(frozen=True, slots=True)
class VectorData:
    """`vectors` float16 [n, dim] on disk, `counts` rows of each file, `questions` float32 [q, dim].

    `chosen[share]` are the files [files] that a filter keeps, `truth[share]` the K best rows [q, K] among theirs.
    """

    folder: Path
    vectors: HalfArray
    counts: npt.NDArray[np.int64]
    questions: FloatArray
    chosen: dict[float, npt.NDArray[np.bool_]]
    truth: dict[float, npt.NDArray[np.int64]]


def make_data(folder: Path, rows: int, dim: int) -> VectorData:
    """The data of that size; existing data in the folder is reused."""
    if not (folder / "truth.npz").exists():
        counts, questions = _make(folder, rows, dim)
        random = np.random.default_rng(2)
        chosen = {share: random.random(len(counts)) < share for share in SHARES}
        for files in chosen.values():
            files[0] = True  # of very few rows a filter would keep none
        vectors = np.load(folder / "vectors.npy", mmap_mode="r")
        truth = _truth(vectors, questions, {share: np.repeat(files, counts) for share, files in chosen.items()})
        kept: dict[str, npt.NDArray[Any]] = {"counts": counts, "questions": questions}
        kept |= {f"chosen {share}": files for share, files in chosen.items()}
        kept |= {f"truth {share}": best for share, best in truth.items()}
        with (folder / "truth.npz").open("wb") as sink:
            np.savez(sink, allow_pickle=False, **kept)
    return read_data(folder)


def read_data(folder: Path) -> VectorData:
    """The data that `make_data` left in a folder."""
    kept = np.load(folder / "truth.npz")
    return VectorData(
        folder,
        np.load(folder / "vectors.npy", mmap_mode="r"),
        kept["counts"],
        kept["questions"],
        chosen={share: kept[f"chosen {share}"] for share in SHARES},
        truth={share: kept[f"truth {share}"] for share in SHARES},
    )


def _make(folder: Path, rows: int, dim: int) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Write the vectors. Returns the rows of each file, and the queries."""
    world = TwoCones(dim)
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float16, (rows, dim))
    counts: list[int] = []
    shots: list[FloatArray] = []
    for file in world.files(rows):
        start = sum(counts)
        counts.append(len(file.vectors))
        vectors[start : start + len(file.vectors)] = file.vectors
        shots.append(file.shots)
    about = np.concatenate(shots)
    asked = about[np.random.default_rng(1).choice(len(about), QUESTIONS)]
    parts = zip(np.array_split(asked, len(CLOSENESS)), CLOSENESS, strict=True)
    return np.array(counts), np.concatenate([world.questions(part, closeness) for part, closeness in parts])


def _truth(
    vectors: HalfArray, questions: FloatArray, kept: dict[float, npt.NDArray[np.bool_]]
) -> dict[float, npt.NDArray[np.int64]]:
    """The best rows of each query in float32, for each filter."""
    asked = torch.from_numpy(questions)
    best = {share: (torch.full((len(asked), K), -torch.inf), torch.full((len(asked), K), -1)) for share in kept}
    for start in range(0, len(vectors), _BLOCK):
        block = torch.from_numpy(vectors[start : start + _BLOCK].astype(np.float32))
        scores = asked @ block.T
        rows = torch.arange(start, start + len(block)).expand(len(asked), -1)
        for share, marks in kept.items():
            masked = scores.masked_fill(~torch.from_numpy(marks[start : start + _BLOCK]), -torch.inf)
            both = torch.cat([best[share][0], masked], dim=1), torch.cat([best[share][1], rows], dim=1)
            top = both[0].topk(K)
            best[share] = (top.values, both[1].gather(1, top.indices))
    return {share: found.numpy() for share, (_, found) in best.items()}
