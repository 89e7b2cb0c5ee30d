"""Uploaded and recorded files, saved in a temporary folder during a page session, because decoders read from disk."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import tempfile
import wave
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import numpy as np
import streamlit as st

from pesearch.errors import QueryError
from pesearch.temporary_folder import TemporaryFolder

MAX_NAME_LENGTH = 50
"""Characters, of at most four bytes each: file systems limit names to 255 bytes."""

MAX_UPLOAD_BYTES = 1 << 30
"""All uploads of a server together, on disk; as much again in memory (`upload_limit`)."""

RECORDED_PEAK = 0.35
"""The peak that recordings are normalised to: 9 dB below full scale."""


class Upload(Protocol):
    """The part of Streamlit's UploadedFile that is used here."""

    name: str

    def getvalue(self) -> bytes:
        """The content of the file."""


@st.cache_resource
def _server_folder() -> TemporaryFolder:
    """The folder of all uploads of this server, deleted when it ends."""
    return TemporaryFolder()


@st.cache_resource(scope="session", on_release=lambda folder: shutil.rmtree(folder, ignore_errors=True))
def upload_folder() -> Path:
    """The folder of the uploads of this page session, deleted when it ends."""
    return Path(tempfile.mkdtemp(dir=_server_folder().name))


def save_upload(upload: Upload | None, folder: Path) -> Path | None:
    """Save an uploaded file under its own name; None if nothing was uploaded. Raises QueryError if there is no room."""
    return None if upload is None else _save(upload.getvalue(), _file_name(upload.name), folder)


def hide_upload_folder(text: str) -> str:
    """The text with paths of uploaded files replaced by their names, as the user knows them."""
    return re.sub(re.escape(_server_folder().name) + r"/\w+/\w+/", "", text)


def save_recording(recording: Upload | None, folder: Path) -> Path | None:
    """Save a recording (16-bit WAV) with its peak at RECORDED_PEAK; None if nothing was recorded.

    Browsers apply automatic gain, which makes the level of a recording arbitrary. Raises QueryError when there is no
    room.
    """
    if recording is None:
        return None
    with wave.open(io.BytesIO(recording.getvalue())) as source:
        parameters = source.getparams()
        samples = np.frombuffer(source.readframes(source.getnframes()), "<i2").astype(np.float32)
    gain = RECORDED_PEAK / max(float(np.abs(samples).max(initial=0.0)) / 32768, 1e-3)
    content = io.BytesIO()
    with wave.open(content, "wb") as target:
        target.setparams(parameters)
        target.writeframes((samples * gain).clip(-32768, 32767).astype("<i2").tobytes())
    return _save(content.getvalue(), "recording.wav", folder)


def _save(content: bytes, name: str, folder: Path) -> Path:
    path = folder / hashlib.blake2b(content, digest_size=16).hexdigest() / name
    if not path.exists():
        if _used_bytes(folder.parent) + len(content) > MAX_UPLOAD_BYTES:
            raise QueryError("too many files are uploaded to this server: close other tabs, or try again later")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return path


def _used_bytes(folder: Path) -> int:
    """The size of all files in a folder. It has few, and they may vanish meanwhile."""
    used_bytes = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                used_bytes += Path(parent, name).stat().st_size
    return used_bytes


def _file_name(uploaded: str) -> str:
    """A name that any file system takes, from the name that the browser sent."""
    name = Path(uploaded.replace("\0", "").encode(errors="replace").decode())
    return f"{name.stem.strip('.')[:MAX_NAME_LENGTH] or 'example'}{name.suffix[:8]}"
