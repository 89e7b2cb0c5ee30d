"""Latency of the page from Enter to the first thumbnails, and whether ten pages at once work without errors.

    python -m benchmarks.page [--part enter|together] [--folder DIR] [--seconds 60]

`enter`: a library of 10,000 windows in existing files of ten minutes, the starter set, a real browser: the time from
the key press to the first thumbnail on the screen and to all in view, with a new query each time and loaded models;
first without cached thumbnails, then with them. `together`: ten pages, each searching every 2 s, while a folder is
indexed. Needs Chromium at /usr/bin/chromium.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.clips import make_copies, make_video
from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.many_windows import FILE_SECONDS, make_many_windows
from pesearch.encoders.model_set import open_model_set
from pesearch.indexer.run import index
from pesearch.store.derived.lru_folder import THUMBNAIL_FOLDER
from pesearch.store.library import create_library, open_library
from pesearch.timeline import windows
from pesearch.types import FloatArray
from tests.app.browsing import launch_chromium, search_for
from tests.app.server_process import running
from training.texts import with_article
from training.words import HEARD_AS, OBJECTS

SAMPLE_MEDIA = Path(__file__).resolve().parent.parent / "sample_media"

WINDOWS = 10_000
WARM_UP_QUERIES = 5

ENTER_MS = 500.0
"""Target for the first thumbnail."""

PAGES = 10
QUERY_SECONDS = 2.0  # between two queries of a page
FILES = 200

FIRST_COMMITTED = re.compile(r"indexing: [1-9]\d* of")

PICTURES_SHOWN = """(text) => {
    const roots = () => [...document.querySelectorAll("*")].flatMap((each) => each.shadowRoot ?? []);
    const in_view = () => roots().flatMap((root) => {
        const results = root.querySelector(".results");
        const images = results?.dataset.query === text ? [...results.querySelectorAll(".strip img")] : [];
        return images.filter((image) => image.getBoundingClientRect().top < innerHeight);
    });
    const is_there = (image) => image.complete && image.naturalWidth > 0;
    document.addEventListener("keydown", () => {
        const began = performance.now();
        let first = null;
        window.waited = new Promise((done) => {
            const look = () => {
                const images = in_view(), passed = performance.now() - began;
                if (images.some(is_there)) first ??= passed;
                if (first !== null && images.every(is_there)) done([first, passed]);
                else requestAnimationFrame(look);
            };
            look();
        });
    }, { capture: true, once: true });
}"""
"""Sets `window.waited` to the milliseconds from the next key press to the first thumbnail for a text, and to all in
view."""


@dataclass(frozen=True, slots=True)
class Enter:
    """Milliseconds from Enter to the first thumbnail and to all in view: of new queries, then of the same queries in
    another browser."""

    part: str
    windows: int
    questions: int
    first_p50_ms: float
    first_p99_ms: float
    all_p50_ms: float
    again_first_p50_ms: float
    again_all_p50_ms: float

    def rows(self) -> Iterator[Row]:
        yield Row(
            f"{self.windows} windows, Enter to first thumbnail: p50 (p99 {self.first_p99_ms:.0f})",
            f"{self.first_p50_ms:.0f} ms",
            f"< {ENTER_MS:.0f} ms",
        )
        yield Row("to all visible thumbnails", f"{self.all_p50_ms:.0f} ms")
        yield Row("to the first thumbnail, cached", f"{self.again_first_p50_ms:.0f} ms")
        yield Row("to all visible thumbnails, cached", f"{self.again_all_p50_ms:.0f} ms")


@dataclass(frozen=True, slots=True)
class Together:
    """Answers to several pages at once while a folder was indexed."""

    part: str
    pages: int
    seconds: float
    answers: int
    fewest_of_a_page: int
    indexed: int
    errors: int

    def rows(self) -> Iterator[Row]:
        yield Row(f"{self.pages} pages for {self.seconds:.0f} s: answers", f"{self.answers}")
        yield Row("fewest answers of a page", f"{self.fewest_of_a_page}", "> 0")
        yield Row("files indexed in that time", f"{self.indexed}", "> 0")
        yield Row("errors", f"{self.errors}", "0")


def main() -> None:
    """Run the selected parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["enter", "together"], help="default: both")
    parser.add_argument("--folder", type=Path, help="keep media and libraries here for another run")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(
        ignore_cleanup_errors=True
    ) as temporary:  # an interrupted run may still be writing
        report(_measure(options.folder or Path(temporary), options.part, options.seconds))


