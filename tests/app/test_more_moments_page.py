"""A result with more moments than one page shows, in a library that grows at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from pesearch.app.controls import MOMENTS_PER_PAGE
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.run import index
from pesearch.store.library import Library, create_library
from tests.app.browsing import PATIENCE_MS, wait_until_idle
from tests.app.server_process import running

pytestmark = pytest.mark.slow

STILLS = 2 * MOMENTS_PER_PAGE + 1


def make_still(folder: Path, number: int) -> Path:
    path = folder / f"{number}.png"
    pixels = np.random.default_rng(number).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def library(starter: ModelSet, tmp_path: Path) -> Library:
    for number in range(STILLS):
        make_still(tmp_path, number)
    library = create_library(tmp_path / "library", starter.name, starter.spaces)
    for _ in index([tmp_path], library, starter):
        pass
    return library


@pytest.fixture
def page(browser: Browser, library: Library) -> Iterator[Page]:
    with running(library.folder) as server:
        opened = browser.new_page()
        opened.set_default_timeout(PATIENCE_MS)
        opened.goto(f"{server.address}/?text=seen:noise&level=0")
        yield opened
        opened.close()


def test_more_moments_are_added_and_the_open_one_stays(
    page: Page, library: Library, starter: ModelSet, tmp_path: Path
) -> None:
    cards, more = page.locator(".card"), page.get_by_role("button", name="More moments")
    summary = page.locator(".threshold .summary")
    expect(cards).to_have_count(MOMENTS_PER_PAGE)
    expect(summary).to_have_text(f"{MOMENTS_PER_PAGE}+ moments")
    cards.first.click()
    name = page.locator(".moment h2").text_content()
    more.click()
    expect(cards).to_have_count(2 * MOMENTS_PER_PAGE)
    more.click()
    expect(cards).to_have_count(STILLS)
    expect(summary).to_have_text(f"{STILLS} moments")
    expect(more).to_have_count(0)
    for _ in index([make_still(tmp_path, STILLS)], library, starter):
        pass
    page.get_by_role("button", name="+ Tray").last.click()
    expect(cards).to_have_count(STILLS + 1)
    wait_until_idle(page)
    assert page.locator(".moment h2").text_content() == name
