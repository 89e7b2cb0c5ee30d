"""The sound of an interval as FFmpeg gets it, for whoever writes what was found: proxies, clips and waveforms.

It is the sound that was searched. Where FFmpeg alone would give another one (streams that are mixed, clocks that
restart, seeks that are inexact), AudioReader decodes it, and FFmpeg reads the samples as a second input.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from pesearch.audio_track import AudioTrack
from pesearch.media.audio import AudioReader
from pesearch.media.ffmpeg import input_url
from pesearch.media.probe import Container
from pesearch.timeline import SAMPLE_RATE

_PIECE_SECONDS = 20.0
"""Decoded at a time."""


@dataclass(frozen=True, slots=True)
class SoundInput:
    """`inputs` are FFmpeg's options for a further input, none if it is the file itself; `stream` selects the sound."""

    inputs: tuple[str | bytes, ...]
    stream: str

    @property
    def is_decoded(self) -> bool:
        """Whether the input begins at the start of the interval, rather than being the file."""
        return bool(self.inputs)


@contextmanager
def sound_input(
    path: Path, container: Container, start_seconds: float, end_seconds: float, track: AudioTrack | None = None
) -> Iterator[SoundInput | None]:
    """The sound of `[start_seconds, end_seconds)`, as it was searched; None for a file without. FFmpeg's first input is
    the file. Samples are in a temporary file as long as the context lasts. Errors: MediaError; FFmpegMissing."""
    if container.audio_index is None:
        yield None
        return
    if container.is_sound_plain:
        yield SoundInput((), f"0:{container.audio_index}")
        return
    with NamedTemporaryFile(prefix="pesearch-", suffix=".f32") as samples:
        with AudioReader(path, track, is_levelled=False) as reader:
            at, end = start_seconds, min(end_seconds, container.info.duration_seconds)
            while at < end:
                samples.write(reader.read(at, min(at + _PIECE_SECONDS, end)).tobytes())
                at += _PIECE_SECONDS
        samples.flush()
        options = ("-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i")
        yield SoundInput((*options, input_url(Path(samples.name))), "1:0")
