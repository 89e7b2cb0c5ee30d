"""Search by example in a real browser: uploads, recordings and moments as queries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.app.browsing import file_names, search_for

pytestmark = pytest.mark.slow


def test_an_uploaded_sound_finds_similar_sounds(page: Page, sample_media: Path) -> None:
    page.get_by_role("button", name="Search by sound").click()
    page.locator("input[type=file]").set_input_files(sample_media / "siren_alone.wav")
    page.locator(".card").first.wait_for()
    assert file_names(page)[0] == "siren_alone.wav"
    assert "siren_train.mp4" in file_names(page)[:3]
    expect(page.locator(".results .slider label")).to_have_text("Minimum similarity: 0.50")


def test_an_upload_that_is_not_media_is_named_in_the_error(page: Page, tmp_path: Path) -> None:
    junk = tmp_path / "no *sound* <b>.wav"
    junk.write_bytes(bytes(range(256)))
    page.get_by_role("button", name="Search by sound").click()
    page.locator("input[type=file]").set_input_files(junk)
    alert = page.get_by_role("alert").filter(has_text="not a media file")
    expect(alert).to_have_text(re.compile(re.escape(f"cannot use {junk.name} as an example: ")))


def test_a_recording_finds_similar_sounds(page: Page) -> None:
    page.get_by_role("button", name="Search by sound").click()
    page.get_by_role("button", name="Record").click()
    page.get_by_role("button", name="Stop recording").wait_for()
    page.wait_for_timeout(1500)  # the length of the recording
    page.get_by_role("button", name="Stop recording").click()
    page.locator(".card").first.wait_for()
    assert "siren_alone.wav" in file_names(page)[:2]


def test_like_sound_searches_with_the_moment(page: Page) -> None:
    card = search_for(page, "siren and train").first
    expect(card.locator(".events")).to_be_visible()
    card.get_by_role("button", name="Like sound").click()
    expect(page.get_by_role("searchbox")).to_have_value(re.compile("^heard:.*siren_train.mp4@"))
    expect(page.locator(".file h3").first).to_have_text("siren_train.mp4")
    expect(page.locator(".file h3", has_text="siren_alone.wav")).to_be_visible()
