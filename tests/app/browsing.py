"""A real browser for the tests of the page."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Browser, Locator, Page, Playwright

PATIENCE_MS = 60_000
"""The timeout for anything the page should show: generous, because test machines are busy."""

CHROMIUM = "/usr/bin/chromium"

CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
"""No sandbox (tests may run as root), no network access of its own, and a fake microphone."""


def launch_chromium(playwright: Playwright, *options: str) -> Browser:
    """Debian's Chromium."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*CHROMIUM_OPTIONS, *options])


def search_for(page: Page, query: str) -> Locator:
    """Type a query, and wait for its results: the cards, of which there may be none."""
    bar = page.get_by_role("searchbox")
    bar.fill(query)
    bar.press("Enter")
    page.locator(".results .summary").wait_for()
    return page.locator(".card")


def wait_until_idle(page: Page) -> None:
    """Wait until no script of the page runs, so that all sounds are located."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    """Wait for something outside the page, while the page goes on."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not condition():
        assert time.monotonic() < end
        page.wait_for_timeout(50)


def file_names(page: Page) -> list[str]:
    """The names of the files in the results, in order."""
    return page.locator(".file h3").all_text_contents()
