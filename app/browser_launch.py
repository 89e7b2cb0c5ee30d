"""Opening the page in the user's browser without showing the token to other users.

The arguments of every process can be read by all users of a machine, and a browser gets its address as one. So the
address with the token is written to a file that only this user can read, and the browser opens that file.
"""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from threading import Thread, Timer

from pesearch.temporary_folder import TemporaryFolder

MAX_FILE_SECONDS = 60.0
"""Time for a browser to start and to read the file, which is deleted after it."""


@contextmanager
def opened_in_browser(url: str) -> Iterator[None]:
    """Open a URL in the default browser, in the background; nothing without a display. Leaves no file behind."""
    if not _has_display():
        yield
        return
    with TemporaryFolder() as folder:
        file = write_redirect(Path(folder), url)
        timer = Timer(MAX_FILE_SECONDS, file.unlink, kwargs={"missing_ok": True})
        timer.daemon = True
        timer.start()
        Thread(target=webbrowser.open, args=(file.as_uri(),), daemon=True).start()
        try:
            yield
        finally:
            timer.cancel()


def write_redirect(folder: Path, url: str) -> Path:
    """Write a page that leads to a URL, readable by this user only. Its path."""
    path = folder / "open.html"
    path.touch(0o600, exist_ok=False)
    target = escape(url)
    path.write_text(
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={target}">'
        f'<title>pesearch</title><a href="{target}">Open pesearch</a>\n',
        "utf-8",
    )
    return path


def _has_display() -> bool:
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
