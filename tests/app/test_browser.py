"""The page as a person uses it: the real server, a real browser, a library of the sample media."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import opentimelineio
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from pesearch.app.results import FIRST_MOMENTS
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.run import index
from pesearch.media.probe import probe
from pesearch.store.library import create_library
from tests.app.browsing import asked, at_rest, names, until
from tests.app.conftest import PATIENCE_MS, running

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=\"document.title='taken'\"> **b** [l](javascript:alert(1)) $x$ :smile:.mp4"


@pytest.fixture(scope="module")
def media(sample_media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample media: one with a hostile name, one as no browser plays it, and a file that is damaged."""
    folder = tmp_path_factory.mktemp("page") / "media"
    shutil.copytree(sample_media, folder)
    (folder / "drum.mp4").rename(folder / HOSTILE)
    old = ["-c:v", "mpeg4", "-c:a", "ac3", str(folder / "rain_thunder.avi")]
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(folder / "rain_thunder.mp4"), *old], check=True)
    (folder / "rain_thunder.mp4").unlink()
    (folder / "damaged.mp4").write_bytes((folder / "bell.mp4").read_bytes()[:400])
    return folder


@pytest.fixture(scope="module")
def address(media: Path, starter: ModelSet) -> Iterator[str]:
    library = create_library(media.parent / "library", starter.name, starter.spaces)
    for _ in index([media], library, starter):
        pass
    with running(library.folder) as server:
        yield server.address


