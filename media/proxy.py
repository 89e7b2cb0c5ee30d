"""Stretches of a file for a browser: cut out as H.264 and AAC when it cannot play the file, or drawn as a waveform."""

from __future__ import annotations

import atexit
import subprocess
import time
from pathlib import Path
from threading import Event

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import input_url, run_program, start_ffmpeg
from pesearch.media.probe import inspect

_SLOWEST = 10.0
"""FFmpeg may take this many times as long as the stretch lasts, and half a minute: then it hangs."""

_LOOK_SECONDS = 0.1
"""How often it is looked whether the cut is still wanted."""

_WAVE_COLOUR = "0x7f8fa9"
"""A grey blue that is seen on white and on black."""


def write_proxy(path: Path, start_seconds: float, end_seconds: float, target: Path, unwanted: Event) -> None:
    """Write `[start_seconds, end_seconds)` to `target` as MP4: H.264 of at most 1280 x 720 and AAC, or AAC alone.

    It is made to be played while it is read. FFmpeg ends with this process, and when nobody wants the cut any more.
    Errors: MediaError when that was so, when there is nothing to cut or to be decoded; FFmpegMissing.
    """
    container = inspect(path)
    if start_seconds >= container.info.duration_seconds:
        raise MediaError(f"lasts {container.info.duration_seconds:.1f} s: there is nothing at {start_seconds:.1f} s")
    pictures = [] if container.video_index is None else [
        "-map", f"0:{container.video_index}", "-c:v", "libx264", "-preset", "veryfast", "-crf", "24",
        "-pix_fmt", "yuv420p", "-vf", "scale=w=1280:h=720:force_original_aspect_ratio=decrease:force_divisible_by=2,"
        "setsar=1",
    ]  # fmt: skip
    sound = [] if container.audio_index is None else [
        "-map", f"0:{container.audio_index}", "-c:a", "aac", "-b:a", "128k", "-ac", "2",
    ]  # fmt: skip
    process, _ = start_ffmpeg(
        "-threads", "2", "-ss", f"{start_seconds:.3f}", "-t", f"{end_seconds - start_seconds:.3f}",
        "-i", input_url(path), *pictures, *sound, "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1",
        "-threads", "2", "-movflags", "+faststart", "-f", "mp4", "-y", input_url(target),
    )  # fmt: skip
    _wait(process, unwanted, 30.0 + _SLOWEST * (end_seconds - start_seconds))
    if process.returncode or not target.stat().st_size:
        raise MediaError(f"damaged: nothing can be cut from it at {start_seconds:.1f} s")


def _wait(process: subprocess.Popen[bytes], unwanted: Event, most_seconds: float) -> None:
    """Until FFmpeg has ended, or has to."""
    latest = time.monotonic() + most_seconds
    atexit.register(process.kill)
    with process:
        try:
            while process.poll() is None:
                if time.monotonic() > latest:
                    raise MediaError(f"damaged: FFmpeg did not finish with it in {most_seconds:.0f} s")
                if unwanted.wait(_LOOK_SECONDS):
                    raise MediaError("was not wanted any more")
        finally:
            process.kill()
            atexit.unregister(process.kill)


def render_waveform(
    path: Path, start_seconds: float, end_seconds: float, width: int = 1200, height: int = 120
) -> bytes:
    """The loudness of `[start_seconds, end_seconds)` over time as PNG, transparent around it; silence is a line.

    What lies beyond the end of the sound is drawn as silence, so that the width is always the stretch.
    Errors: MediaError when the file has no sound or none can be decoded there; FFmpegMissing.
    """
    container = inspect(path)
    if container.audio_index is None:
        raise MediaError("has no sound")
    if start_seconds >= container.info.duration_seconds:
        raise MediaError(f"lasts {container.info.duration_seconds:.1f} s: there is nothing at {start_seconds:.1f} s")
    seconds = f"{end_seconds - start_seconds:.3f}"
    picture = run_program(
        "ffmpeg", "-v", "quiet", "-nostdin", "-ss", f"{start_seconds:.3f}", "-t", seconds, "-i", input_url(path),
        "-filter_complex", f"[0:{container.audio_index}]aresample=16000:async=1:first_pts=0,"
        f"aformat=channel_layouts=mono,apad=whole_dur={seconds},"
        f"showwavespic=s={width}x{height}:scale=sqrt:draw=full:colors={_WAVE_COLOUR}",
        "-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "pipe:1",
    ).stdout  # fmt: skip
    if not picture:
        raise MediaError(f"damaged: no sound can be decoded at {start_seconds:.1f} s")
    return picture
