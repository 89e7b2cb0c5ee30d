"""Other systems for `benchmarks.vectors`, each used as its documentation recommends.

HNSW has 16 neighbours per node, the default of all three that use it, and a construction effort of 100, Chroma's
default.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.vector_data import VectorData
from pesearch.types import FloatArray

NEIGHBOURS = 16
CONSTRUCTION_EFFORT = 100
EFFORTS = (10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240)
_BLOCK = 1 << 13


def blocks(data: VectorData) -> Iterator[tuple[int, FloatArray]]:
    """The vectors in blocks of float32, each with the number of its first row."""
    for start in range(0, len(data.vectors), _BLOCK):
        yield start, data.vectors[start : start + _BLOCK].astype(np.float32)


class Usearch:
    """usearch: HNSW over float16, memory-mapped."""

    needs = "usearch"
    knobs = EFFORTS
    _index: Any

    def build(self, data: VectorData, folder: Path) -> None:
        from usearch.index import Index

        index = Index(
            ndim=data.vectors.shape[1],
            metric="ip",
            dtype="f16",
            connectivity=NEIGHBOURS,
            expansion_add=CONSTRUCTION_EFFORT,
        )
        for start in range(0, len(data.vectors), _BLOCK):
            block = np.array(data.vectors[start : start + _BLOCK])
            index.add(np.arange(start, start + len(block)), block, threads=torch.get_num_threads())
        index.save(str(folder / "usearch"))

    def open(self, data: VectorData, folder: Path) -> None:
        from usearch.index import Index

        self._index = Index.restore(str(folder / "usearch"), view=True)

    def search(self, question: FloatArray, k: int, knob: int | None) -> npt.NDArray[np.int64]:
        """With an effort (`ef`) of `knob`."""
        self._index.expansion_search = knob
        return np.asarray(self._index.search(question.astype(np.float16), k).keys, dtype=np.int64)


class Hnswlib:
    """hnswlib: HNSW over float32."""

    needs = "hnswlib"
    knobs = EFFORTS
    _index: Any

    def build(self, data: VectorData, folder: Path) -> None:
        import hnswlib

        index = hnswlib.Index(space="ip", dim=data.vectors.shape[1])
        index.init_index(len(data.vectors), M=NEIGHBOURS, ef_construction=CONSTRUCTION_EFFORT)
        for start, block in blocks(data):
            index.add_items(block, np.arange(start, start + len(block)), num_threads=torch.get_num_threads())
        index.save_index(str(folder / "hnswlib"))

    def open(self, data: VectorData, folder: Path) -> None:
        import hnswlib

        self._index = hnswlib.Index(space="ip", dim=data.vectors.shape[1])
        self._index.load_index(str(folder / "hnswlib"))

    def search(self, question: FloatArray, k: int, knob: int | None) -> npt.NDArray[np.int64]:
        """With an effort (`ef`) of `knob`."""
        self._index.set_ef(max(knob or k, k))
        found: npt.NDArray[np.int64] = self._index.knn_query(question, k)[0][0].astype(np.int64)
        return found


class LanceDB:
    """LanceDB: RaBitQ in inverted lists (IVF_RQ), rescoring 50 times k; the knob is the number of probes."""

    needs = "lancedb"
    knobs = (10, 20, 40, 80, 160, 320)
    _table: Any

    def build(self, data: VectorData, folder: Path) -> None:
        """A table of float32 vectors (its index over float16 took over an hour to build), and its index."""
        import lancedb
        import pyarrow as pa

        kind = pa.list_(pa.float32(), data.vectors.shape[1])

        def batches() -> Iterator[pa.RecordBatch]:
            for start, block in blocks(data):
                column = pa.FixedSizeListArray.from_arrays(block.ravel(), block.shape[1])
                yield pa.RecordBatch.from_arrays([pa.array(range(start, start + len(block))), column], schema=schema)

        schema = pa.schema([("row", pa.int64()), ("vector", kind)])
        reader = pa.RecordBatchReader.from_batches(schema, batches())
        table = lancedb.connect(folder / "lancedb").create_table("rows", reader)
        table.create_index("dot", index_type="IVF_RQ")

    def open(self, data: VectorData, folder: Path) -> None:
        """Open the table, and load its index with a first query."""
        import lancedb

        self._table = lancedb.connect(folder / "lancedb").open_table("rows")
        self.search(data.questions[0], 1, self.knobs[0])

    def search(self, question: FloatArray, k: int, knob: int | None) -> npt.NDArray[np.int64]:
        """Probe `knob` lists."""
        asked = self._table.search(question).distance_type("dot").nprobes(knob).refine_factor(50)
        found: npt.NDArray[np.int64] = asked.limit(k).select(["row", "_distance"]).to_arrow()["row"].to_numpy()
        return found


class SqliteVec:
    """sqlite-vec: a full scan of float32 vectors in SQLite (with apsw: not every Python's sqlite3 can load
    extensions)."""

    needs = "sqlite_vec"
    knobs = (None,)
    _connection: Any

    def build(self, data: VectorData, folder: Path) -> None:
        """One table, filled in one transaction."""
        connection = self._connect(folder)
        connection.execute(
            f"CREATE VIRTUAL TABLE rows USING vec0(vector float[{data.vectors.shape[1]}] distance_metric=cosine)"
        )
        with connection:
            for start, block in blocks(data):
                values = ((start + number, row.tobytes()) for number, row in enumerate(block))
                connection.executemany("INSERT INTO rows(rowid, vector) VALUES (?, ?)", values)
        connection.close()

    def open(self, data: VectorData, folder: Path) -> None:
        self._connection = self._connect(folder)

    def search(self, question: FloatArray, k: int, knob: int | None) -> npt.NDArray[np.int64]:
        """By cosine, which equals the dot product here."""
        rows = self._connection.execute(
            "SELECT rowid FROM rows WHERE vector MATCH ? ORDER BY distance LIMIT ?", (question.tobytes(), k)
        )
        return np.array([row[0] for row in rows], dtype=np.int64)

    @staticmethod
    def _connect(folder: Path) -> Any:
        import apsw
        import sqlite_vec

        connection = apsw.Connection(str(folder / "sqlite_vec.db"))
        connection.enable_load_extension(True)
        connection.load_extension(sqlite_vec.loadable_path())
        return connection


class Chroma:
    """Chroma: HNSW over float32, with a persistent client. It changes its effort only when it is opened again."""

    needs = "chromadb"
    knobs = EFFORTS[-4:]
    _collection: Any
    _folder: Path
    _effort: int | None = None

    def build(self, data: VectorData, folder: Path) -> None:
        """One collection, filled in the largest batches that it accepts."""
        import chromadb

        client = chromadb.PersistentClient(str(folder / "chroma"))
        settings = {"hnsw": {"space": "ip", "max_neighbors": NEIGHBOURS, "ef_construction": CONSTRUCTION_EFFORT}}
        collection = client.create_collection("rows", configuration=settings, embedding_function=None)
        largest = client.get_max_batch_size()
        for start, block in blocks(data):
            for first in range(0, len(block), largest):
                part = block[first : first + largest]
                names = [str(start + first + number) for number in range(len(part))]
                collection.add(ids=names, embeddings=part)

    def open(self, data: VectorData, folder: Path) -> None:
        """Open the collection, and load its index with a first query."""
        import chromadb

        client = chromadb.PersistentClient(str(folder / "chroma"))
        self._collection, self._folder = client.get_collection("rows", embedding_function=None), folder
        self._ask(data.questions[0], 1)

    def search(self, question: FloatArray, k: int, knob: int | None) -> npt.NDArray[np.int64]:
        """With an effort (`ef`) of `knob`."""
        if knob is not None and knob != self._effort:
            self._open_with(knob)
        return self._ask(question, k)

    def _open_with(self, effort: int) -> None:
        import chromadb

        self._collection.modify(configuration={"hnsw": {"ef_search": effort}})
        chromadb.api.client.SharedSystemClient.clear_system_cache()
        client = chromadb.PersistentClient(str(self._folder / "chroma"))
        self._collection, self._effort = client.get_collection("rows", embedding_function=None), effort

    def _ask(self, question: FloatArray, k: int) -> npt.NDArray[np.int64]:
        found = self._collection.query(query_embeddings=question[None], n_results=k, include=[])
        return np.array([int(name) for name in found["ids"][0]], dtype=np.int64)
