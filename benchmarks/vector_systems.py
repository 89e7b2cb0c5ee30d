"""The systems that `benchmarks.vectors` compares: each builds an index in a folder, opens it, and searches.

Scores are dot products of unit vectors. pesearch and a full scan are here, the others in `other_systems`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.other_systems import Chroma, Hnswlib, LanceDB, SqliteVec, Usearch
from benchmarks.vector_data import VectorData
from pesearch.locations import Location
from pesearch.store.library import Library, create_library, open_library
from pesearch.types import EncodedFile, FloatArray, MediaInfo, MediaKind, Space, SpaceName, SpaceVectors


class System(Protocol):
    """A search system."""

    @property
    def needs(self) -> str:
        """The module that must be importable."""

    @property
    def knobs(self) -> Sequence[int | None]:
        """Settings of search effort, rising; a single None without such a setting."""

    def build(self, data: VectorData, folder: Path) -> None:
        """Build in the folder what `open` needs."""

    def open(self, data: VectorData, folder: Path) -> None:
        """Open it, in another process."""

    def search(self, question: FloatArray, k: int, knob: int | None) -> npt.NDArray[np.int64]:
        """The best rows for a query [dim]."""


class Ours:
    """A library of one space. A row is identified by its file and time: row i of a file starts at i seconds."""

    needs = "faiss"
    knobs = (None,)
    files_a_batch = 50
    _library: Library
    _starts: npt.NDArray[np.int64]

    def build(self, data: VectorData, folder: Path) -> None:
        """Build with the writer, as `pesearch index` does."""
        space = Space(SpaceName.FRAME, "made-up", "1", data.vectors.shape[1])
        starts = self._first_rows(data)
        with create_library(folder / "library", "made-up", [space]).writer() as writer:
            for first in range(0, len(data.counts), self.files_a_batch):
                batch = range(first, min(first + self.files_a_batch, len(data.counts)))
                writer.add([self._file(data, file, int(starts[file])) for file in batch])

    def open(self, data: VectorData, folder: Path) -> None:
        """Open the library and run a first query, which opens the index."""
        self._starts = self._first_rows(data)
        self._library = open_library(folder / "library")
        self.search(data.questions[0], 1, None)

    def search(
        self, question: FloatArray, k: int, knob: int | None = None, file_ids: frozenset[int] | None = None
    ) -> npt.NDArray[np.int64]:
        """The rows of the hits; files are numbered from 1."""
        hits = self._library.search(SpaceName.FRAME, question[None], k, file_ids)[0]
        return np.array([self._starts[hit.file_id - 1] + int(hit.start_seconds) for hit in hits], dtype=np.int64)

    @staticmethod
    def _first_rows(data: VectorData) -> npt.NDArray[np.int64]:
        return np.cumsum(data.counts) - data.counts

    @staticmethod
    def _file(data: VectorData, number: int, start: int) -> EncodedFile:
        count = int(data.counts[number])
        times = np.arange(count, dtype=np.float64)
        vectors = data.vectors[start : start + count].astype(np.float32)
        part = SpaceVectors(SpaceName.FRAME, np.stack([times, times + 1], axis=1), vectors)
        info = MediaInfo(MediaKind.VIDEO, float(count), None, None)
        return EncodedFile(Location(Path(f"/{number}"), 1, 1), f"{number}", info, (part,))


class Torch:
    """A full scan of all vectors in float16, limited by memory bandwidth."""

    needs = "torch"
    knobs = (None,)
    _vectors: torch.Tensor

    def build(self, data: VectorData, folder: Path) -> None:
        """Nothing: the vectors are on disk already."""

    def open(self, data: VectorData, folder: Path) -> None:
        """Read them into memory."""
        self._vectors = torch.from_numpy(np.array(data.vectors))

    def search(self, question: FloatArray, k: int, knob: int | None) -> npt.NDArray[np.int64]:
        """One matrix product."""
        return (self._vectors @ torch.from_numpy(question).half()).topk(k).indices.numpy()


SYSTEMS: dict[str, Callable[[], System]] = {
    "ours": Ours,
    "torch": Torch,
    "usearch": Usearch,
    "hnswlib": Hnswlib,
    "lancedb": LanceDB,
    "sqlite-vec": SqliteVec,
    "chroma": Chroma,
}
