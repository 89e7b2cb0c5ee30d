"""The sound of an interval of a film, for proxies and clips that FFmpeg encodes."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pesearch.audio_track import AudioTrack
from pesearch.media.audio import AudioReader
from pesearch.media.container import Container
from pesearch.media.ffmpeg import input_url
from pesearch.media.seeking import Start, sound_filter
from pesearch.timeline import SAMPLE_RATE

_READ_SECONDS = 20.0
"""Decoded at once."""

_PEAK = 32767


@dataclass(frozen=True, slots=True)
class ExcerptSound:
    """FFmpeg's options for the sound of an interval: those of a further input, and those that select it for output."""

    input_options: tuple[str | bytes, ...] = ()
    output_options: tuple[str, ...] = ()


def direct_sound(container: Container, start: Start) -> ExcerptSound:
    """The sound as FFmpeg decodes it from the file itself, with all its channels."""
    streams = () if container.sound is None else container.sound.streams
    selected = tuple(option for stream in streams for option in ("-map", f"0:{stream}"))
    return ExcerptSound((), (*selected, "-af", sound_filter(start)) if selected else ())


def heard_sound(
    path: Path, start_seconds: float, end_seconds: float, scratch: Path, track: AudioTrack | None = None
) -> ExcerptSound:
    """The sound as it is indexed: mono, of all streams that are heard, on a clock that does not restart. It is written
    to the file `scratch`, which has to exist until FFmpeg ends. Errors: MediaError; FFmpegMissing."""
    with AudioReader(path, track, is_levelled=False) as reader, wave.open(str(scratch), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        for begin in np.arange(start_seconds, end_seconds, _READ_SECONDS).tolist():
            samples = reader.read(begin, min(begin + _READ_SECONDS, end_seconds))
            file.writeframes((np.clip(samples, -1.0, 1.0) * _PEAK).astype("<i2").tobytes())
    return ExcerptSound(("-i", input_url(scratch)), ("-map", "1:0"))
