"""The media routes without a server, over a library of two small files."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from pesearch.app import pictures, routes
from pesearch.errors import LibraryError
from pesearch.locations import Location
from pesearch.media.verified_file import CHANGED
from pesearch.store.derived.lru_folder import CLIPS_FOLDER
from pesearch.types import AudioStream, MediaFile, MediaInfo, MediaKind
from tests.app.asgi import respond, scope_of
from tests.app.server_process import Answer

Get = Callable[..., Answer]

CONTENT = b"RIFF\x00\x00\x00\x00WAVE" + bytes(range(88))
"""100 bytes that begin as a WAV file does."""

FINGERPRINT = blake2b((100).to_bytes(8, "little") + CONTENT, digest_size=20).hexdigest()


class FakeLibrary:
    """The files 1 and 2; no previews."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.audio_track = None
        self.locations = {}
        for number in (1, 2):
            path = folder / f"{number}.wav"
            path.write_bytes(CONTENT)
            self.locations[number] = Location.of_file(path)

    def file(self, file_id: int) -> MediaFile:
        if file_id not in (1, 2):
            raise LibraryError("no such file")
        info = MediaInfo(MediaKind.AUDIO, 1.0, None, AudioStream("pcm_s16le", 48_000, 1))
        return MediaFile(file_id, FINGERPRINT, info, (self.locations[file_id],))

    def preview(self, file: MediaFile, at_seconds: float) -> bytes | None:
        return None


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeLibrary:
    library = FakeLibrary(tmp_path)
    for module in (routes, pictures):
        monkeypatch.setattr(module, "library", lambda: library)
    return library


@pytest.fixture
def get(library: FakeLibrary, run_async: Callable[[Coroutine[Any, Any, Answer]], Answer]) -> Get:
    app = Starlette(routes=routes.media_routes())
    return lambda path, **headers: run_async(respond(app, scope_of("http", path, headers)))


@pytest.mark.parametrize(
    ("requested", "start", "end"),
    [("10-19", 10, 20), ("0-0", 0, 1), ("-5", 95, 100), ("90-", 90, 100), ("90-500", 90, 100)],
)  # fmt: skip
def test_a_byte_range_is_served_up_to_the_end_of_the_file(get: Get, requested: str, start: int, end: int) -> None:
    answer = get("/clip/1", range=f"bytes={requested}")
    assert (answer.status, answer.body) == (206, CONTENT[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/100"
    assert answer.headers["content-type"] == "audio/wav"


@pytest.mark.parametrize("requested", ["100-", "100-199", "5000-5001"])
def test_a_byte_range_past_the_end_is_refused(get: Get, requested: str) -> None:
    answer = get("/clip/1", range=f"bytes={requested}")
    assert (answer.status, answer.headers["content-range"]) == (416, "bytes */100")
    assert CONTENT not in answer.body


@pytest.mark.parametrize(
    "path",
    [
        "/clip/0", "/clip/3", "/clip/1/2", "/clip/..%2F1.wav",
        "/thumb/3/0.jpg", "/wave/3/0-1000.png", "/proxy/3/0-1000.m4a",
    ],
)  # fmt: skip
def test_nothing_but_files_of_the_library_is_served(get: Get, path: str) -> None:
    answer = get(path)
    assert (answer.status, answer.body.count(b"\n")) == (404, 0)
    assert answer.headers["content-type"].startswith("text/plain")


def test_an_offline_file_is_not_found(get: Get, library: FakeLibrary) -> None:
    (library.folder / "2.wav").unlink()
    assert get("/clip/2").status == 404
    assert get("/clip/1").status == 200


@pytest.mark.parametrize(
    "replace",
    [
        lambda path, secret: (path.unlink(), path.symlink_to(secret)),
        lambda path, secret: (path.unlink(), path.hardlink_to(secret)),
        lambda path, secret: path.write_bytes(secret.read_bytes()),
        lambda path, secret: (path.unlink(), path.mkdir()),
        lambda path, secret: (path.unlink(), os.mkfifo(path)),
        lambda path, secret: (path.unlink(), path.symlink_to("/dev/zero")),
    ],
    ids=["link", "hard link", "content", "folder", "FIFO", "device"],
)
def test_nothing_but_the_indexed_content_is_served(get: Get, library: FakeLibrary, replace: Any) -> None:
    """A file of the same size and time that another user would read."""
    secret, path = library.folder / "secret", library.folder / "1.wav"
    secret.write_bytes(CONTENT[::-1])
    times = path.stat()
    os.utime(secret, ns=(times.st_atime_ns, times.st_mtime_ns))
    replace(path, secret)
    if path.is_file():
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    for address in ("/clip/1", "/thumb/1/0.jpg", "/wave/1/0-500.png", "/proxy/1/0-500.m4a"):
        answer = get(address)
        assert answer.status == 404
        assert answer.body in (CHANGED.encode(), b"not a regular file")


def test_a_touched_file_and_one_behind_a_link_are_served(get: Get, library: FakeLibrary) -> None:
    os.utime(library.folder / "1.wav", (1, 1))
    moved = (library.folder / "2.wav").rename(library.folder / "moved")
    (library.folder / "2.wav").symlink_to(moved)
    assert [get(f"/clip/{number}").body for number in (1, 2)] == [CONTENT, CONTENT]


def test_no_descriptor_stays_open(get: Get) -> None:
    get("/clip/1")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for headers in ({}, {"range": "bytes=5-9"}, {"range": "bytes=900-"}, {"range": "bytes=x"}):
        get("/clip/1", **headers)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("interval", ["5-5", "6-5", "0-600001"])
def test_empty_and_long_intervals_are_refused(get: Get, interval: str) -> None:
    answer = get(f"/wave/1/{interval}.png")
    assert (answer.status, answer.body) == (400, b"An interval must end after it starts, at most 600 s later.")


def test_a_clip_archive_is_served_by_its_name_only(get: Get, library: FakeLibrary) -> None:
    folder = library.folder / CLIPS_FOLDER
    folder.mkdir()
    name = "0123456789abcdef" * 2
    (folder / f"{name}.zip").write_bytes(b"clips")
    (library.folder / "library.zip").write_bytes(b"secret")
    answer = get(f"/clips/{name}.zip")
    assert (answer.status, answer.body) == (200, b"clips")
    assert "pesearch-clips.zip" in answer.headers["content-disposition"]
    for path in ("/clips/library.zip", "/clips/..%2Flibrary.zip", f"/clips/{name[:-1]}.zip"):
        assert get(path).status == 404
