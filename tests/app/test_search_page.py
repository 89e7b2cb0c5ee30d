"""The search page in a real browser: queries, URLs, history and the list of moments."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from pesearch.store.library import Library
from tests.app.browsing import file_names, search_for, wait_until_idle
from tests.app.conftest import HOSTILE

pytestmark = pytest.mark.slow


def test_the_url_holds_the_query_and_restores_it(page: Page) -> None:
    search_for(page, "a dog barking")
    page.get_by_role("radio", name="heard", exact=True).click()
    page.wait_for_url("**sense=heard**")
    expect(page.locator(".file h3").first).to_have_text("dog_bark.mp4")
    page.goto(page.url)
    expect(page.get_by_role("searchbox")).to_have_value("a dog barking")
    expect(page.locator(".file h3").first).to_have_text("dog_bark.mp4")


def test_back_and_forward_restore_queries_and_keep_the_tray(page: Page) -> None:
    search_for(page, "heard:siren").first.get_by_role("button", name="+ Tray").click()
    expect(page.get_by_text("Tray (1)")).to_be_visible()
    search_for(page, "seen:dog")
    expect(page.locator(".file h3").first).to_have_text("dog_bark.mp4")
    page.get_by_role("button", name="Like sound").first.click()
    expect(page).to_have_url(re.compile("dog_bark"))
    bar, first = page.get_by_role("searchbox"), page.locator(".file h3").first
    page.go_back()
    expect(bar).to_have_value("seen:dog")
    expect(first).to_have_text("dog_bark.mp4")
    page.go_back()
    expect(bar).to_have_value("heard:siren")
    expect(first).to_have_text(re.compile("siren"))
    page.go_forward()
    expect(bar).to_have_value("seen:dog")
    expect(first).to_have_text("dog_bark.mp4")
    expect(page.get_by_text("Tray (1)")).to_be_visible()


def test_back_and_forward_while_sounds_are_located_show_the_query_of_the_url(page: Page) -> None:
    search_for(page, "seen:dog")
    expect(page.locator(".file h3").first).to_have_text("dog_bark.mp4")
    search_for(page, "heard:siren")
    bar, first = page.get_by_role("searchbox"), page.locator(".file h3").first
    for wait_ms in (100, 200, 300, 450):  # located sounds arrive at different points of the navigation
        page.go_back()
        expect(bar).to_have_value("seen:dog")
        expect(first).to_have_text("dog_bark.mp4")
        page.go_forward()
        expect(bar).to_have_value("heard:siren")
        expect(first).to_have_text(re.compile("siren"))
        page.wait_for_timeout(wait_ms)


def test_keys_move_between_cards_open_moments_and_fill_the_tray(page: Page) -> None:
    cards = search_for(page, "rain OR siren OR dog")
    expect(cards.first.locator(".events")).to_be_visible()
    page.locator(".results input[type=range]").focus()
    cards.first.focus()
    page.keyboard.press("j")
    expect(cards.nth(1)).to_be_focused()
    page.keyboard.press("k")
    expect(cards.first).to_be_focused()
    page.keyboard.press("t")
    expect(page.get_by_text("Tray (1)")).to_be_visible()
    cards.first.focus()
    page.keyboard.press("Enter")
    page.locator(".moment").wait_for()
    page.locator(".moment button", has_text="Play moment").focus()
    page.keyboard.press("Escape")
    expect(page.locator(".moment")).to_have_count(0)


def test_without_a_confident_match_the_closest_moments_are_shown(page: Page) -> None:
    cards = search_for(page, "a violin in a submarine")
    expect(page.locator(".results .summary")).to_have_text("No confident match")
    expect(page.locator(".results .notice")).to_have_text("Nothing is likely to match. Closest moments:")
    assert 1 <= cards.count() <= 6
    assert cards.first.locator(".score").inner_text().startswith("?")


def test_a_syntax_error_is_shown_with_its_position(page: Page) -> None:
    page.get_by_role("searchbox").fill("siren AND OR train")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("at 'OR' (character 11)")


def test_the_threshold_hides_moments_and_stays_in_the_url(page: Page) -> None:
    cards = search_for(page, "siren OR rain OR dog")
    expect(cards.first.locator(".events")).to_be_visible()
    before = cards.count()
    threshold = page.locator(".results input[type=range]")
    threshold.fill("0")
    threshold.dispatch_event("change")
    assert cards.count() > before
    expect(page).to_have_url(re.compile("level=0"))
    cards.first.get_by_role("button", name="+ Tray").click()
    expect(cards.first.get_by_role("button", name="In tray")).to_be_visible()
    assert cards.count() > before
    expect(page.locator(".histogram i.above")).to_have_count(20)
    page.goto(page.url)
    expect(page.locator(".histogram i.above")).to_have_count(20)


@pytest.mark.parametrize("folder", ["%00", "~nobody-of-that-name"])
def test_an_impossible_folder_filter_gives_one_line(tab: Page, address: str, folder: str) -> None:
    tab.goto(f"{address}/?text=train&in={folder}")
    message = tab.get_by_text(re.compile("is not a valid path|there is nothing at|Nothing in this library")).first
    expect(message).to_be_visible()
    assert tab.get_by_test_id("stException").count() == 0


def test_an_invalid_threshold_in_the_url_is_replaced_by_the_default(tab: Page, address: str) -> None:
    tab.goto(f"{address}/?text=train&level=nan")
    expect(tab.locator(".results .slider label")).to_have_text("Minimum probability: 0.50")
    assert file_names(tab)[0] == "siren_train.mp4"


def test_a_hostile_file_name_is_shown_as_text(page: Page) -> None:
    cards = search_for(page, "heard:drum")
    expect(page.locator(".file h3").first).to_have_text(HOSTILE)
    expect(cards.first.locator(".events")).to_be_visible()
    cards.first.click()
    expect(page.locator(".moment h2")).to_have_text(HOSTILE)
    page.get_by_role("button", name="+ Tray").first.click()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("onerror")
    assert page.title() != "taken"
    assert page.locator("img[src=x]").count() == 0


def test_the_command_line_uses_the_models_of_the_page(page: Page, page_library: Library) -> None:
    search_for(page, "siren and train").first.wait_for()
    wait_until_idle(page)
    command = [sys.executable, "-m", "pesearch", "query", "siren and train", "--verbose", "--json"]
    done = subprocess.run([*command, "--library", str(page_library.folder)], capture_output=True, text=True)
    assert "answered by the running page" in done.stderr
    assert json.loads(done.stdout)["moments"][0]["path"].endswith("siren_train.mp4")


def test_hiding_near_duplicates_is_kept_in_the_url(page: Page) -> None:
    search_for(page, "a dog barking")
    page.get_by_text("Hide near-duplicates").click()
    page.wait_for_url("**dedupe=true**")
    page.goto(page.url)
    expect(page.get_by_role("switch", name="Hide near-duplicates")).to_be_checked()
    expect(page.locator(".file h3").first).to_have_text("dog_bark.mp4")


def test_filters_of_recordings_are_kept_in_the_url(page: Page, address: str) -> None:
    """All are options of `pesearch query`; a wrong one says what to write."""
    page.goto(f"{address}/?text=heard:rain&fps=15&codec=mpeg4&has=audio&has=video&orientation=landscape&size=%3C720p")
    expect(page.locator(".file h3")).to_have_text(["rain_thunder.avi"])
    page.get_by_text("Filter recordings").click()
    page.get_by_label("Recorded before").fill("2020-01-01")
    page.get_by_label("Recorded before").press("Enter")
    page.wait_for_url("**before=2020-01-01**")
    expect(page.locator(".file h3")).to_have_count(0)  # the samples say nothing: their files are newer
    page.get_by_label("Near", exact=True).fill("Paris")
    page.get_by_label("Near", exact=True).press("Enter")
    expect(page.get_by_text("is not a place: write LAT,LON")).to_be_visible()
