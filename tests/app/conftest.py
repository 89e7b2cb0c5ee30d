"""Libraries, servers and the browser that the tests of the page share.

The browser belongs to the package, not to the session: while Playwright runs, no other test of its thread can run an
event loop. Tests in this folder that need one use `run_async`.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.progress_events import Failed
from pesearch.indexer.run import index
from pesearch.store.library import Library, create_library
from pesearch.types import MediaFile
from tests.app.big_file import make_big
from tests.app.browsing import PATIENCE_MS, launch_chromium
from tests.app.server_process import Server, running

HOSTILE = "<img src=x onerror=\"document.title='taken'\"> **b** [l](javascript:alert(1)) $x$ :smile:.mp4"
"""A file name that must be shown as text."""

PAGE_MEDIA = ("bell.mp4", "dog_bark.mp4", "engine_car.mp4", "red_ball.png", "siren_alone.wav", "siren_train.mp4")

CONVERSIONS = {
    "siren_alone.wav": ("siren_alone.wav", "-t", "3"),
    "copied.mkv": ("siren_train.mp4", "-t", "3", "-c", "copy"),
    "old.avi": ("siren_train.mp4", "-t", "3", "-c:v", "mpeg4", "-c:a", "ac3"),
    "hevc.mp4": ("siren_train.mp4", "-t", "2", "-c:v", "libx265", "-x265-params", "log-level=none", "-c:a", "copy"),
    "small.webm": ("siren_train.mp4", "-t", "1", "-c:v", "libvpx-vp9", "-c:a", "libopus"),
    "sound.opus": ("siren_alone.wav", "-t", "1", "-c:a", "libopus"),
    "sound.flac": ("siren_alone.wav", "-t", "1", "-c:a", "flac"),
    "sound.mp3": ("siren_alone.wav", "-t", "1", "-c:a", "libmp3lame"),
    "sound.wma": ("siren_alone.wav", "-t", "3", "-c:a", "wmav2"),
}
"""The files of `mixed_library` by name: their source and the options of FFmpeg."""


@pytest.fixture(scope="session")
def run_async() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """`asyncio.run` in a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        yield lambda coroutine: thread.submit(asyncio.run, coroutine).result()


def convert(source: Path, *options: str | Path) -> None:
    """Run FFmpeg on one file; the last option is the target."""
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", source, *options], check=True)


@pytest.fixture(scope="session")
def page_media(sample_media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sample media: one with a hostile name, one that browsers cannot play, one that is damaged, and one
    with a sidecar that has no subtitles."""
    folder = tmp_path_factory.mktemp("page_media")
    for name in PAGE_MEDIA:
        shutil.copy(sample_media / name, folder)
    shutil.copy(sample_media / "drum.mp4", folder / HOSTILE)
    convert(sample_media / "rain_thunder.mp4", "-t", "4", "-c:v", "mpeg4", "-c:a", "ac3", folder / "rain_thunder.avi")
    (folder / "siren_train.srt").write_text("<b>no</b> subtitles")
    (folder / "damaged.mp4").write_bytes((folder / "bell.mp4").read_bytes()[:400])
    return folder


@pytest.fixture(scope="session")
def page_library(page_media: Path, starter: ModelSet, tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = create_library(tmp_path_factory.mktemp("page_library"), starter.name, starter.spaces)
    failed = [outcome for outcome in index([page_media], library, starter) if isinstance(outcome, Failed)]
    assert len(failed) == 1
    return library


@pytest.fixture(scope="session")
def page_server(page_library: Library) -> Iterator[Server]:
    """The server that the tests with a browser share. It needs no token and listens on 127.0.0.1."""
    with running(page_library.folder, "--no-token") as server:
        yield server


@pytest.fixture
def address(page_server: Server) -> str:
    return page_server.address


@pytest.fixture(scope="session")
def mixed_library(starter: ModelSet, sample_media: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library of files that browsers can play and of some that they cannot, and one of 2 GB."""
    folder = tmp_path_factory.mktemp("mixed")
    for name in ("siren_train.mp4", "red_ball.png"):
        shutil.copy(sample_media / name, folder)
    shutil.copy(sample_media / "bell.mp4", folder / "page.html")
    for name, (source, *options) in CONVERSIONS.items():
        convert(sample_media / source, *options, folder / name)
    make_big(sample_media / "dog_bark.mp4", folder / "big.mp4")
    library = create_library(tmp_path_factory.mktemp("mixed_library"), starter.name, starter.spaces)
    assert not [outcome for outcome in index([folder], library, starter) if isinstance(outcome, Failed)]
    return library


@pytest.fixture(scope="session")
def files(mixed_library: Library) -> dict[str, MediaFile]:
    return {file.path.name: file for file in mixed_library.files()}


@pytest.fixture(scope="session")
def server(mixed_library: Library) -> Iterator[Server]:
    with running(mixed_library.folder, "--no-token") as server:
        yield server


@pytest.fixture(scope="package")
def browser(sample_media: Path) -> Iterator[Browser]:
    """Chromium; its microphone plays a siren."""
    sound = sample_media / "siren_alone.wav"
    expect.set_options(timeout=PATIENCE_MS)
    with (
        sync_playwright() as playwright,
        launch_chromium(playwright, f"--use-file-for-fake-audio-capture={sound}") as started,
    ):
        yield started


@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One cache for all pages: a first load of Streamlit takes seconds."""
    permissions = ["microphone", "clipboard-read", "clipboard-write"]
    with browser.new_context(viewport={"width": 1280, "height": 900}, permissions=permissions) as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context


@dataclass(slots=True)
class _Tab:
    """A page that several tests use one after the other, and what it did since the last one began."""

    page: Page
    urls: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.urls.append(request.url))
        self.page.on("websocket", lambda socket: self.urls.append(socket.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))


@pytest.fixture(scope="package")
def shared_tab(context: BrowserContext) -> _Tab:
    """A tab that is loaded already loads a page again in half the time."""
    return _Tab(context.new_page())


@pytest.fixture
def tab(shared_tab: _Tab, address: str) -> Iterator[Page]:
    """A tab for one test, which opens an address itself. It may request nothing from elsewhere and raise no error."""
    shared_tab.urls.clear()
    shared_tab.errors.clear()
    shared_tab.page.mouse.move(0, 0)
    yield shared_tab.page
    shared_tab.page.unroute_all(behavior="wait")
    ours = (f"{address}/", f"{address.replace('http', 'ws', 1)}/", "data:", "blob:")
    assert [url for url in shared_tab.urls if not url.startswith(ours)] == []
    assert shared_tab.errors == []


@pytest.fixture
def page(tab: Page, address: str) -> Page:
    """The search page, just opened."""
    tab.goto(address)
    tab.get_by_role("searchbox").wait_for()
    return tab
