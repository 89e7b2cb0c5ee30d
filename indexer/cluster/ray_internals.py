"""Details of Ray that it does not document and may change: everything that relies on them is here.

`tests/indexer/cluster/test_ray.py` fails when Ray changes one of them (checked with Ray 2.60).
"""

from __future__ import annotations

import os
import secrets
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from pesearch.file_owner import ROOT, current_user, is_own_or_roots

_MAX_ADDRESS_BYTES = 300

_WRITABLE_BY_OTHERS = 0o022

_LISTEN = "0A"
"""The state of a listening socket in /proc/net/tcp."""

_TOKEN_BYTES = 32


def require_token() -> None:
    """Let a Ray that this process starts refuse whoever has no token. A mode that the user has set stays, and so does a
    token.

    Ray 2.52 and later read the variables, as do the processes that they start; the mode is read on import. Without the
    token Ray 2.60 would make one, in a file that others can read.
    """
    if "ray" not in sys.modules:
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    if os.environ.get("RAY_AUTH_MODE", "token") == "token" and "RAY_AUTH_TOKEN_PATH" not in os.environ:
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(_TOKEN_BYTES))


def silence_stdout(ray: Any) -> None:
    """Keeps Ray from printing the deaths of workers to stdout, which is for data.

    `log_to_driver=False` covers the output of workers, not these errors: `listen_error_messages` always prints them,
    with the function replaced here. They are reported by the run itself.
    """
    ray._private.worker.print_to_stdstream = _ignore


def _ignore(*_: object, **__: object) -> None:
    """Takes the place of `print_to_stdstream`."""


def started_cluster() -> str | None:
    """The address, HOST:PORT, of the last cluster that this user or root started here with `ray start`; it may have
    ended since.

    What a cluster answers is unpickled, which runs code. So the file counts only if it and its folder belong to this
    user or root and only they can write to the file, and if nobody else listens at the address. Ray lets everybody
    write to the folder, where others could put an older file back: then one of the two must listen at the address.
    """
    if sys.platform == "win32":
        return None
    path = address_file()
    flags = os.O_RDONLY | os.O_NOFOLLOW
    try:
        with ExitStack() as stack:
            folder = os.open(path.parent, flags | os.O_DIRECTORY)
            stack.callback(os.close, folder)
            file = os.open(path.name, flags | os.O_NONBLOCK, dir_fd=folder)
            stack.callback(os.close, file)
            folder_status, status = os.fstat(folder), os.fstat(file)
            address = os.read(file, _MAX_ADDRESS_BYTES).decode(errors="replace").strip()
    except OSError:
        return None
    if not (is_own_or_roots(folder_status) and is_own_or_roots(status) and stat.S_ISREG(status.st_mode)):
        return None
    if status.st_mode & _WRITABLE_BY_OTHERS:
        return None
    owners = listener_owners(address)
    if not owners and folder_status.st_mode & _WRITABLE_BY_OTHERS:
        return None
    return address if owners <= {current_user(), ROOT} else None


def listener_owners(address: str) -> set[int]:
    """The user ids of the processes that listen at HOST:PORT on this machine (Linux); empty if none does."""
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        return set()
    hosts = {"0.0.0.0", "::", host.strip("[]"), f"::ffff:{host}"}
    if host == "localhost":
        hosts |= {"127.0.0.1", "::1"}
    return {uid for listening, uid in _listeners(int(port)) if listening in hosts}


def _listeners(port: int) -> Iterator[tuple[str, int]]:
    """The addresses at which somebody listens on a port, with the user id (proc_pid_net(5))."""
    for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        with suppress(OSError):
            for line in Path("/proc/net", name).read_text().splitlines()[1:]:
                _, local, _, state, _, _, _, uid, *_ = line.split()
                number, _, local_port = local.partition(":")
                if state == _LISTEN and int(local_port, 16) == port:
                    words = [int(number[start : start + 8], 16) for start in range(0, len(number), 8)]
                    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
                    yield socket.inet_ntop(family, packed), int(uid)


def address_file() -> Path:
    """The file in which `ray start` records the address, found without importing Ray: whether there is a cluster
    decides an environment variable that Ray reads on import."""
    return Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir(), "ray", "ray_current_cluster")
