"""The page in Chromium: nothing of it comes from elsewhere, what guards it does not stop it, a large file plays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from pesearch.app.urls import clip_address, proxy_address
from pesearch.types import MediaFile
from tests.app.conftest import Server

pytestmark = pytest.mark.slow

PLAY_THE_END = """async address => {
    const video = document.createElement("video")
    video.src = address
    video.muted = true
    document.body.append(video)
    await new Promise((done, failed) => { video.onloadedmetadata = done; video.onerror = () => failed(video.error) })
    const from = video.currentTime = video.duration - 1
    await video.play()
    while (video.currentTime < from + 0.3) await new Promise(done => setTimeout(done, 20))
    return video.duration
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


def test_nothing_comes_from_elsewhere(server: Server, page: Page) -> None:
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(server.address)
    page.get_by_role("searchbox").wait_for(timeout=120_000)
    page.wait_for_load_state("networkidle")
    ours = (f"{server.address}/", f"ws://127.0.0.1:{server.port}/", "data:", "blob:")
    assert [address for address in asked if not address.startswith(ours)] == []
    assert any(address.startswith("ws:") for address in asked)
    assert errors == []
    with pytest.raises(Exception, match="Failed to fetch"):
        page.evaluate("fetch('http://example.org/')")
    assert any("Content Security Policy" in error for error in errors)


RECORD = """async () => {
    const recorded = URL.createObjectURL(new Blob(["sound"]))
    return (await fetch(recorded)).ok
}"""


def test_a_page_reads_what_it_recorded_itself(server: Server, page: Page) -> None:
    page.goto(f"{server.address}/_stcore/health")
    assert page.evaluate(RECORD)


def test_a_large_file_plays_at_its_end(server: Server, files: dict[str, MediaFile], page: Page) -> None:
    page.goto(f"{server.address}/_stcore/health")
    before = server.memory_bytes()
    file = files["big.mp4"]
    assert page.evaluate(PLAY_THE_END, clip_address(file)) == pytest.approx(file.info.duration_seconds, abs=0.1)
    assert server.memory_bytes() - before < 64 << 20


def test_a_cut_plays(server: Server, files: dict[str, MediaFile], page: Page) -> None:
    page.goto(f"{server.address}/_stcore/health")
    for name in ("old.avi", "hevc.mp4", "sound.wma"):
        assert page.evaluate(PLAY_THE_END, proxy_address(files[name], 0, 2)) == pytest.approx(2.0, abs=0.15)
