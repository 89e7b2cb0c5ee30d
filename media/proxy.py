"""Intervals of a file for a browser: transcoded to H.264 and AAC, or drawn as a waveform."""

from __future__ import annotations

import atexit
import subprocess
import time
from pathlib import Path
from threading import Event
from typing import IO

from pesearch.audio_track import AudioTrack
from pesearch.errors import MediaError
from pesearch.media.display import COLOUR_TAGS, VIDEO_COLOURS, Display, even_size
from pesearch.media.excerpt_sound import direct_sound, heard_sound
from pesearch.media.ffmpeg import file_url, input_url, run_program, start_ffmpeg
from pesearch.media.pipes import wait_readable
from pesearch.media.probe import inspect
from pesearch.media.seeking import shown_filter, shown_rate, start_for
from pesearch.temporary_folder import TemporaryFolder

_MAX_SECONDS_PER_SECOND = 10.0
"""Longest time to transcode a second of media, in addition to `_STARTUP_SECONDS`: beyond it FFmpeg hangs."""

_STARTUP_SECONDS = 30.0
"""Added to the time limit for opening the file and seeking."""

_POLL_SECONDS = 0.05
"""How often cancellation and the time limit are checked."""

_MAX_WIDTH, _MAX_HEIGHT = 1280, 720
"""Largest size of a proxy in pixels."""

_WAVEFORM_COLOUR = "0x7f8fa9"
"""A grey blue that is visible on white and on black."""


def write_proxy(
    path: Path,
    start_seconds: float,
    end_seconds: float,
    target: Path,
    cancelled: Event,
    track: AudioTrack | None = None,
) -> None:
    """Write `[start_seconds, end_seconds)` to `target` as MP4: H.264 of at most 1280 x 720 and AAC, or AAC alone.

    The index comes first, so that playback can start before the file is read to its end. FFmpeg is killed when this
    process exits or `cancelled` is set. Errors: MediaError when cancelled, beyond the end of the file, or when nothing
    can be decoded; FFmpegMissing.
    """
    container = inspect(path, track)
    if start_seconds >= container.info.duration_seconds:
        raise MediaError(f"lasts {container.info.duration_seconds:.1f} s: there is nothing at {start_seconds:.1f} s")
    end = min(end_seconds, container.info.duration_seconds)
    start = start_for(path, container, start_seconds)
    video, display = [], container.display
    if display is not None:
        filters = shown_filter(start, shown_rate(container)), display.filters(*_fitted(display)), VIDEO_COLOURS
        video = [
            "-map", f"0:{container.video_index}", "-vf", ",".join(filters), *COLOUR_TAGS,
            "-c:v", "libx264", "-preset", "veryfast", "-crf", "24",
        ]  # fmt: skip
    with TemporaryFolder() as scratch:
        if container.is_sound_plain or container.sound is None:
            sound = direct_sound(container, start)
        else:
            sound = heard_sound(path, start_seconds, end, Path(scratch) / "sound.wav", track)
        audio = [*sound.output_options, "-c:a", "aac", "-b:a", "128k", "-ac", "2"] if sound.output_options else []
        process, pipe = start_ffmpeg(
            "-threads", "2", *start.input_options(container, path), *sound.input_options,
            "-t", f"{end - start_seconds:.3f}", *video, *audio,
            "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1",
            "-threads", "2", "-movflags", "+faststart", "-f", "mp4", "-y", file_url(target),
        )  # fmt: skip
        _wait(process, pipe, cancelled, _STARTUP_SECONDS + _MAX_SECONDS_PER_SECOND * (end_seconds - start_seconds))
    if process.returncode or not target.stat().st_size:
        raise MediaError(f"damaged: nothing can be decoded at {start_seconds:.1f} s")


def _fitted(display: Display) -> tuple[int, int]:
    """The size of a proxy: at most 1280 x 720, even, and never enlarged."""
    scale = min(1.0, _MAX_WIDTH / display.width, _MAX_HEIGHT / display.height)
    return even_size(round(display.width * scale), round(display.height * scale))


def _wait(process: subprocess.Popen[bytes], pipe: IO[bytes], cancelled: Event, timeout_seconds: float) -> None:
    """Wait for FFmpeg, which writes nothing to its pipe; kill it on timeout, on cancellation and at exit."""
    deadline = time.monotonic() + timeout_seconds
    atexit.register(process.kill)
    with process:
        try:
            while process.poll() is None:
                if time.monotonic() > deadline:
                    raise MediaError(f"damaged: FFmpeg did not finish within {timeout_seconds:.0f} s")
                if cancelled.is_set():
                    raise MediaError("cancelled")
                if wait_readable([pipe], _POLL_SECONDS):  # closed by its end
                    process.wait()
        finally:
            process.kill()
            atexit.unregister(process.kill)


def render_waveform(
    path: Path,
    start_seconds: float,
    end_seconds: float,
    width: int = 1200,
    height: int = 120,
    track: AudioTrack | None = None,
) -> bytes:
    """The loudness of `[start_seconds, end_seconds)` over time as a PNG with a transparent background.

    Silence is a line. Time beyond the end of the audio is drawn as silence, so that the width always covers the
    interval. Errors: MediaError when the file has no audio or none can be decoded there; FFmpegMissing.
    """
    container = inspect(path, track)
    if container.audio_index is None:
        raise MediaError("has no sound")
    if start_seconds >= container.info.duration_seconds:
        raise MediaError(f"lasts {container.info.duration_seconds:.1f} s: there is nothing at {start_seconds:.1f} s")
    seconds = f"{end_seconds - start_seconds:.3f}"
    with TemporaryFolder() as scratch:
        seek = ("-ss", f"{start_seconds:.3f}", "-t", seconds, *container.input_options)
        source: tuple[str | bytes, ...] = (*seek, "-i", input_url(path))
        stream = str(container.audio_index)
        if not container.is_sound_plain:
            sound = heard_sound(path, start_seconds, end_seconds, Path(scratch) / "sound.wav", track)
            source, stream = sound.input_options, "0"
        png = run_program(
            "ffmpeg", "-v", "quiet", "-nostdin", *source,
            "-filter_complex", f"[0:{stream}]aresample=16000:async=1:first_pts=0,"
            f"aformat=channel_layouts=mono,apad=whole_dur={seconds},"
            f"showwavespic=s={width}x{height}:scale=sqrt:draw=full:colors={_WAVEFORM_COLOUR}",
            "-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "pipe:1",
        ).stdout  # fmt: skip
    if not png:
        raise MediaError(f"damaged: no sound can be decoded at {start_seconds:.1f} s")
    return png
