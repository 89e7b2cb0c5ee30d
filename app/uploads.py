"""Uploaded and recorded files, saved in a temporary folder while the server runs, because decoders read from disk."""

from __future__ import annotations

import hashlib
import io
import re
import wave
from pathlib import Path
from typing import Protocol

import numpy as np
import streamlit as st

from pesearch.temporary_folder import TemporaryFolder

MAX_NAME_LENGTH = 50
"""Characters, of at most four bytes each: file systems limit names to 255 bytes."""

RECORDED_PEAK = 0.35
"""The peak that recordings are normalised to: 9 dB below full scale."""


class Upload(Protocol):
    """The part of Streamlit's UploadedFile that is used here."""

    name: str

    def getvalue(self) -> bytes:
        """The content of the file."""


@st.cache_resource
def _folder() -> TemporaryFolder:
    """The temporary folder of this server, deleted when it ends."""
    return TemporaryFolder()


def save_upload(upload: Upload | None) -> Path | None:
    """Save an uploaded file under its own name; None if nothing was uploaded."""
    return None if upload is None else _save(upload.getvalue(), _file_name(upload.name))


def hide_upload_folder(text: str) -> str:
    """The text with paths of uploaded files replaced by their names, as the user knows them."""
    return re.sub(re.escape(_folder().name) + r"/\w+/", "", text)


def save_recording(recording: Upload | None) -> Path | None:
    """Save a recording (16-bit WAV) with its peak at RECORDED_PEAK; None if nothing was recorded.

    Browsers apply automatic gain, which makes the level of a recording arbitrary.
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
    return _save(content.getvalue(), "recording.wav")


def _save(content: bytes, name: str) -> Path:
    path = Path(_folder().name) / hashlib.blake2b(content, digest_size=16).hexdigest() / name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return path


def _file_name(uploaded: str) -> str:
    """A name that any file system takes, from the name that the browser sent."""
    name = Path(uploaded.replace("\0", "").encode(errors="replace").decode())
    return f"{name.stem.strip('.')[:MAX_NAME_LENGTH] or 'example'}{name.suffix[:8]}"
