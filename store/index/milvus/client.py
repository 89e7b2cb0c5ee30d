"""Connections to a Milvus, one for each address and process, and what goes wrong with them, each in one line."""

from __future__ import annotations

import fcntl
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
from pesearch.store.catalogue.vector_backend import TOKEN_VARIABLE, MilvusAddress

if TYPE_CHECKING:
    from pymilvus import MilvusClient

CONNECT_SECONDS, LOAD_SECONDS = 5.0, 300.0
"""How long is waited for a connection, and until a collection is ready to be searched."""

LITE_WAIT_SECONDS = 10.0
"""How long is waited until another process is done with a file of Milvus Lite."""

_WAYS_OUT = "see that it runs, or search here again with `pesearch index --vectors faiss`"


def reach(address: MilvusAddress) -> str:
    """The version of the Milvus at an address. `VectorServerError` when there is none."""
    with asked(address) as connected:
        return str(connected.client.get_server_version(timeout=CONNECT_SECONDS))


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
class Connected:
    """A client, and the names of the collections that it knows to be loaded."""

    client: MilvusClient
    loaded: set[str]

    def loading(self, name: str) -> MilvusClient:
        """The client, after a collection was loaded once: one that was not cannot be searched."""
        if name not in self.loaded:
            self.client.load_collection(name, timeout=LOAD_SECONDS)
            self.loaded.add(name)
        return self.client


_connections: dict[tuple[int, MilvusAddress], Connected] = {}
"""By process and address: a process that was forked has none."""

_connecting = threading.Lock()


def _key(address: MilvusAddress) -> tuple[int, MilvusAddress]:
    return os.getpid(), address


@contextmanager
def asked(address: MilvusAddress) -> Iterator[Connected]:
    """The connection to an address. What goes wrong with it is a `VectorServerError`, in one line."""
    try:
        import grpc
        from pymilvus.exceptions import MilvusException
    except ImportError as error:
        raise _lacking() from error
    for name in ("pymilvus", "pymilvus.milvus_client", "milvus_lite"):  # they log tracebacks of what is told here
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    connected = None
    try:
        connected = _connection(address)
        yield connected
    except (MilvusException, grpc.RpcError) as error:
        if connected is not None:
            connected.loaded.clear()  # a Milvus that was started again may know of none
        reason = " ".join(str(getattr(error, "message", "") or error).split())[:200]
        raise VectorServerError(f"{address} cannot be used ({reason}): {_WAYS_OUT}") from error


def _connection(address: MilvusAddress) -> Connected:
    with _connecting:
        held = _connections.get(_key(address))
        if held is None:
            client = _open_lite(address) if address.is_lite else _connect(address)
            held = _connections[_key(address)] = Connected(client, set())
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
