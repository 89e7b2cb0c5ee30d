"""A film that tells the time: each frame shows its number, each second sounds at its own pitch.

A frame is 4 x 4 cells, black or white. The corners say which way up it is (only the upper left one is white), the
twelve others are the bits of the frame's number, read by rows from the highest. The first half of second `s` sounds at
`pitch_hz(s)`, the second half is silent.
"""

from __future__ import annotations

import os
import wave
from pathlib import Path

import numpy as np

from pesearch.types import ImageArray
from tests.media.samples import ffmpeg

SECONDS = 12
FRAMES_PER_SECOND = 25
FRAMES = SECONDS * FRAMES_PER_SECOND
WIDTH, HEIGHT = 160, 96
SAMPLE_RATE = 48_000

_CELLS = 4
_CORNERS = ((0, 0), (0, 3), (3, 0), (3, 3))
_UPRIGHT = (True, False, False, False)
_BITS = [(row, column) for row in range(_CELLS) for column in range(_CELLS) if (row, column) not in _CORNERS]
_BLACK, _WHITE = 16, 235
_MAX_GREY = 70
"""A cell is black or white when its mean is at most this far from 0 or 255: pictures mixed of two, or of undecoded
grey, are not read."""


def pitch_hz(second: int) -> float:
    """The frequency that is heard in the first half of a second of the film."""
    return 400.0 + 150.0 * second


def number_of(image: ImageArray) -> int | None:
    """The number that an upright image uint8 [height, width, 3] of any size shows; None if it is none of the film's."""
    height, width = image.shape[:2]
    levels = np.empty((_CELLS, _CELLS))
    for row in range(_CELLS):
        for column in range(_CELLS):
            rows = slice(int((row + 0.3) * height / _CELLS), int((row + 0.7) * height / _CELLS) + 1)
            columns = slice(int((column + 0.3) * width / _CELLS), int((column + 0.7) * width / _CELLS) + 1)
            levels[row, column] = image[rows, columns].mean()
    is_clear = np.minimum(levels, 255 - levels) <= _MAX_GREY
    is_white = levels > 127
    if not is_clear.all() or tuple(bool(is_white[corner]) for corner in _CORNERS) != _UPRIGHT:
        return None
    return int("".join(str(int(is_white[cell])) for cell in _BITS), 2)


def luma(number: int, height: int = HEIGHT, width: int = WIDTH) -> ImageArray:
    """The luma plane uint8 [height, width] of a frame, in video range."""
    cells = np.full((_CELLS, _CELLS), _BLACK, np.uint8)
    cells[_CORNERS[0]] = _WHITE
    for bit, cell in zip(f"{number:012b}", _BITS, strict=True):
        cells[cell] = _WHITE if bit == "1" else _BLACK
    return np.repeat(np.repeat(cells, height // _CELLS, 0), width // _CELLS, 1)


def master(folder: Path) -> Path:
    """The film as raw pictures and PCM in NUT, made in the folder on first use. Processes may share the folder."""
    path = folder / "clock.nut"
    if not path.exists():
        pictures, sound, part = (folder / f".{os.getpid()}_{name}" for name in ("clock.yuv", "clock.wav", "clock.nut"))
        _write_pictures(pictures)
        _write_sound(sound)
        size = ("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FRAMES_PER_SECOND))
        ffmpeg(*size, "-i", pictures, "-i", sound, "-c", "copy", "-f", "nut", part)
        pictures.unlink()
        sound.unlink()
        part.replace(path)
    return path


def _write_pictures(path: Path) -> None:
    neutral = np.full(WIDTH * HEIGHT // 2, 128, np.uint8).tobytes()
    with path.open("wb") as file:
        for number in range(FRAMES):
            file.write(luma(number).tobytes() + neutral)


def _write_sound(path: Path) -> None:
    clock = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    pitches = np.array([pitch_hz(second) for second in range(SECONDS)])
    tone = 0.5 * np.sin(2 * np.pi * pitches[:, None] * clock) * (clock < 0.5)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((tone * 32767).astype("<i2").tobytes())
