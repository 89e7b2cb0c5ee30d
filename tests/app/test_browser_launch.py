"""The browser gets the address with the token by a private file."""

from __future__ import annotations

import stat
import threading
import webbrowser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from pesearch.app.browser_launch import opened_in_browser

URL = "http://127.0.0.1:8501/?token=a-token-that-nobody-guesses"


def test_the_token_is_in_a_private_file_and_in_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    asked = threading.Event()

    def open_url(url: str) -> bool:
        opened.append(url)
        asked.set()
        return True

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", open_url)
    with opened_in_browser(URL):
        assert asked.wait(60)
        (url,) = opened
        file = Path(unquote(urlsplit(url).path))
        assert url.startswith("file://")
        assert "token" not in url
        assert f'content="0;url={URL}"' in file.read_text()
        assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent)] == [0o600, 0o700]
    assert not file.parent.exists()


def test_nothing_is_opened_without_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(webbrowser, "open", lambda url: pytest.fail(url))
    with opened_in_browser(URL):
        pass
