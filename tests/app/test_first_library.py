"""`pesearch app` where there is no library yet: the page makes the first one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from pesearch.store.library import open_library
from tests.app.browsing import asked, names
from tests.app.conftest import running

pytestmark = pytest.mark.slow


def test_the_first_library_is_made_from_the_page(browser: Browser, sample_media: Path, tmp_path: Path) -> None:
    folder, media = tmp_path / "home" / "library", tmp_path / "media"
    media.mkdir()
    for name in ("siren_alone.wav", "red_ball.png"):
        shutil.copy(sample_media / name, media)
    with running(folder) as server:
        page = browser.new_page()
        page.goto(server.address)
        where = page.get_by_role("textbox", name="Folder or file on this machine")
        where.fill(str(tmp_path / "nowhere"))
        page.get_by_role("button", name="Make the library").click()
        expect(page.get_by_role("alert")).to_contain_text("There is no")
        assert not folder.exists()
        where.fill(str(media))
        page.get_by_role("button", name="Make the library").click()
        expect(page.get_by_text("done: 2 of 2 files")).to_be_visible(timeout=120_000)
        expect(page).to_have_url(re.compile("/library$"))
        page.get_by_role("link", name="Search").click()
        asked(page, "heard:siren")
        assert names(page)[0] == "siren_alone.wav"
        page.close()
    assert open_library(folder).model_set == "starter"
