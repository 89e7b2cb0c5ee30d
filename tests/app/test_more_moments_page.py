"""A result with more moments than one page shows, in a library that grows at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from pesearch.app.controls import MOMENTS_PER_PAGE
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.run import index
from pesearch.store.library import Library
from tests.app.browsing import wait_until_idle

pytestmark = pytest.mark.slow

STILLS = 2 * MOMENTS_PER_PAGE + 1


def make_still(folder: Path, number: int) -> Path:
    path = folder / f"{number}.png"
    pixels = np.random.default_rng(number).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def stills(page_library: Library, starter: ModelSet, tmp_path: Path) -> Iterator[Path]:
    """A folder of stills in the library of the page, which no longer has them afterwards."""
    for number in range(STILLS):
        make_still(tmp_path, number)
    for _ in index([tmp_path], page_library, starter):
        pass
    yield tmp_path
    with page_library.writer() as writer:
        writer.remove(file.id for file in page_library.files() if file.path.parent == tmp_path)


def test_more_moments_are_added_and_the_open_one_stays(
    tab: Page, address: str, stills: Path, page_library: Library, starter: ModelSet
) -> None:
    tab.goto(f"{address}/?text=seen:noise&level=0&in={stills}")
    cards, more = tab.locator(".card"), tab.get_by_role("button", name="More moments")
    summary = tab.locator(".threshold .summary")
    expect(cards).to_have_count(MOMENTS_PER_PAGE)
    expect(summary).to_have_text(f"{MOMENTS_PER_PAGE}+ moments")
    cards.first.click()
    name = tab.locator(".moment h2").text_content()
    more.click()
    expect(cards).to_have_count(2 * MOMENTS_PER_PAGE)
    more.click()
    expect(cards).to_have_count(STILLS)
    expect(summary).to_have_text(f"{STILLS} moments")
    expect(more).to_have_count(0)
    for _ in index([make_still(stills, STILLS)], page_library, starter):
        pass
    tab.get_by_role("button", name="+ Tray").last.click()
    expect(cards).to_have_count(STILLS + 1)
    wait_until_idle(tab)
    assert tab.locator(".moment h2").text_content() == name
