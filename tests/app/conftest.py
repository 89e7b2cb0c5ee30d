"""A running `pesearch app`, over a library of what browsers can play and what they cannot."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.progress_events import Failed
from pesearch.indexer.run import index
from pesearch.store.library import Library, create_library
from pesearch.types import MediaFile
from tests.app.big_file import make_big
from tests.app.browsing import PATIENCE_MS, launched

CONVERSIONS = {
    "copied.mkv": ("siren_train.mp4", "-c", "copy"),
    "old.avi": ("siren_train.mp4", "-t", "3", "-c:v", "mpeg4", "-c:a", "ac3"),
    "hevc.mp4": ("siren_train.mp4", "-t", "2", "-c:v", "libx265", "-x265-params", "log-level=none", "-c:a", "copy"),
    "small.webm": ("siren_train.mp4", "-t", "1", "-c:v", "libvpx-vp9", "-c:a", "libopus"),
    "sound.opus": ("siren_alone.wav", "-c:a", "libopus"),
    "sound.flac": ("siren_alone.wav", "-c:a", "flac"),
    "sound.mp3": ("siren_alone.wav", "-c:a", "libmp3lame"),
    "sound.wma": ("siren_alone.wav", "-c:a", "wmav2"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered; the names of headers in small letters."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Server:
    """A running `pesearch app`."""

    address: str
    port: int
    pid: int

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """The answer to one request, without following where it leads."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.address + path, headers=named, method=method)
        try:
            with _OPENER.open(request, timeout=60) as response:
                return Answer(response.status, response.read(), _small(response.headers.items()))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read(), _small(error.headers.items()))

    def memory_bytes(self) -> int:
        """What the process has in memory."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS"))


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)


def _small(headers: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def app_command(folder: Path, port: int, *options: str) -> list[str]:
    command = [sys.executable, "-m", "pesearch", "app", "--no-browser", "--port", str(port), "--library", str(folder)]
    return [*command, *options]


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Server]:
    """`pesearch app` while it is needed."""
    port = free_port()
    with subprocess.Popen(app_command(folder, port, *options), stderr=subprocess.DEVNULL) as process:
        server = Server(f"http://127.0.0.1:{port}", port, process.pid)
        try:
            for _ in range(240):
                try:
                    server.get("/_stcore/health")
                    break
                except OSError:
                    assert process.poll() is None
                    time.sleep(0.25)
            yield server
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="session")
def mixed_library(starter: ModelSet, sample_media: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library of files that browsers can play and of some that they cannot, and one of 2 GB."""
    folder = tmp_path_factory.mktemp("mixed")
    for name in ("siren_train.mp4", "siren_alone.wav", "red_ball.png"):
        shutil.copy(sample_media / name, folder)
    shutil.copy(sample_media / "bell.mp4", folder / "page.html")
    for name, (source, *options) in CONVERSIONS.items():
        command: list[str | Path] = [
            "ffmpeg",
            "-v",
            "error",
            "-nostdin",
            "-i",
            sample_media / source,
            *options,
            folder / name,
        ]
        subprocess.run(command, check=True)
    make_big(sample_media / "dog_bark.mp4", folder / "big.mp4")
    library = create_library(tmp_path_factory.mktemp("mixed_library"), starter.name, starter.spaces)
    assert not [outcome for outcome in index([folder], library, starter) if isinstance(outcome, Failed)]
    return library


@pytest.fixture(scope="session")
def files(mixed_library: Library) -> dict[str, MediaFile]:
    return {file.path.name: file for file in mixed_library.files()}


@pytest.fixture(scope="session")
def server(mixed_library: Library) -> Iterator[Server]:
    os.environ.pop("PESEARCH_TOKEN", None)
    with running(mixed_library.folder) as server:
        yield server


@pytest.fixture(scope="module")
def browser(sample_media: Path) -> Iterator[Browser]:
    """Chromium, whose microphone hears a siren."""
    heard = sample_media / "siren_alone.wav"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright, launched(playwright, f"--use-file-for-fake-audio-capture={heard}") as started:
        yield started
