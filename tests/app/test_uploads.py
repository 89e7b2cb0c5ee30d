"""Uploaded and recorded files."""

from __future__ import annotations

import io
import os
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.app.uploads import RECORDED_PEAK, hide_upload_folder, save_recording, save_upload


class Uploaded(io.BytesIO):
    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name


@settings(max_examples=30)
@given(st.text(st.characters(), max_size=400), st.binary(max_size=20))
def test_any_name_is_saved_below_one_folder(name: str, content: bytes) -> None:
    path = save_upload(Uploaded(name, content))
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
    path = save_upload(Uploaded(name, b"1"))
    assert path is not None
    assert path.name == saved


def test_equal_content_under_two_names_gives_two_files() -> None:
    one, other = save_upload(Uploaded("a.wav", b"1")), save_upload(Uploaded("b.wav", b"1"))
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
    path = save_recording(Uploaded("recording.wav", wav(samples)))
    assert path is not None
    assert RECORDED_PEAK == 0.35
    with wave.open(str(path)) as saved:
        assert saved.getparams()[:4] == (1, 2, 48_000, 4)
        loud = np.frombuffer(saved.readframes(4), "<i2")
    assert loud.tolist() == pytest.approx([0, 11_468, -5734, 0], abs=60)


def test_a_silent_recording_stays_silent() -> None:
    path = save_recording(Uploaded("recording.wav", wav(np.zeros(8))))
    assert path is not None
    with wave.open(str(path)) as saved:
        assert saved.readframes(8) == bytes(16)


def test_nothing_recorded_saves_nothing() -> None:
    assert save_recording(None) is None
    assert save_upload(None) is None
