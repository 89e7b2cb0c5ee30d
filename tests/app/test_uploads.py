"""Files that were dropped on the page."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.app.uploads import as_dropped, kept_upload


class Dropped(io.BytesIO):
    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name


@given(st.text(st.characters(), max_size=400), st.binary(max_size=20))
def test_any_name_is_kept_below_one_folder(name: str, content: bytes) -> None:
    path = kept_upload(Dropped(name, content))
    assert path is not None
    assert path.read_bytes() == content
    assert len(os.fsencode(path.name)) <= 255
    assert path.resolve() == path
    assert as_dropped(f"cannot ask with {path}: it is empty") == f"cannot ask with {path.name}: it is empty"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("siren.wav", "siren.wav"),
        ("../../etc/passwd", "passwd"),
        ("..", "example"),
        (".wav", "wav"),
        ("x" * 300 + ".mp4", "x" * 50 + ".mp4"),
        ("a\0b.png", "ab.png"),
    ],
)
def test_the_name_it_is_kept_under(name: str, kept: str) -> None:
    path = kept_upload(Dropped(name, b"1"))
    assert path is not None
    assert path.name == kept


def test_the_same_content_under_two_names_is_two_files() -> None:
    one, other = kept_upload(Dropped("a.wav", b"1")), kept_upload(Dropped("b.wav", b"1"))
    assert isinstance(one, Path)
    assert isinstance(other, Path)
    assert (one.name, other.name) == ("a.wav", "b.wav")