@pytest.fixture(scope="module")
def context(browser: Browser) -> BrowserContext:
    """All pages share what Chromium keeps: to load Streamlit takes seconds."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, permissions=["microphone", "clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(PATIENCE_MS)
    return context


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    opened = context.new_page()
    foreign: list[str] = []
    errors: list[str] = []
    opened.on("request", lambda asked: foreign.append(asked.url) if _is_foreign(asked.url, address) else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(address)
    opened.get_by_role("searchbox").wait_for()
    yield opened
    opened.close()
    assert not foreign
    assert not errors


def _is_foreign(url: str, address: str) -> bool:
    return not url.startswith((address, address.replace("http", "ws", 1), "data:", "blob:"))


def test_the_first_moment_is_played_from_its_start_to_its_end(page: Page) -> None:
    cards = asked(page, "siren and train")
    expect(cards.first.locator(".events")).to_contain_text("siren")
    assert names(page)[0] == "siren_train.mp4"
    cards.first.locator(".strip img").first.wait_for()
    cards.first.get_by_role("button", name="Play").click()
    video = page.locator(".moment video")
    video.wait_for()
    page.wait_for_function("video => video.currentTime > 1.0", arg=video.element_handle())
    first = video.evaluate("video => video.played.start(0)")
    assert 0.3 <= first <= 0.9  # the siren begins at 0.6
    page.wait_for_function("video => video.paused", arg=video.element_handle())
    assert 5.3 <= video.evaluate("video => video.currentTime") <= 6.0  # the train ends at 5.6
    expect(page.locator(".moment .timeline")).to_contain_text("heard")
    expect(page.locator(".moment .timeline")).to_contain_text("train")


def test_the_first_pictures_are_begun_before_the_page_asks_for_them(page: Page, media: Path) -> None:
    made = media.parent / "library" / "thumbnails"
    shutil.rmtree(made, ignore_errors=True)
    not_served: list[str] = []

    def refuse(route: Route) -> None:
        not_served.append(route.request.url)
        route.abort()

    page.route("**/thumb/**", refuse)
    shown = asked(page, "seen:train").count()
    until(page, lambda: len(list(made.glob("*.jpg"))) == min(shown, FIRST_MOMENTS))
    at_rest(page)
    asked_for = [re.search(r"/(\d+)\.jpg\?v=(\w+)&width=(\d+)", url) for url in not_served]
    addresses = {(found[2], found[1], found[3]) for found in asked_for if found}
    names = (path.stem.split("-") for path in made.glob("*.jpg"))
    assert {(fingerprint[:12], at_ms, width) for fingerprint, at_ms, width in names} <= addresses


def test_a_click_on_the_time_jumps_there(page: Page) -> None:
    asked(page, "siren and train").first.click()
    video = page.locator(".moment video")
    page.wait_for_function("video => video.currentTime > 0.3", arg=video.element_handle())
    assert page.locator(".moment .ticks span").all_text_contents() == [f"00:0{second}" for second in range(7)]
    lane = page.locator(".moment .row").first.bounding_box()
    assert lane is not None
    page.mouse.click(lane["x"] + lane["width"] * 0.75, lane["y"] + lane["height"] / 2)
    page.wait_for_function("video => video.currentTime >= 4.4", arg=video.element_handle())
    assert video.evaluate("video => video.currentTime") < 5.5


def test_what_no_browser_plays_is_made_playable(page: Page) -> None:
    asked(page, "heard:rain").first.click()
    expect(page.locator(".moment h2")).to_have_text("rain_thunder.avi")
    video = page.locator(".moment video")
    page.wait_for_function("video => video.currentTime > 0.5", arg=video.element_handle())
    assert "/proxy/" in str(video.get_attribute("src"))


def test_what_is_typed_is_in_the_address_and_comes_back_from_it(page: Page, context: BrowserContext) -> None:
    asked(page, "a dog barking")
    page.get_by_role("radio", name="heard", exact=True).click()
    page.wait_for_url("**sense=heard**")
    expect(page.locator(".file h3").first).to_have_text("dog_bark.mp4")
    other = context.new_page()
    other.goto(page.url)
    expect(other.locator(".file h3").first).to_have_text("dog_bark.mp4")
    assert other.get_by_role("searchbox").input_value() == "a dog barking"
    other.close()


def test_the_browser_goes_back_to_what_was_asked_before(page: Page) -> None:
    asked(page, "heard:siren").first.get_by_role("button", name="+ Tray").click()
    expect(page.get_by_text("Tray (1)")).to_be_visible()
    asked(page, "seen:dog")
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


def test_back_and_forth_while_sounds_are_located_ends_where_the_address_says(page: Page) -> None:
    asked(page, "seen:dog")
    expect(page.locator(".file h3").first).to_have_text("dog_bark.mp4")
    asked(page, "heard:siren")
    bar, first = page.get_by_role("searchbox"), page.locator(".file h3").first
    for wait_ms in range(100, 500, 50):
        page.go_back()
        expect(bar).to_have_value("seen:dog")
        expect(first).to_have_text("dog_bark.mp4")
        page.go_forward()
        expect(bar).to_have_value("heard:siren")
        expect(first).to_have_text(re.compile("siren"))
        page.wait_for_timeout(wait_ms)


def test_a_sound_that_is_dropped_finds_what_sounds_like_it(page: Page, sample_media: Path) -> None:
    page.get_by_role("button", name="Search by a sound").click()
    page.locator("input[type=file]").set_input_files(sample_media / "siren_alone.wav")
    page.locator(".card").first.wait_for()
    assert names(page)[0] == "siren_alone.wav"
    assert "siren_train.mp4" in names(page)[:3]


def test_a_file_that_is_no_media_is_called_by_its_name(page: Page, tmp_path: Path) -> None:
    junk = tmp_path / "no *sound* <b>.wav"
    junk.write_bytes(bytes(range(256)))
    page.get_by_role("button", name="Search by a sound").click()
    page.locator("input[type=file]").set_input_files(junk)
    told = page.get_by_role("alert").filter(has_text="not a media file")
    expect(told).to_have_text(re.compile(re.escape(f"cannot use {junk.name} as an example: ")))


def test_a_recording_finds_what_sounds_like_it(page: Page) -> None:
    page.get_by_role("button", name="Search by a sound").click()
    page.get_by_role("button", name="Record").click()
    page.wait_for_timeout(4000)
    page.get_by_role("button", name="Stop recording").click()
    page.locator(".card").first.wait_for()
    assert "siren_alone.wav" in names(page)[:2]


def test_the_keyboard_walks_opens_and_takes_along(page: Page) -> None:
    cards = asked(page, "rain OR siren OR dog")
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
    page.locator(".moment button", has_text="Play the moment").focus()
    page.keyboard.press("Escape")
    expect(page.locator(".moment")).to_have_count(0)


TOLD = """() => {
    window.told = new Set();
    const look = () => {
        for (const each of document.querySelectorAll("*"))
            window.told.add(each.shadowRoot?.querySelector(".level .told")?.textContent);
        requestAnimationFrame(look);
    };
    look();
}"""
"""Makes `window.told` all that was ever told above the moments."""


def test_the_page_says_while_it_locates_sounds(page: Page) -> None:
    asked(page, "seen:bell")
    page.evaluate(TOLD)
    asked(page, "heard:bell")
    expect(page.locator(".card").first.locator(".events")).to_be_visible()
    expect(page.locator(".level .told")).to_have_text(re.compile(r"^\d+ moments?$"))
    asked(page, "seen:dog")
    expect(page.locator(".file h3").first).to_have_text("dog_bark.mp4")
    told = page.evaluate("() => [...window.told].filter((each) => each)")
    assert [each for each in told if re.fullmatch(r"\d+ moments? · locating sounds", each)]


def test_clicks_while_sounds_are_located_are_all_done(page: Page) -> None:
    """In the second after a question, in which its page is laid out anew."""
    asked(page, "rain OR siren OR dog")
    for number in range(3):
        page.locator(".card").nth(number).get_by_role("button", name="Tray").click()
    expect(page.get_by_text("Tray (3)")).to_be_visible()
    at_rest(page)
    expect(page.locator(".card .does button.in")).to_have_count(3)
    asked(page, "a siren")
    page.locator('.results[data-query="a siren"] .card').first.get_by_role("button", name="Play").click()
    expect(page.locator(".moment h2")).to_contain_text("siren")
    at_rest(page)
    expect(page.locator(".moment")).to_have_count(1)
    expect(page.get_by_text("Tray (3)")).to_be_visible()


def test_what_is_pointed_at_keeps_its_place_while_sounds_are_located(page: Page) -> None:
    asked(page, "seen:bell").first.hover()
    asked(page, "engine and car")
    page.locator('.results[data-query="engine and car"] .card .events').first.wait_for()
    assert names(page) == ["engine_car.mp4", "siren_alone.wav", "siren_train.mp4"]
    page.mouse.move(0, 0)
    expect(page.locator(".file h3").nth(1)).to_have_text("siren_train.mp4")  # a car is heard there


def test_a_moment_that_is_opened_meanwhile_becomes_exact(page: Page) -> None:
    """Each click begins a layout, which overtakes the one that locates the sounds."""
    for text in ("siren and train", "train and siren", "a siren and a train"):
        asked(page, text)
        card = page.locator(f'.results[data-query="{text}"] .card').first
        card.get_by_role("button", name="Tray").click()
        card.locator(".strip").click()
        expect(page.locator(".moment")).to_contain_text("00:00.6-00:05.6")
        expect(card).to_contain_text("00:00.6-00:05.6")


def test_what_is_pressed_while_the_page_is_laid_out_anew_is_a_click(page: Page) -> None:
    asked(page, "dog OR siren").first.get_by_role("button", name="+ Tray").hover()
    page.mouse.down()
    at_rest(page)
    page.mouse.up()
    expect(page.get_by_text("Tray (1)")).to_be_visible()
    expect(page.locator(".card").first.locator(".events")).to_be_visible()  # what was put off came then


def test_more_like_this_asks_with_the_moment_itself(page: Page) -> None:
    card = asked(page, "siren and train").first
    expect(card.locator(".events")).to_be_visible()
    card.get_by_role("button", name="Like sound").click()
    expect(page.get_by_role("searchbox")).to_have_value(re.compile("^heard:.*siren_train.mp4@"))
    expect(page.locator(".file h3").first).to_have_text("siren_train.mp4")
    expect(page.locator(".file h3", has_text="siren_alone.wav")).to_be_visible()


def test_nothing_that_matches_is_said_and_the_nearest_are_offered(page: Page) -> None:
    cards = asked(page, "a violin in a submarine")
    expect(page.locator(".results .told")).to_have_text("No confident match")
    expect(page.locator(".results .notice")).to_contain_text("nearest")
    assert 1 <= cards.count() <= 6
    assert cards.first.locator(".score").inner_text().startswith("?")


def test_a_mistake_is_told_with_its_place(page: Page) -> None:
    page.get_by_role("searchbox").fill("siren AND OR train")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("at 'OR' (character 11)")


def test_the_level_says_what_is_sure_enough(page: Page, context: BrowserContext) -> None:
    cards = asked(page, "siren OR rain OR dog")
    expect(cards.first.locator(".events")).to_be_visible()
    before = cards.count()
    level = page.locator(".results input[type=range]")
    level.fill("0")
    level.dispatch_event("change")
    assert cards.count() > before
    expect(page).to_have_url(re.compile("level=0"))
    cards.first.get_by_role("button", name="+ Tray").click()
    expect(cards.first.get_by_role("button", name="In tray")).to_be_visible()
    assert cards.count() > before
    expect(page.locator(".histogram i.in")).to_have_count(20)
    again = context.new_page()
    again.goto(page.url)
    expect(again.locator(".histogram i.in")).to_have_count(20)
    again.close()


SHOWN = "image => image.complete && image.naturalWidth > 0"


def test_what_is_away_is_seen_as_it_was_indexed(page: Page, media: Path) -> None:
    film = media / "engine_car.mp4"
    shutil.rmtree(media.parent / "library" / "thumbnails", ignore_errors=True)
    film.rename(film.with_suffix(".away"))
    try:
        asked(page, "seen:car")
        expect(page.locator(".file", has_text="engine_car.mp4").locator(".away")).to_be_visible()
        card = page.locator(".file", has_text="engine_car.mp4").locator(".card")
        picture = card.locator(".strip img").first
        page.wait_for_function(SHOWN, arg=picture.element_handle())
        answer = page.request.get(picture.evaluate("image => image.src"))  # past the browser's cache
        assert (answer.status, answer.headers["cache-control"]) == (200, "private, no-cache")
        card.get_by_role("button", name="Play").click()
        expect(page.locator(".moment .notice")).to_contain_text("away")
        page.wait_for_function(SHOWN, arg=page.locator(".moment img").element_handle())
        assert page.locator(".moment video").count() == 0
    finally:
        film.with_suffix(".away").rename(film)


@pytest.mark.parametrize("folder", ["%00", "~nobody-of-that-name"])
def test_a_folder_that_none_can_be_is_one_line(page: Page, address: str, folder: str) -> None:
    page.goto(f"{address}/?text=train&in={folder}")
    told = page.get_by_text(re.compile("is not a valid path|No confident match|Nothing in this library")).first
    expect(told).to_be_visible()
    assert page.get_by_test_id("stException").count() == 0


@pytest.mark.parametrize("level", ["much", "nan", "-1", "7"])
def test_a_level_that_is_none_is_the_usual_one(page: Page, address: str, level: str) -> None:
    page.goto(f"{address}/?text=train&level={level}")
    expect(page.locator(".results .sure label")).to_contain_text("0.50")
    assert names(page)[0] == "siren_train.mp4"


def test_a_hostile_name_is_text(page: Page) -> None:
    cards = asked(page, "heard:drum")
    expect(page.locator(".file h3").first).to_have_text(HOSTILE)
    expect(cards.first.locator(".events")).to_be_visible()
    cards.first.click()
    expect(page.locator(".moment h2")).to_have_text(HOSTILE)
    page.get_by_role("button", name="+ Tray").first.click()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("onerror")
    assert page.title() != "taken"
    assert page.locator("img[src=x]").count() == 0


def test_path_command_and_json_can_be_copied(page: Page) -> None:
    asked(page, "siren and train").first.click()
    copied = {}
    for name in ("Copy path", "Copy mpv", "Copy JSON"):
        page.locator(".moment button", has_text=name).click()
        page.locator(".moment button", has_text="Copied").wait_for()
        copied[name] = page.evaluate("navigator.clipboard.readText()")
        page.locator(".moment button", has_text=name).wait_for()
    button = page.locator(".moment button", has_text="Copy path")
    button.dblclick()
    page.wait_for_timeout(1300)  # "Copied" is said for 1.2 s
    expect(button).to_be_visible()
    assert "siren_train.mp4@0." in copied["Copy path"]
    assert copied["Copy mpv"].startswith("mpv --start=0.")
    assert json.loads(copied["Copy JSON"])["path"].endswith("siren_train.mp4")


def test_a_failed_file_is_listed_with_its_reason(page: Page, address: str) -> None:
    page.goto(f"{address}/library")
    expect(page.get_by_role("heading", name="Failed", exact=True)).to_be_visible()
    table = page.get_by_test_id("stDataFrame").first
    table.wait_for()
    expect(table).to_contain_text("damaged.mp4")


def test_the_library_is_checked_from_the_page(page: Page, address: str) -> None:
    page.goto(f"{address}/library")
    page.get_by_role("button", name="Check all of it").click()
    expect(page.get_by_test_id("stCode")).to_contain_text("are as they were written")
    at_rest(page)
    expect(page.get_by_text("Checking")).to_have_count(0)


def test_a_folder_is_indexed_and_found_without_loading_the_page_anew(page: Page, media: Path) -> None:
    fresh = media.parent / "more"
    fresh.mkdir()
    tone = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x64:r=5:d=3", "-pix_fmt", "yuv420p"]
    subprocess.run([*tone, str(fresh / "brand new.mp4")], check=True)
    page.get_by_role("link", name="Library").click()
    page.get_by_role("textbox", name="Folder or file on this machine").fill(str(fresh))
    page.get_by_role("button", name="Index", exact=True).click()
    expect(page.get_by_text("done: 1 of 1 files")).to_be_visible(timeout=120_000)
    page.get_by_role("link", name="Search").click()
    asked(page, f'file:"{fresh / "brand new.mp4"}"')
    expect(page.locator(".file h3").first).to_have_text("brand new.mp4")


def test_the_tray_becomes_an_edit_list(page: Page, tmp_path: Path) -> None:
    card = asked(page, "siren and train").first
    expect(card.locator(".events")).to_be_visible()
    card.get_by_role("button", name="+ Tray").click()
    expect(page.get_by_text("Tray (1)")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    kept = tmp_path / download.value.suggested_filename
    download.value.save_as(kept)
    assert kept.suffix == ".edl"
    timeline = opentimelineio.adapters.read_from_file(str(kept), rate=24)
    clip, *_ = timeline.find_clips()
    assert clip.name == "siren_train.mp4"
    start = clip.source_range.start_time.to_seconds()
    assert 0.4 <= start <= 0.8
    assert 5.3 <= start + clip.source_range.duration.to_seconds() <= 5.9


def test_the_tray_becomes_clips(page: Page, tmp_path: Path) -> None:
    card = asked(page, "siren and train").first
    expect(card.locator(".events")).to_be_visible()
    card.get_by_role("button", name="+ Tray").click()
    page.get_by_role("combobox", name="Take along as").click()
    page.get_by_role("option", name="Clips").click()
    page.get_by_text("Exact to a frame").click()
    page.get_by_role("button", name="Cut").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "pesearch-clips.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        (name,) = archive.namelist()
        archive.extract(name, tmp_path)
    assert probe(tmp_path / name).duration_seconds == pytest.approx(5.0, abs=0.2)
    page.get_by_text("Exact to a frame").click()  # what was cut is no longer what is chosen
    expect(page.get_by_role("link", name="Download")).to_have_count(0)


def test_a_terminal_is_answered_by_the_page(page: Page, address: str, media: Path) -> None:
    asked(page, "siren and train").first.wait_for()
    command = [sys.executable, "-m", "pesearch", "query", "siren and train", "--verbose", "--json"]
    done = subprocess.run([*command, "--library", str(media.parent / "library")], capture_output=True, text=True)
    assert "answered by the running page" in done.stderr
    assert json.loads(done.stdout)["moments"][0]["path"].endswith("siren_train.mp4")
