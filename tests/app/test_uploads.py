"""Uploaded and recorded files."""

from __future__ import annotations

import io
import os
import tempfile
import wave
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from streamlit.runtime import Runtime
from streamlit.runtime.caching import cache_resource_api
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from pesearch.app import upload_limit, uploads
from pesearch.app.upload_limit import MAX_FILE_MB, UPLOAD_PATH, UploadLimit
from pesearch.app.uploads import RECORDED_PEAK, hide_upload_folder, save_recording, save_upload
from pesearch.errors import QueryError
from tests.app.asgi import respond, scope_of
from tests.app.server_process import Answer


class Uploaded(io.BytesIO):
    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name


def session_folder() -> Path:
    """The folder of a new session."""
    return Path(tempfile.mkdtemp(dir=uploads._server_folder().name))


@settings(max_examples=30)
@given(st.text(st.characters(), max_size=400), st.binary(max_size=20))
def test_any_name_is_saved_below_one_folder(name: str, content: bytes) -> None:
    path = save_upload(Uploaded(name, content), session_folder())
    assert path is not None
    assert path.read_bytes() == content
    assert len(os.fsencode(path.name)) <= 255
    assert path.resolve() == path
    assert hide_upload_folder(f"cannot ask with {path}: it is empty") == f"cannot ask with {path.name}: it is empty"


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("siren.wav", "siren.wav"),
        ("../../etc/passwd", "passwd"),
        ("..", "example"),
        (".wav", "wav"),
        ("x" * 300 + ".mp4", "x" * 50 + ".mp4"),
        ("a\0b.png", "ab.png"),
    ],
)
def test_file_names_are_made_safe(name: str, saved: str) -> None:
    path = save_upload(Uploaded(name, b"1"), session_folder())
    assert path is not None
    assert path.name == saved


def test_equal_content_under_two_names_gives_two_files() -> None:
    folder = session_folder()
    one, other = (save_upload(Uploaded(name, b"1"), folder) for name in ("a.wav", "b.wav"))
    assert isinstance(one, Path)
    assert isinstance(other, Path)
    assert (one.name, other.name) == ("a.wav", "b.wav")


def wav(samples: np.ndarray) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as target:
        target.setparams((1, 2, 48_000, 0, "NONE", ""))
        target.writeframes(samples.astype("<i2").tobytes())
    return content.getvalue()


@pytest.mark.parametrize("peak", [100, 3000, 32_767])
def test_a_recording_is_normalised_to_one_peak(peak: int) -> None:
    """A peak of 0.35 of full scale (32768) is 11468; the form of the signal stays."""
    samples = np.array([0, peak, -peak // 2, 0])
    path = save_recording(Uploaded("recording.wav", wav(samples)), session_folder())
    assert path is not None
    assert RECORDED_PEAK == 0.35
    with wave.open(str(path)) as saved:
        assert saved.getparams()[:4] == (1, 2, 48_000, 4)
        loud = np.frombuffer(saved.readframes(4), "<i2")
    assert loud.tolist() == pytest.approx([0, 11_468, -5734, 0], abs=60)


def test_a_silent_recording_stays_silent() -> None:
    path = save_recording(Uploaded("recording.wav", wav(np.zeros(8))), session_folder())
    assert path is not None
    with wave.open(str(path)) as saved:
        assert saved.readframes(8) == bytes(16)


def test_nothing_recorded_saves_nothing() -> None:
    assert save_recording(None, Path()) is None
    assert save_upload(None, Path()) is None


def test_the_uploads_of_all_sessions_take_limited_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOAD_BYTES", 100)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    assert save_upload(Uploaded("a.wav", bytes(60)), tmp_path / "one")
    with pytest.raises(QueryError, match="too many files"):
        save_upload(Uploaded("b.wav", bytes(41)), tmp_path / "other")
    assert save_upload(Uploaded("a.wav", bytes(60)), tmp_path / "one")
    assert save_upload(Uploaded("b.wav", bytes(40)), tmp_path / "other")


def test_uploads_end_with_their_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the way that Streamlit ends sessions."""
    monkeypatch.setattr("streamlit.runtime.caching.cache_resource_api.get_session_id_or_throw", lambda: "session")
    path = save_upload(Uploaded("a.wav", b"1"), uploads.upload_folder())
    assert path is not None
    assert path.exists()
    cache_resource_api._resource_caches.clear_session("session")
    assert not path.parent.parent.exists()


@pytest.mark.parametrize(
    ("method", "path", "length", "status"),
    [
        ("PUT", UPLOAD_PATH + "session/file", "40", 200), ("PUT", UPLOAD_PATH + "session/file", "41", 413),
        ("PUT", UPLOAD_PATH + "session/file", None, 413), ("PUT", UPLOAD_PATH + "session/file", "-5", 413),
        ("GET", UPLOAD_PATH + "session/file", "41", 200), ("PUT", "/elsewhere", "41", 200),
    ],
)  # fmt: skip
def test_uploads_in_memory_are_limited(
    run_async: Callable[[Coroutine[Any, Any, Answer]], Answer], monkeypatch: pytest.MonkeyPatch,
    method: str, path: str, length: str | None, status: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(upload_limit, "MAX_UPLOAD_BYTES", 100)
    app = UploadLimit(PlainTextResponse("stored"), lambda: 60)
    scope = scope_of("http", path, {} if length is None else {"content-length": length}) | {"method": method}
    assert run_async(respond(app, scope)).status == status
    assert app._arriving_bytes == 0


def test_streamlit_reports_the_uploads_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    manager = MemoryUploadedFileManager("/upload")
    for number in range(2):
        manager.add_file("session", UploadedFileRec(f"{number}", "a.wav", "audio/wav", bytes(30)))
    monkeypatch.setattr(Runtime, "_instance", SimpleNamespace(uploaded_file_mgr=manager))
    assert upload_limit.held_bytes() == 60
    assert MAX_FILE_MB << 20 < uploads.MAX_UPLOAD_BYTES
