"""Screenshots of the page with the sample media: search, moment, library and empty states, two widths, light and dark.

    python -m benchmarks.screenshots --to FOLDER

Needs Chromium at /usr/bin/chromium. `docs/page.png` is its `moment_1440_light.png`.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from pesearch.encoders.model_set import open_model_set
from pesearch.indexer.run import index
from pesearch.store.library import create_library
from tests.app.browsing import launch_chromium, search_for
from tests.app.server_process import running

SAMPLE_MEDIA = Path(__file__).resolve().parent.parent / "sample_media"

SIZES = ((1440, 1000), (420, 900))


def main() -> None:
    """Write a screenshot for each state, width and colour scheme."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True)
    target: Path = parser.parse_args().to
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pesearch-") as folder:
        media = shutil.copytree(SAMPLE_MEDIA, Path(folder) / "videos")
        models = open_model_set("starter", "cpu")
        library = create_library(Path(folder) / "library", models.name, models.spaces)
        for _ in index([media], library, models):
            pass
        with running(library.folder, "--no-token") as server, sync_playwright() as playwright:
            browser = launch_chromium(playwright)
            for width, height in SIZES:
                for scheme in ("light", "dark"):
                    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                    page.goto(server.address)
                    for name, show in STATES.items():
                        show(page)
                        page.wait_for_timeout(2500)
                        page.screenshot(path=target / f"{name}_{width}_{scheme}.png")
                    page.close()
            browser.close()


def _start(page: Page) -> None:
    page.get_by_text("these words are spoken").wait_for(timeout=120_000)


def _results(page: Page) -> None:
    search_for(page, "siren OR rain OR dog").first.locator(".events").wait_for()


def _moment(page: Page) -> None:
    card = search_for(page, "siren and train").first
    card.locator(".events").wait_for()
    card.get_by_role("button", name="+ Tray").click()
    card.locator(".strip").click()
    page.locator(".moment video").wait_for()


def _nothing(page: Page) -> None:
    search_for(page, "a violin in a submarine").first.wait_for()


def _library(page: Page) -> None:
    page.goto(f"{page.url.partition('?')[0].rstrip('/')}/library")
    page.get_by_text("Add files").wait_for()


STATES: dict[str, Callable[[Page], None]] = {
    "start": _start,
    "results": _results,
    "moment": _moment,
    "nothing": _nothing,
    "library": _library,
}

if __name__ == "__main__":
    main()
