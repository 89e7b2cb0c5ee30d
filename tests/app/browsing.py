"""A real server and a real browser for the tests of the page."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, Playwright

START_SECONDS = 120

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running_page(library: Path) -> Iterator[str]:
    """The address of a running `pesearch app` over a library."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = ["app", "--no-browser", "--port", str(port), "--library", str(library)]
    process = subprocess.Popen(
        [sys.executable, "-m", "pesearch", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
    )
    try:
        _wait_for(f"{address}/_stcore/health", process)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"no page at {address} (exit code {process.returncode})")


def launched(playwright: Playwright, *more: str) -> Browser:
    """Debian's Chromium, with what it would say to the network switched off."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *more])


def asked(page: Page, text: str) -> Locator:
    """Type a question, and wait for the moments: the cards of the results."""
    bar = page.get_by_role("searchbox")
    bar.fill(text)
    bar.press("Enter")
    told = page.locator(".results .told")
    told.wait_for()
    return page.locator(".card")


def names(page: Page) -> list[str]:
    """The names of the files that are listed."""
    return page.locator(".file h3").all_text_contents()
