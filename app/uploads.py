"""A file dropped on the page, kept on disk while the page lives, since decoders read files."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Protocol

import streamlit as st


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
    """The uploaded file on disk, named by its content; None where nothing was uploaded."""
    if upload is None:
        return None
    data = upload.getvalue()
    path = Path(_folder().name) / (hashlib.blake2b(data, digest_size=16).hexdigest() + Path(upload.name).suffix[:8])
    if not path.exists():
        path.write_bytes(data)
    return path
