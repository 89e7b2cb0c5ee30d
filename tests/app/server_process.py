"""A running `pesearch app` or `pesearch serve`, and requests to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; the names of headers are in lower case."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    address: str
    port: int
    pid: int

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """The response to one request; redirects are not followed. `_` in the names of headers stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.address + path, headers=named, method=method)
        try:
            with _OPENER.open(request, timeout=60) as response:
                return Answer(response.status, response.read(), _lower(response.headers.items()))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read(), _lower(error.headers.items()))

    def memory_bytes(self) -> int:
        """The resident memory of the process."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS"))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def _lower(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def app_command(library: Path, port: int, *options: str) -> list[str]:
    command = [sys.executable, "-m", "pesearch", "app", "--no-browser", "--port", str(port), "--library", str(library)]
    return [*command, *options]


def serve_command(library: Path, port: int, *options: str) -> list[str]:
    return [sys.executable, "-m", "pesearch", "serve", "--port", str(port), "--library", str(library), *options]


@contextmanager
def running(library: Path, *options: str, command_of: Callable[..., list[str]] = app_command) -> Iterator[Server]:
    """`pesearch app` for a library, or another server, as soon as it answers."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "PESEARCH_TOKEN"}
    command = command_of(library, port, *options)
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as process:
        server = Server(f"http://127.0.0.1:{port}", port, process.pid)
        try:
            wait_for_answer(process, server)
            yield server
        finally:
            process.terminate()
            process.wait(20)


def wait_for_answer(process: subprocess.Popen[Any], server: Server) -> None:
    """Wait until a server that was just started answers."""
    end = time.monotonic() + START_SECONDS
    while not _answers(server):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)


def _answers(server: Server) -> bool:
    try:
        server.get("/_stcore/health")
    except OSError:
        return False
    return True
