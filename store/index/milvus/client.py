"""Connections to Milvus, one per address and process; their errors become a `VectorServerError` of one line."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.errors import VectorServerError
from pesearch.file_lock import lock_file
from pesearch.store.catalogue.vector_backend import MilvusAddress
from pesearch.store.index.milvus.named_addresses import ensure_named, token_for

if TYPE_CHECKING:
    from pymilvus import MilvusClient

CONNECT_SECONDS = 5.0
"""Timeout of a connection."""

LOAD_SECONDS = 300.0
"""Timeout until a collection is loaded and can be searched."""

LITE_WAIT_SECONDS = 10.0
"""How long to wait until another process closes a file of Milvus Lite."""

LITE_POLL_SECONDS = 0.1
"""Interval between these attempts."""

_REMEDY = "check that it runs, or go back to FAISS with `pesearch index --vectors faiss`"


def server_version(address: MilvusAddress) -> str:
    """The version of the Milvus at an address. Raises VectorServerError when it cannot be reached."""
    with connect(address) as connection:
        return str(connection.client.get_server_version(timeout=CONNECT_SECONDS))


@contextmanager
def closing_lite(address: MilvusAddress) -> Iterator[None]:
    """Close a file of Milvus Lite at the end if it was opened inside, so that other processes can open it."""
    with _connecting:
        was_open = _key(address) in _connections
    try:
        yield
    finally:
        if address.is_lite and not was_open:
            close(address)


def close(address: MilvusAddress) -> None:
    """Close the connection, and with it a file of Milvus Lite, so that other processes can open that."""
    with _connecting:
        connection = _connections.pop(_key(address), None)
    if connection is not None:
        connection.client.close()
        if address.is_lite:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(address.uri)


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """A client, and the names of the collections that are known to be loaded."""

    client: MilvusClient
    loaded: set[str]

    def load(self, name: str) -> MilvusClient:
        """Load a collection unless it is loaded, since it cannot be searched before; returns the client."""
        if name not in self.loaded:
            self.client.load_collection(name, timeout=LOAD_SECONDS)
            self.loaded.add(name)
        return self.client


_connections: dict[tuple[int, MilvusAddress], Connection] = {}
"""By process and address: a forked process must not use the connections of its parent."""

_connecting = threading.Lock()


def _key(address: MilvusAddress) -> tuple[int, MilvusAddress]:
    return os.getpid(), address


@contextmanager
def connect(address: MilvusAddress) -> Iterator[Connection]:
    """The connection to an address that the user has named. Its errors inside become a `VectorServerError` of one line.

    Nothing is sent to an address that only a library names: that raises VectorServerError.
    """
    ensure_named(address)
    try:
        import grpc
        from pymilvus.exceptions import MilvusException
    except ImportError as error:
        raise _missing_packages() from error
    for name in ("pymilvus", "pymilvus.milvus_client", "milvus_lite"):  # they log tracebacks of errors reported here
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    connection = None
    try:
        connection = _cached_connection(address)
        yield connection
    except (MilvusException, grpc.RpcError) as error:
        if connection is not None:
            connection.loaded.clear()  # a restarted Milvus may have loaded none
        reason = " ".join(str(getattr(error, "message", "") or error).split())[:200]
        raise VectorServerError(f"{address} cannot be used ({reason}): {_REMEDY}") from error


def _cached_connection(address: MilvusAddress) -> Connection:
    with _connecting:
        cached = _connections.get(_key(address))
        if cached is None:
            client = _open_lite(address) if address.is_lite else _open_server(address)
            cached = _connections[_key(address)] = Connection(client, set())
        return cached


def _open_server(address: MilvusAddress) -> MilvusClient:
    from pymilvus import MilvusClient

    return MilvusClient(address.uri, token=token_for(address), timeout=CONNECT_SECONDS)


def _open_lite(address: MilvusAddress) -> MilvusClient:
    """Waits while another process has the file open: the error of pymilvus would not say why it cannot be opened."""
    try:
        import milvus_lite  # noqa: F401  pymilvus needs it, and its own error does not say so
    except ImportError as error:
        raise _missing_packages() from error
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    path = Path(address.uri)
    if not path.parent.is_dir():
        raise VectorServerError(f"There is no folder {path.parent} for the file of {address}: make it, or name another")
    deadline = time.monotonic() + LITE_WAIT_SECONDS
    while _is_locked(path):
        if time.monotonic() > deadline:
            raise VectorServerError(
                f"Another process has {path} open, and Milvus Lite allows one at a time: close that one, "
                "or use a Milvus server"
            )
        time.sleep(LITE_POLL_SECONDS)
    try:
        return MilvusClient(address.uri, timeout=CONNECT_SECONDS)
    except MilvusException as error:
        raise VectorServerError(
            f"{path} cannot be opened by Milvus Lite: it may be damaged or of another version. Delete it and run "
            "`pesearch gc`, which fills a new one"
        ) from error


def _is_locked(path: Path) -> bool:
    """Whether a process has the file of Milvus Lite (in fact a folder) open."""
    with suppress(FileNotFoundError, NotADirectoryError), (path / "LOCK").open("rb") as lock:
        try:
            lock_file(lock.fileno())
        except BlockingIOError:
            return True
    return False


def _missing_packages() -> VectorServerError:
    return VectorServerError("Milvus needs packages that are not installed: pip install 'pesearch[cluster]'")
