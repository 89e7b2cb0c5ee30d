"""A file dropped on the page, kept on disk while the page lives, since decoders read files."""

from __future__ import annotations

import hashlib
import io
import re
import tempfile
import wave
from pathlib import Path
from typing import Protocol

import numpy as np
import streamlit as st

LONGEST_NAME = 50
"""Characters, of four bytes at most: file systems take names of 255 bytes."""

RECORDED_PEAK = 0.35
"""The peak of a recording: 9 dB under full scale."""


class Upload(Protocol):
    """What Streamlit's uploader gives."""

    name: str

    def getvalue(self) -> bytes:
        """The bytes of the file."""


@st.cache_resource
def _folder() -> tempfile.TemporaryDirectory[str]:
    """A folder of this server's own, deleted when it ends."""
    return tempfile.TemporaryDirectory(prefix="pesearch-")


def kept_upload(upload: Upload | None) -> Path | None:
    """The uploaded file on disk, under its own name; None where nothing was uploaded."""
    return None if upload is None else _kept(upload.getvalue(), _file_name(upload.name))


def as_dropped(text: str) -> str:
    """A text in which uploaded files are called as people know them: by their names."""
    return re.sub(re.escape(_folder().name) + r"/\w+/", "", text)


def kept_recording(recording: Upload | None) -> Path | None:
    """A recording (WAV of 16 bits) as `kept_upload`, at one level: a browser makes it as loud as there is room for."""
    if recording is None:
        return None
    with wave.open(io.BytesIO(recording.getvalue())) as taken:
        form, sound = taken.getparams(), np.frombuffer(taken.readframes(taken.getnframes()), "<i2").astype(np.float32)
    level = RECORDED_PEAK / max(float(np.abs(sound).max(initial=0.0)) / 32768, 1e-3)
    made = io.BytesIO()
    with wave.open(made, "wb") as kept:
        kept.setparams(form)
        kept.writeframes((sound * level).clip(-32768, 32767).astype("<i2").tobytes())
    return _kept(made.getvalue(), "recording.wav")


def _kept(data: bytes, name: str) -> Path:
    path = Path(_folder().name) / hashlib.blake2b(data, digest_size=16).hexdigest() / name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    return path


def _file_name(uploaded: str) -> str:
    """What a browser calls a file, as a name that any file system takes."""
    name = Path(uploaded.replace("\0", "").encode(errors="replace").decode())
    return f"{name.stem.strip('.')[:LONGEST_NAME] or 'example'}{name.suffix[:8]}"
