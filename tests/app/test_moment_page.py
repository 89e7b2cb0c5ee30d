"""An open moment in a real browser: its player, its timeline, its picture while the file is missing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pesearch.store.library import Library
from tests.app.browsing import file_names, search_for

pytestmark = pytest.mark.slow

START_OF_PLAYED_RANGE = "video => video.played.start(video.played.length - 1)"
"""A browser may show the first frame of the file before it seeks, which counts as a played range of its own."""

PLAYS_AT_A_QUARTER = "video => !video.paused && video.currentTime >= 1.4 && video.currentTime < 2.5"
"""Of a video of six seconds."""

IS_SHOWN = "image => image.complete && image.naturalWidth > 0"


def test_a_moment_is_played_from_its_start_to_its_end_and_the_timeline_jumps(page: Page) -> None:
    cards = search_for(page, "heard:siren heard:train")
    expect(cards.first.locator(".events")).to_contain_text("siren")
    assert file_names(page)[0] == "siren_train.mp4"
    cards.first.locator(".strip img").first.wait_for()
    cards.first.get_by_role("button", name="Play").click()
    expect(page.locator(".moment .remarks")).to_have_text("siren_train.srt: contains no subtitles")
    video = page.locator(".moment video")
    video.wait_for()
    page.wait_for_function("video => video.currentTime > 1.0", arg=video.element_handle())
    assert 0.3 <= video.evaluate(START_OF_PLAYED_RANGE) <= 0.9  # the siren begins at 0.6
    video.evaluate("video => { video.currentTime = 5.1 }")
    page.wait_for_function("video => video.paused", arg=video.element_handle())
    assert 5.3 <= video.evaluate("video => video.currentTime") <= 6.0  # the train ends at 5.6
    expect(page.locator(".moment .timeline")).to_contain_text("heard")
    expect(page.locator(".moment .timeline")).to_contain_text("train")
    assert page.locator(".moment .ticks span").all_text_contents() == [f"00:0{second}" for second in range(7)]
    lane = page.locator(".moment .row").first.bounding_box()
    assert lane is not None
    page.mouse.click(lane["x"] + lane["width"] * 0.25, lane["y"] + lane["height"] / 2)
    page.wait_for_function(PLAYS_AT_A_QUARTER, arg=video.element_handle())


def test_a_file_that_browsers_cannot_play_is_converted(page: Page) -> None:
    search_for(page, "heard:rain").first.click()
    expect(page.locator(".moment h2")).to_have_text("rain_thunder.avi")
    expect(page.locator(".moment .remarks")).to_have_count(0)
    expect(page.locator(".moment .recording")).to_contain_text("(file date) · 256x192, 15 fps, mpeg4, ac3")
    video = page.locator(".moment video")
    page.wait_for_function("video => video.currentTime > 0.2", arg=video.element_handle())
    assert "/proxy/" in str(video.get_attribute("src"))


def test_a_deleted_file_is_shown_by_its_stored_preview(page: Page, page_media: Path, page_library: Library) -> None:
    film = page_media / "engine_car.mp4"
    shutil.rmtree(page_library.folder / "thumbnails", ignore_errors=True)
    film.rename(film.with_suffix(".moved"))
    try:
        search_for(page, "seen:car")
        expect(page.locator(".file", has_text="engine_car.mp4").locator(".absence")).to_have_text("not found")
        card = page.locator(".file", has_text="engine_car.mp4").locator(".card")
        picture = card.locator(".strip img").first
        page.wait_for_function(IS_SHOWN, arg=picture.element_handle())
        answer = page.request.get(picture.evaluate("image => image.src"))  # not from the browser's cache
        assert (answer.status, answer.headers["cache-control"]) == (200, "private, no-cache")
        card.get_by_role("button", name="Play").click()
        expect(page.locator(".moment .notice")).to_contain_text("deleted or moved")
        page.wait_for_function(IS_SHOWN, arg=page.locator(".moment img").element_handle())
        assert page.locator(".moment video").count() == 0
    finally:
        film.with_suffix(".moved").rename(film)


def test_path_command_and_json_are_copied(page: Page) -> None:
    search_for(page, "siren and train").first.click()
    copied = {}
    buttons = page.locator(".moment .actions button")
    for name in ("Copy path", "Copy mpv", "Copy JSON"):
        page.evaluate("navigator.clipboard.writeText('')")
        buttons.filter(has_text=name).click()
        page.wait_for_function("async () => await navigator.clipboard.readText() !== ''")
        copied[name] = page.evaluate("navigator.clipboard.readText()")
    assert buttons.filter(has_text="Copied").count() > 0
    expect(buttons.filter(has_text="Copied")).to_have_count(0)
    button = buttons.filter(has_text="Copy path")
    button.dblclick()
    page.wait_for_timeout(1300)  # "Copied" is shown for 1.2 s after each click
    expect(button).to_be_visible()
    assert "siren_train.mp4@0." in copied["Copy path"]
    assert copied["Copy mpv"].startswith("mpv --start=0.")
    assert json.loads(copied["Copy JSON"])["path"].endswith("siren_train.mp4")
