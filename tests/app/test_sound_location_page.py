"""The page while sounds are located: results appear first, and are replaced when the sounds are known."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.sync_api import Page, Route, expect

from pesearch.app.results import PREFETCHED_MOMENTS
from pesearch.store.library import Library
from tests.app.browsing import search_for, wait_until, wait_until_idle

pytestmark = pytest.mark.slow

RECORD_SUMMARIES = """() => {
    window.summaries = new Set();
    const look = () => {
        for (const element of document.querySelectorAll("*"))
            window.summaries.add(element.shadowRoot?.querySelector(".threshold .summary")?.textContent);
        requestAnimationFrame(look);
    };
    look();
}"""
"""Collects in `window.summaries` every text shown above the moments."""

RECORD_ORDERS = """(query) => {
    window.orders = new Set();
    const look = () => {
        for (const element of document.querySelectorAll("*")) {
            const results = element.shadowRoot?.querySelector(`.results[data-query="${query}"]`);
            const names = [...(results?.querySelectorAll(".file h3") ?? [])].map((name) => name.textContent);
            if (names.length) window.orders.add(names.join());
        }
        requestAnimationFrame(look);
    };
    look();
}"""
"""Collects in `window.orders` every order of the files found by a query."""


def test_the_first_pictures_are_made_before_the_page_requests_them(page: Page, page_library: Library) -> None:
    thumbnails = page_library.folder / "thumbnails"
    shutil.rmtree(thumbnails, ignore_errors=True)
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.abort()

    page.route("**/thumb/**", refuse)
    shown = search_for(page, "seen:train").count()
    wait_until(page, lambda: len(list(thumbnails.glob("*.jpg"))) == min(shown, PREFETCHED_MOMENTS))
    wait_until_idle(page)
    requested = [re.search(r"/(\d+)\.jpg\?v=(\w+)&width=(\d+)", url) for url in refused]
    pictures = {(found[2], found[1], found[3]) for found in requested if found}
    names = (path.stem.split("-") for path in thumbnails.glob("*.jpg"))
    assert {(fingerprint[:12], at_ms, width) for fingerprint, at_ms, width in names} <= pictures


def test_the_page_says_that_it_locates_sounds(page: Page) -> None:
    search_for(page, "seen:bell")
    page.evaluate(RECORD_SUMMARIES)
    search_for(page, "heard:bell")
    expect(page.locator(".card").first.locator(".events")).to_be_visible()
    expect(page.locator(".threshold .summary")).to_have_text(re.compile(r"^\d+ moments?$"))
    search_for(page, "seen:dog")
    expect(page.locator(".file h3").first).to_have_text("dog_bark.mp4")
    summaries = page.evaluate("() => [...window.summaries].filter((text) => text)")
    assert [text for text in summaries if re.fullmatch(r"\d+ moments? · locating sounds", text)]


def test_no_click_is_lost_while_sounds_are_located(page: Page) -> None:
    search_for(page, "rain OR siren OR dog")
    for number in range(3):
        page.locator(".card").nth(number).get_by_role("button", name="Tray").click()
    expect(page.get_by_text("Tray (3)")).to_be_visible()
    wait_until_idle(page)
    expect(page.locator(".card .actions button.in")).to_have_count(3)
    search_for(page, "a siren")
    page.locator('.results[data-query="a siren"] .card').first.get_by_role("button", name="Play").click()
    expect(page.locator(".moment h2")).to_contain_text("siren")
    wait_until_idle(page)
    expect(page.locator(".moment")).to_have_count(1)
    expect(page.get_by_text("Tray (3)")).to_be_visible()


def test_files_keep_their_order_while_the_pointer_is_over_them(page: Page) -> None:
    """That of the first results, which a busy browser may skip."""
    query = "bell OR heard:train"
    search_for(page, "seen:bell").first.hover()
    page.evaluate(RECORD_ORDERS, query)
    search_for(page, query)
    page.locator(f'.results[data-query="{query}"] .card .events').first.wait_for()
    assert page.evaluate("() => [...window.orders]") in (["siren_train.mp4,bell.mp4"], ["bell.mp4,siren_train.mp4"])
    page.mouse.move(0, 0)
    expect(page.locator(".file h3").first).to_have_text("bell.mp4")  # it is heard all along


def test_a_moment_opened_while_sounds_are_located_becomes_exact(page: Page) -> None:
    """Each click starts a rerun, which overtakes the one that waits for the sounds."""
    for query in ("heard:siren heard:train", "heard:train heard:siren"):
        search_for(page, query)
        card = page.locator(f'.results[data-query="{query}"] .card').first
        card.get_by_role("button", name="Tray").click()
        card.locator(".strip").click()
        expect(page.locator(".moment")).to_contain_text("00:00.6-00:05.6")
        expect(card).to_contain_text("00:00.6-00:05.6")


def test_a_press_during_which_the_list_changes_is_a_click(page: Page) -> None:
    search_for(page, "dog OR siren").first.get_by_role("button", name="+ Tray").hover()
    page.mouse.down()
    wait_until_idle(page)
    page.mouse.up()
    expect(page.get_by_text("Tray (1)")).to_be_visible()
    expect(page.locator(".card").first.locator(".events")).to_be_visible()  # rendered after the release
