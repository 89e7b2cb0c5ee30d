"""A real browser for the tests of the page."""

from __future__ import annotations

import time
from collections.abc import Callable

from playwright.sync_api import Browser, Locator, Page, Playwright

PATIENCE_MS = 60_000
"""So long is waited for what the page should show: on a busy machine it takes its time."""

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


def at_rest(page: Page) -> None:
    """Wait until the page is laid out and everything is located."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait for what the page does not show, while it goes on."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not holds():
        assert time.monotonic() < end
        page.wait_for_timeout(50)


def names(page: Page) -> list[str]:
    """The names of the files that are listed."""
    return page.locator(".file h3").all_text_contents()
