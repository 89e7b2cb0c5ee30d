"""The library page in a real browser, and the page that creates a library."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pesearch.store.library import open_library
from tests.app.browsing import search_for, wait_until_idle
from tests.app.conftest import convert
from tests.app.server_process import running

pytestmark = pytest.mark.slow


def test_failed_files_and_remarks_are_listed_and_the_library_is_checked(tab: Page, address: str) -> None:
    tab.goto(f"{address}/library")
    expect(tab.get_by_role("heading", name="Failed files", exact=True)).to_be_visible()
    table = tab.get_by_test_id("stDataFrame").first
    table.wait_for()
    expect(table).to_contain_text("damaged.mp4")
    expect(tab.get_by_role("heading", name="Not searched, or guessed", exact=True)).to_be_visible()
    remarks = tab.get_by_test_id("stDataFrame").nth(1)
    expect(remarks).to_contain_text("siren_train.mp4")
    expect(remarks).to_contain_text("siren_train.srt: contains no subtitles")
    expect(tab.get_by_test_id("stMetric").filter(has_text="Remarks")).to_contain_text("1")
    tab.get_by_role("button", name="Check library").click()
    expect(tab.get_by_test_id("stCode")).to_contain_text(re.compile(r"shards   (\d+) of \1 intact"))
    wait_until_idle(tab)
    expect(tab.get_by_text("Checking")).to_have_count(0)


def test_a_folder_is_indexed_and_found_without_reloading_the_page(page: Page, page_media: Path) -> None:
    film = page_media.with_name("more") / "brand new.mp4"
    film.parent.mkdir()
    pattern = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x64:r=5:d=3", "-pix_fmt", "yuv420p"]
    subprocess.run([*pattern, str(film)], check=True)
    page.get_by_role("link", name="Library").click()
    page.get_by_role("textbox", name="Folder or file on this machine").fill(str(film.parent))
    page.get_by_role("button", name="Index", exact=True).click()
    expect(page.get_by_text("done: 1 of 1 files")).to_be_visible(timeout=120_000)
    page.get_by_role("link", name="Search").click()
    search_for(page, f'file:"{film}"')
    expect(page.locator(".file h3").first).to_have_text("brand new.mp4")


def test_the_page_creates_the_first_library_with_models_that_the_user_chooses(
    browser: Browser, sample_media: Path, tmp_path: Path
) -> None:
    folder, media = tmp_path / "home" / "library", tmp_path / "media"
    media.mkdir()
    convert(sample_media / "siren_alone.wav", "-t", "3", media / "siren.wav")
    shutil.copy(sample_media / "red_ball.png", media)
    with running(folder, "--no-token") as server:
        page = browser.new_page()
        page.goto(server.address)
        path = page.get_by_role("textbox", name="Folder or file on this machine")
        path.fill(str(tmp_path / "nowhere"))
        expect(page.get_by_text("pesearch models pull light")).to_contain_text("free")
        page.get_by_role("button", name="Create library").click()
        expect(page.get_by_role("alert").filter(has_text="Choose a model set.")).to_be_visible()
        page.get_by_role("combobox", name="Models").click()
        page.get_by_role("option", name="starter: included, for demo and tests").click()
        page.get_by_role("button", name="Create library").click()
        expect(page.get_by_role("alert").filter(has_text="No such file or folder: ")).to_be_visible()
        assert not folder.exists()
        path.fill(str(media))
        page.get_by_role("button", name="Create library").click()
        expect(page.get_by_text("done: 2 of 2 files")).to_be_visible(timeout=120_000)
        expect(page).to_have_url(re.compile("/library$"))
        page.close()
    library = open_library(folder)
    assert library.model_set == "starter"
    assert {file.path.name for file in library.files()} == {"siren.wav", "red_ball.png"}
