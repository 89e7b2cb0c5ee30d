"""Collections on a Milvus: the only file that knows its client. A cluster and Milvus Lite are asked in the same way.

What is asked is plain: 32-bit vectors and the inner product, because Milvus Lite has no 16-bit ones; an id, and three
numbers beside each vector. Scores are not used: what is found is a shortlist, and the shards give the scores.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pesearch.errors import VectorServerError
from pesearch.store.layout import Numbers
from pesearch.store.milvus_address import TOKEN_VARIABLE, MilvusAddress
from pesearch.types import FloatArray, HalfArray, SegmentArray

if TYPE_CHECKING:
    from pymilvus import MilvusClient

CONNECT_SECONDS, ANSWER_SECONDS, CHANGE_SECONDS = 5.0, 20.0, 300.0
"""How long is waited for a connection, for an answer, and for a change of a collection."""

LITE_WAIT_SECONDS = 10.0
"""How long is waited until another process is done with a file of Milvus Lite."""

MESSAGE_BYTES = 16 << 20
"""So many bytes of vectors are sent at a time: Milvus takes four times as many."""

MOST_HITS = 16_384
"""Milvus finds no more than so many rows at once."""

LISTS = 1024
"""Lists of an IVF index, in each of a collection's segments: twice the root of the 262,144 rows of 1024 numbers that
fill one of 1 GiB. Milvus takes fewer where there are fewer rows."""


class IndexKind(StrEnum):
    """How Milvus searches a collection: all of it, or by inverted lists of 8-bit numbers."""

    FLAT = "FLAT"
    LISTS = "IVF_SQ8"


@dataclass(frozen=True, slots=True)
class MilvusCollection:
    """A collection of vectors [dim]. Every method raises `VectorServerError`."""

    address: MilvusAddress
    name: str
    dim: int

    def create(self, kind: IndexKind) -> None:
        """Make it anew and empty, whatever was there."""
        with _asked(self.address) as connected:
            from pymilvus import DataType, MilvusClient

            client = connected.client
            client.drop_collection(self.name, timeout=CHANGE_SECONDS)
            connected.loaded.discard(self.name)
            schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("id", DataType.INT64, is_primary=True)
            schema.add_field("file_id", DataType.INT64)
            schema.add_field("start_seconds", DataType.DOUBLE)
            schema.add_field("end_seconds", DataType.DOUBLE)
            schema.add_field("vector", DataType.FLOAT_VECTOR, dim=self.dim)
            indexes = MilvusClient.prepare_index_params()
            params = {"nlist": LISTS} if kind is IndexKind.LISTS else {}
            indexes.add_index("vector", index_type=kind.value, metric_type="IP", params=params)
            indexes.add_index("file_id", index_type="INVERTED")
            client.create_collection(self.name, schema=schema, consistency_level="Bounded", timeout=CHANGE_SECONDS)
            # It is empty: to wait for its indexes would only take time, half a second for each.
            client.create_index(self.name, indexes, sync=False, timeout=CHANGE_SECONDS)

    def drop(self) -> None:
        """Leave nothing of it."""
        with _asked(self.address) as connected:
            connected.client.drop_collection(self.name, timeout=CHANGE_SECONDS)
            connected.loaded.discard(self.name)

    def rows(self) -> int | None:
        """How many rows it has, all that was written counted; None when it is not there."""
        with _asked(self.address) as connected:
            if not connected.client.has_collection(self.name, timeout=ANSWER_SECONDS):
                return None
            counted = connected.loading(self.name).query(
                self.name,
                filter="",
                output_fields=["count(*)"],
                consistency_level="Strong",
                timeout=CHANGE_SECONDS,
            )
            return int(counted[0]["count(*)"])

    def insert(self, ids: Numbers, file_ids: Numbers, segments: SegmentArray, vectors: HalfArray) -> None:
        """Add rows: ids and file_ids int64 [n], segments in seconds [n, 2], vectors float16 [n, dim]."""
        with _asked(self.address) as connected:
            step = max(1, MESSAGE_BYTES // (4 * self.dim))
            for start in range(0, len(ids), step):
                some = slice(start, start + step)
                columns = zip(
                    ids[some].tolist(),
                    file_ids[some].tolist(),
                    segments[some].tolist(),
                    vectors[some].astype(np.float32),
                    strict=True,
                )
                rows = [
                    {"id": row, "file_id": file_id, "start_seconds": start, "end_seconds": end, "vector": vector}
                    for row, file_id, (start, end), vector in columns
                ]
                connected.client.insert(self.name, rows, timeout=CHANGE_SECONDS)

    def delete(self, file_ids: Sequence[int]) -> None:
        """Take out the rows of files."""
        with _asked(self.address) as connected:
            client = connected.loading(self.name)
            for start in range(0, len(file_ids), MOST_HITS):
                some = list(file_ids[start : start + MOST_HITS])
                client.delete(self.name, filter=f"file_id in {some}", timeout=CHANGE_SECONDS)

    def flush(self) -> None:
        """Bring what was added to the disk, and under the index."""
        with _asked(self.address) as connected:
            connected.client.flush(self.name, timeout=CHANGE_SECONDS)

    def nearest(
        self, queries: FloatArray, length: int, expression: str, probed_share: float, *, see_all: bool
    ) -> Numbers:
        """The ids int64 [q, length] of about the best rows for each query, -1 where none, where `expression` holds.

        Of an index of lists a search looks into `probed_share`. With `see_all` it waits for all that was written
        before.
        """
        with _asked(self.address) as connected:
            found = connected.loading(self.name).search(
                self.name,
                data=list(queries),
                limit=length,
                filter=expression,
                output_fields=["id"],  # else Milvus Lite sends the vectors too
                search_params={"metric_type": "IP", "params": {"nprobe": ceil(probed_share * LISTS)}},
                consistency_level="Strong" if see_all else "Bounded",
                timeout=ANSWER_SECONDS,
            )
        ids = np.full((len(queries), length), -1, dtype=np.int64)
        for row, hits in zip(ids, found, strict=True):
            row[: len(hits)] = [hit["id"] for hit in hits]
        return ids


def reach(address: MilvusAddress) -> str:
    """The version of the Milvus at an address. `VectorServerError` when there is none."""
    with _asked(address) as connected:
        return str(connected.client.get_server_version(timeout=ANSWER_SECONDS))


@contextmanager
def in_passing(address: MilvusAddress) -> Iterator[None]:
    """A file of Milvus Lite that this process opens inside is closed after it, for others to open."""
    with _connecting:
        was_open = _key(address) in _connections
    try:
        yield
    finally:
        if address.is_lite and not was_open:
            close(address)


def close(address: MilvusAddress) -> None:
    """Leave a Milvus; a file of Milvus Lite is then for other processes to open."""
    with _connecting:
        connected = _connections.pop(_key(address), None)
    if connected is not None:
        connected.client.close()
        if address.is_lite:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(address.uri)


@dataclass(frozen=True, slots=True, eq=False)
class _Connected:
    client: MilvusClient
    loaded: set[str]

    def loading(self, name: str) -> MilvusClient:
        """The client, after a collection was loaded once: one that was not cannot be searched."""
        if name not in self.loaded:
            self.client.load_collection(name, timeout=CHANGE_SECONDS)
            self.loaded.add(name)
        return self.client


_connections: dict[tuple[int, MilvusAddress], _Connected] = {}
"""By process and address: a process that was forked has none."""

_connecting = threading.Lock()


def _key(address: MilvusAddress) -> tuple[int, MilvusAddress]:
    return os.getpid(), address


@contextmanager
def _asked(address: MilvusAddress) -> Iterator[_Connected]:
    """The connection to an address. What goes wrong with it is a `VectorServerError`, in one line."""
    try:
        import grpc
        from pymilvus.exceptions import MilvusException
    except ImportError as error:
        raise _lacking() from error
    for name in ("pymilvus", "pymilvus.milvus_client", "milvus_lite"):  # they log tracebacks of what is told here
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield _connection(address)
    except (MilvusException, grpc.RpcError) as error:
        reason = " ".join(str(getattr(error, "message", "") or error).split())[:200]
        raise VectorServerError(f"{address} does not do what it is asked ({reason}): {_WAYS_OUT}") from error


_WAYS_OUT = "see that it runs, or search here again with `pesearch index --vectors faiss`"


def _connection(address: MilvusAddress) -> _Connected:
    with _connecting:
        held = _connections.get(_key(address))
        if held is None:
            client = _open_lite(address) if address.is_lite else _connect(address)
            held = _connections[_key(address)] = _Connected(client, set())
        return held


def _connect(address: MilvusAddress) -> MilvusClient:
    from pymilvus import MilvusClient

    return MilvusClient(address.uri, token=os.environ.get(TOKEN_VARIABLE, ""), timeout=CONNECT_SECONDS)


def _open_lite(address: MilvusAddress) -> MilvusClient:
    """Waits a while for another process that has the file. The client itself does not say why it cannot be opened."""
    try:
        import milvus_lite  # noqa: F401  the client needs it, and tells it badly
    except ImportError as error:
        raise _lacking() from error
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    path = Path(address.uri)
    if not path.parent.is_dir():
        raise VectorServerError(f"There is no folder {path.parent} for the file of {address}: make it, or name another")
    give_up = time.monotonic() + LITE_WAIT_SECONDS
    while _is_locked(path):
        if time.monotonic() > give_up:
            raise VectorServerError(
                f"Another process has {path} open, and of Milvus Lite one at a time can: close that one, "
                "or use a Milvus server (docs/milvus.md)"
            )
        time.sleep(0.1)
    try:
        return MilvusClient(address.uri, timeout=CONNECT_SECONDS)
    except MilvusException as error:
        raise VectorServerError(
            f"{path} cannot be opened by Milvus Lite: it may be damaged, or of another version. Delete it and run "
            "`pesearch gc`, which fills a new one"
        ) from error


def _is_locked(path: Path) -> bool:
    """Whether a process has the file of Milvus Lite, which is a folder, open."""
    with suppress(FileNotFoundError, NotADirectoryError), (path / "LOCK").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lacking() -> VectorServerError:
    return VectorServerError("Vectors on Milvus need packages that are not here: pip install 'pesearch[cluster]'")
