"""Small media files with known content, made by the ffmpeg program on demand.

Video: 64x48, grey, brighter by one step each half second (`step_of` reads the step back).
Audio: a 1 kHz tone in the second half of each second, silence in the first (`is_tone` detects it).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np

from pesearch.types import FloatArray, ImageArray

SECONDS = 4

_PICTURES = f"color=black:s=64x48:r=2:d={SECONDS},geq=lum='30+20*floor(T*2+0.001)':cb=128:cr=128,format=yuv420p,fps=25"
_SOUND = f"aevalsrc='0.5*sin(2*PI*1000*t)*gte(mod(t,1),0.5)':s=44100:d={SECONDS}"
_STEREO = f"aevalsrc='0.5*sin(2*PI*1000*t)*gte(mod(t,1),0.5)|0':s=44100:d={SECONDS}"
_BOTH = ["-f", "lavfi", "-i", _PICTURES, "-f", "lavfi", "-i", _SOUND]
_SEEN = ["-f", "lavfi", "-i", _PICTURES]
_HEARD = ["-f", "lavfi", "-i", _SOUND]
_H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25"]

_RECIPES: dict[str, list[str]] = {
    "both.mp4": [*_BOTH, *_H264, "-c:a", "aac", "-movflags", "+faststart"],
    "moov_last.mp4": [*_BOTH, *_H264, "-c:a", "aac"],
    "offset.mkv": [*_BOTH, *_H264, "-c:a", "aac"],
    "offset.ts": [*_BOTH, *_H264, "-c:a", "aac"],
    "late_clock.ts": [*_BOTH, *_H264, "-c:a", "aac", "-output_ts_offset", "1000"],
    "old.mpg": [*_BOTH, "-c:v", "mpeg2video", "-c:a", "mp2"],
    "old.flv": [*_BOTH, "-c:v", "flv", "-c:a", "mp3"],
    "vp9.webm": [*_BOTH, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"],
    "hevc.mp4": [*_SEEN, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"],
    "mpeg4.avi": [*_BOTH, "-c:v", "mpeg4", "-q:v", "3", "-c:a", "mp3"],
    "silent.mp4": [*_SEEN, *_H264],
    "variable_rate.mp4": [*_SEEN, "-vf", "select='lt(t,1)+gte(t,1)*not(mod(n,10))'", "-vsync", "vfr", *_H264],
    "late_sound.mp4": ["-f", "lavfi", "-i", _PICTURES, "-itsoffset", "1", *_HEARD, *_H264, "-c:a", "aac"],
    "late_sound.mkv": ["-f", "lavfi", "-i", _PICTURES, "-itsoffset", "1", *_HEARD, *_H264, "-c:a", "flac"],
    "animated.gif": [*_SEEN, "-r", "10"],
    "tone.wav": [*_HEARD],
    "tone.mp3": [*_HEARD, "-q:a", "4"],
    "tone.flac": [*_HEARD],
    "tone.ogg": [*_HEARD, "-c:a", "libvorbis"],
    "tone.opus": [*_HEARD, "-c:a", "libopus"],
    "tone.m4a": [*_HEARD, "-c:a", "aac"],
    "tone.aac": [*_HEARD, "-c:a", "aac", "-f", "adts"],
    "stereo.wav": ["-f", "lavfi", "-i", _STEREO],
    "still.jpg": ["-f", "lavfi", "-i", "testsrc2=s=64x48", "-frames:v", "1"],
    "still.webp": ["-f", "lavfi", "-i", "testsrc2=s=64x48", "-frames:v", "1"],
    "cover.png": ["-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1"],
}


def make(name: str, folder: Path) -> Path:
    """The path of a sample, which is made in the folder on first use. Processes may share the folder."""
    path = folder / name
    if not path.exists():
        part = folder / f".{os.getpid()}_{name}"
        _RECIPE_OF_ANOTHER[name](part) if name in _RECIPE_OF_ANOTHER else ffmpeg(*_RECIPES[name], part)
        part.replace(path)
    return path


def ffmpeg(*arguments: str | Path) -> None:
    """Run the ffmpeg program; its last argument is the file to write."""
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)


def step_of(picture: ImageArray) -> int:
    """Which half second of the sample an image shows, from its brightness (video range: 219 levels)."""
    luma = picture.mean() / 255 * 219 + 16
    return round((float(luma) - 30) / 20)


def is_tone(samples: FloatArray) -> bool:
    """Whether samples hold the tone rather than silence."""
    return float(np.sqrt(np.mean(samples**2))) > 0.1


def _rotated(path: Path) -> None:
    ffmpeg("-i", make("silent.mp4", path.parent), "-c", "copy", "-metadata:s:v:0", "rotate=90", path)


def _with_cover(path: Path) -> None:
    sound = make("tone.mp3" if path.suffix == ".mp3" else "tone.m4a", path.parent)
    cover = make("cover.png", path.parent)
    ffmpeg("-i", sound, "-i", cover, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic", path)


def _cut_in_half(source: str, path: Path) -> None:
    whole = make(source, path.parent).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _joined(path: Path) -> None:
    """Two recordings in one transport stream: its clock jumps from 4 s to 1000 s."""
    path.write_bytes(b"".join(make(name, path.parent).read_bytes() for name in ("offset.ts", "late_clock.ts")))


_RECIPE_OF_ANOTHER = {
    "jumping_clock.ts": _joined,
    "rotated.mp4": _rotated,
    "cover.mp3": _with_cover,
    "cover.m4a": _with_cover,
    "half.mp4": lambda path: _cut_in_half("both.mp4", path),
    "half.mkv": lambda path: _cut_in_half("offset.mkv", path),
    "half.wav": lambda path: _cut_in_half("tone.wav", path),
    "no_moov.mp4": lambda path: _cut_in_half("moov_last.mp4", path),
    "no_suffix": lambda path: path.write_bytes(make("both.mp4", path.parent).read_bytes()),
}
