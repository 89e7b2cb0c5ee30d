"""The tray in a real browser: moments are exported as an edit list and as clips."""

from __future__ import annotations

import zipfile
from pathlib import Path

import opentimelineio
import pytest
from playwright.sync_api import Page, expect

from pesearch.media.probe import probe
from tests.app.browsing import search_for

pytestmark = pytest.mark.slow


def test_the_tray_is_exported_as_an_edit_list_and_as_clips(page: Page, tmp_path: Path) -> None:
    card = search_for(page, "heard:siren heard:train").first
    expect(card.locator(".events")).to_be_visible()
    card.get_by_role("button", name="+ Tray").click()
    expect(page.get_by_text("Tray (1)")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    edit_list = tmp_path / download.value.suggested_filename
    download.value.save_as(edit_list)
    assert edit_list.suffix == ".edl"
    timeline = opentimelineio.adapters.read_from_file(str(edit_list), rate=24)
    clip, *_ = timeline.find_clips()
    assert clip.name == "siren_train.mp4"
    start = clip.source_range.start_time.to_seconds()
    assert 0.4 <= start <= 0.8
    assert 5.3 <= start + clip.source_range.duration.to_seconds() <= 5.9

    page.get_by_role("combobox", name="Export as").click()
    page.get_by_role("option", name="Clips").click()
    page.get_by_text("Frame-accurate").click()
    page.get_by_role("button", name="Cut clips").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "pesearch-clips.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        (name,) = archive.namelist()
        archive.extract(name, tmp_path)
    assert probe(tmp_path / name).duration_seconds == pytest.approx(5.0, abs=0.2)
    page.get_by_text("Frame-accurate").click()  # the archive no longer matches the choices
    expect(page.get_by_role("link", name="Download")).to_have_count(0)
