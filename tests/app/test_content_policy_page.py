"""The security headers in a real browser: the page works under them, and nothing is loaded from elsewhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.app.server_process import Server

pytestmark = pytest.mark.slow

READ_BLOB = """async () => {
    const recorded = URL.createObjectURL(new Blob(["sound"]))
    return (await fetch(recorded)).ok
}"""


def test_the_page_loads_nothing_from_elsewhere(tab: Page, page_server: Server) -> None:
    urls: list[str] = []
    errors: list[str] = []
    tab.on("request", lambda request: urls.append(request.url))
    tab.on("websocket", lambda socket: urls.append(socket.url))
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.goto(page_server.address)
    tab.get_by_role("searchbox").wait_for(timeout=120_000)
    tab.wait_for_load_state("networkidle")
    ours = (f"{page_server.address}/", f"ws://127.0.0.1:{page_server.port}/", "data:", "blob:")
    assert [url for url in urls if not url.startswith(ours)] == []
    assert any(url.startswith("ws:") for url in urls)
    assert errors == []
    assert tab.evaluate(READ_BLOB)  # recordings are blobs
    with pytest.raises(Exception, match="Failed to fetch"):
        tab.evaluate("fetch('http://example.org/')")
    assert any("Content Security Policy" in error for error in errors)