def _measure(folder: Path, part: str | None, seconds: float) -> Iterator[Finding]:
    yield this_machine("cpu", "starter")
    if part in (None, "enter"):
        yield enter(folder)
    if part in (None, "together"):
        yield together(folder, seconds)


def enter(folder: Path) -> Enter:
    """Run all queries in sequence, then all of them again."""
    library = _large_library(folder)
    shutil.rmtree(library / THUMBNAIL_FOLDER, ignore_errors=True)  # thumbnails of an earlier run
    with running(library, "--no-token") as server, sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        before, again = (_asked_in(browser.new_page(), server.address) for _ in range(2))
    first, every = np.median(before, axis=0)
    return Enter(
        "enter", WINDOWS, len(before), float(first), float(np.percentile(before[:, 0], 99)), float(every),
        *np.median(again, axis=0).tolist(),
    )  # fmt: skip


def _asked_in(page: Page, address: str) -> FloatArray:
    """Milliseconds to the first thumbnail and to all in view for each query, [queries, 2]."""
    page.goto(address)
    search_for(page, "anything")
    page.locator(".strip img").first.wait_for(timeout=120_000)
    texts = [*(names[0] for names in HEARD_AS.values()), *map(with_article, OBJECTS)]
    taken = np.array([_enter_ms(page, text) for text in texts])[WARM_UP_QUERIES:]
    page.close()
    return taken


def _enter_ms(page: Page, text: str) -> tuple[float, float]:
    bar = page.get_by_role("searchbox")
    bar.fill(text)
    page.evaluate(PICTURES_SHOWN, text)
    bar.press("Enter")
    first, every = page.evaluate("() => window.waited")
    page.wait_for_timeout(1500)  # named sounds are located afterwards
    return first, every


def together(folder: Path, seconds: float) -> Together:
    """Search in ten pages in turns while another one indexes."""
    models = open_model_set("starter", "cpu")
    shutil.rmtree(folder / "together", ignore_errors=True)  # filled by an earlier run
    library = create_library(folder / "together", models.name, models.spaces)
    for _ in index([SAMPLE_MEDIA], library, models):
        pass
    clips = folder / "clips"
    if not clips.exists():
        make_copies(clips, SAMPLE_MEDIA / "bell.mp4", FILES)
    errors, answers = list[str](), [0] * PAGES
    with running(library.folder, "--no-token") as server, sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        pages = [browser.new_context().new_page() for _ in range(PAGES)]
        for number, page in enumerate(pages):
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(server.address)
            search_for(page, f"{list(OBJECTS)[number]}")
        job = browser.new_page()
        job.goto(f"{server.address}/library")
        job.get_by_role("textbox", name="Folder or file on this machine").fill(str(clips))
        job.get_by_role("button", name="Index", exact=True).click()
        job.get_by_text(FIRST_COMMITTED).first.wait_for(timeout=300_000)  # from now on files are being embedded
        known = len(library.files())
        end, turn = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            began = time.monotonic()
            for number, page in enumerate(pages):
                bar = page.get_by_role("searchbox")
                bar.fill(list(OBJECTS)[(turn + number) % len(OBJECTS)])
                bar.press("Enter")
            turn += 1
            job.wait_for_timeout(max(0.0, 1000 * (QUERY_SECONDS - (time.monotonic() - began))))
            answers = [had + (page.locator(".card").count() > 0) for had, page in zip(answers, pages, strict=True)]
            errors += [text for page in pages for text in page.get_by_role("alert").all_inner_texts()]
            errors += [text for page in pages for text in page.get_by_test_id("stException").all_inner_texts()]
        browser.close()
    indexed = len(library.files()) - known
    return Together("together", PAGES, seconds, sum(answers), min(answers), indexed, len(errors))


def _large_library(folder: Path) -> Path:
    """The vectors of the sample media, repeated, in existing files of ten minutes."""
    made = folder / "many windows of real files"
    if made.exists():
        return made
    models = open_model_set("starter", "cpu")
    source = create_library(folder / "samples", models.name, models.spaces)
    for _ in index([SAMPLE_MEDIA], source, models):
        pass
    media = folder / "long files"
    media.mkdir()
    make_video(media / "0.mp4", FILE_SECONDS)
    for number in range(1, -(-WINDOWS // len(windows(FILE_SECONDS)))):
        (media / f"{number}.mp4").hardlink_to(media / "0.mp4")
    make_many_windows(made, open_library(source.folder), WINDOWS, media)
    return made


if __name__ == "__main__":
    main()
