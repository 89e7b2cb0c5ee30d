"""Hypothesis strategies for selections of any file and any interval, and three ordinary selections."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import strategies as st

from pesearch.export.clip_selection import Selection
from pesearch.export.timecode import DROP_FRAME_RATES, rate_of, timecode_text
from pesearch.types import AudioStream, Event, MediaInfo, MediaKind, VideoStream

NAMES = st.one_of(
    st.sampled_from(
        [
            'it\'s "a" film.mp4',
            "new\nline\r\n.mp4",
            "\r001  AX V C 00:00:00:00.mov",
            "#EXTINF:1,x --> y.mkv",
            "=cmd()|' ;,\t.mp4",
            "<b>&amp;]]>.mp4",
            "%41 100%.mp4",
            os.fsdecode(b"\xff\xfe no utf-8.mp4"),
            "\u202ereversed\x1b[31m\x85\u2028.mp4",
            "日本語 e\u0301 👩‍🚀.mp4",
            "no ending",
            "." * 3,
        ]
    ),
    st.binary(min_size=1, max_size=40).map(os.fsdecode),
).filter(lambda name: name not in (".", "..") and "/" not in name and "\0" not in name)
"""File names, including undecodable ones and ones that look like markup of the formats."""

PATHS = st.builds(lambda folder, name: Path("/media") / folder / name, NAMES, NAMES)
RATES = st.sampled_from(
    [24000 / 1001, 24.0, 25.0, 29.97, 30000 / 1001, 30.0, 50.0, 59.94, 60.0, 120.0, 15.0, 12.5, 27.3, 0.0, 90_000.0]
)
SECONDS = st.floats(0, 80_000, allow_nan=False)
TEXTS = st.text(max_size=30)


@st.composite
def selections(draw: st.DrawFn, kinds: Sequence[MediaKind | None] = (*MediaKind, None)) -> Selection:
    """A selection of a file of one of `kinds`; None is a file without media info."""
    kind = draw(st.sampled_from(kinds))
    start, length = draw(SECONDS), draw(st.floats(0, 5_000))
    sound = AudioStream("aac", 48_000, 2)
    event = Event(draw(TEXTS), start, start + length / 2, 0.5)
    path, label, score = draw(PATHS), draw(TEXTS), draw(st.none() | st.floats(0, 1))
    if kind is MediaKind.IMAGE:
        return Selection(path, 0.0, 0.0, label, score, (), MediaInfo(kind, 0.0, VideoStream("png", 64, 48, 0.0), None))
    if kind is None:
        return Selection(path, start, start + length, label, score, (event,), None)
    duration = start + draw(st.floats(0.01, 6_000))
    video = VideoStream("h264", 64, 48, draw(RATES)) if kind is MediaKind.VIDEO else None
    audio = sound if kind is MediaKind.AUDIO else draw(st.none() | st.just(sound))
    return Selection(path, start, start + length, label, score, (event,), MediaInfo(kind, duration, video, audio))


SELECTIONS = st.lists(selections(), min_size=1, max_size=4)


def film(start: float, end: float, rate: float = 25.0, name: str = "film.mp4", seconds: float = 60.0) -> Selection:
    """A selection of a video with sound."""
    info = MediaInfo(MediaKind.VIDEO, seconds, VideoStream("h264", 640, 360, rate), AudioStream("aac", 48_000, 2))
    return Selection(Path("/media") / name, start, end, "siren", 0.9, (), info)


def sound(start: float, end: float, name: str = "sound.wav") -> Selection:
    """A selection of an audio file of 60 s."""
    info = MediaInfo(MediaKind.AUDIO, 60.0, None, AudioStream("pcm_s16le", 44_100, 1))
    return Selection(Path("/media") / name, start, end, "siren", 0.8, (), info)


def still(name: str = "still.png") -> Selection:
    """A selection of an image."""
    info = MediaInfo(MediaKind.IMAGE, 0.0, VideoStream("png", 640, 360, 0.0), None)
    return Selection(Path("/media") / name, 0.0, 0.0, "ball", 0.7, (), info)


@st.composite
def with_any_timecode(draw: st.DrawFn, made: st.SearchStrategy[Selection]) -> Selection:
    """A selection whose file may state a timecode, from any time of the day, drop-frame or not."""
    selection = draw(made)
    if selection.is_still or selection.media is None or not draw(st.booleans()):
        return selection
    rate = rate_of(selection)
    nominal = max(round(selection.frames_per_second or rate), 1)
    if nominal != round(rate):  # 12.5, 15, 120
        clock, frames = draw(st.integers(0, 86_399)), draw(st.integers(0, min(nominal, 1000) - 1))
        text = f"{clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}:{frames:02d}"
        return replace(selection, timecode=text)
    frame = draw(st.integers(0, 86_000 * nominal))
    drops = rate in DROP_FRAME_RATES and draw(st.booleans())
    return replace(selection, timecode=timecode_text(frame, rate, drop_frame=drops))
