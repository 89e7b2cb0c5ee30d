"""Sounds that tell the time: second s has the pitch `pitch(s)`, so that a range says from when it really is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pesearch.media.audio import AudioReader
from pesearch.timeline import SAMPLE_RATE
from pesearch.types import FloatArray
from tests.media.samples import ffmpeg

PICTURES = ("-f", "lavfi", "-i", "color=black:s=64x48:r=25")
SILENCE = 0


def pitch(second: int) -> int:
    """Hz of the tone in a second."""
    return 300 + 100 * second


def clock_sound(first: int = 0) -> str:
    """FFmpeg's expression of the sound from the second `first` on."""
    return f"0.4*sin(2*PI*(300+100*(floor(t)+{first}))*t)"


def recording(path: Path, first: int, seconds: int, *options: str, rate: int = 48_000) -> bytes:
    """A film with the sound of some seconds, written to `path`; its bytes."""
    sound = f"aevalsrc='{clock_sound(first)}':s={rate}:d={seconds}"
    ffmpeg(*PICTURES, "-f", "lavfi", "-i", sound, "-t", str(seconds), "-c:v", "mpeg2video", *options, path)
    return path.read_bytes()


def heard(samples: FloatArray) -> list[int]:
    """The pitch halfway through each second, to 50 Hz; SILENCE for none."""
    return [_pitch_of(samples[round((second + 0.3) * SAMPLE_RATE) :][: round(0.4 * SAMPLE_RATE)])
            for second in range(round(len(samples) / SAMPLE_RATE))]  # fmt: skip


def pitches(path: Path) -> list[int]:
    """The pitch in each second of a file, read forwards as indexing does."""
    with AudioReader(path) as reader:
        return heard(reader.read(0.0, reader.duration_seconds))


def pitches_backwards(path: Path, seconds: Sequence[int]) -> list[int]:
    """The pitch in these seconds, each read for itself, the last first."""
    with AudioReader(path) as reader:
        return [heard(reader.read(second, second + 1.0))[0] for second in reversed(seconds)][::-1]


def _pitch_of(samples: FloatArray) -> int:
    if np.abs(samples).max(initial=0) < 0.01:
        return SILENCE
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), SAMPLE_RATE))
    return round(int(np.argmax(spectrum)) / 50) * 50
