"""FFmpeg on this machine: its two programs, its libraries through torchcodec, and what to do when they are missing.

The programs run as processes of their own, silent, with a time limit, in their own process group: a damaged file
that makes a demuxer crash, hang or eat memory costs that process, and Ctrl-C does not cut a sound short.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from threading import Event, Timer
from typing import IO, TYPE_CHECKING

from pesearch.errors import FFmpegMissing, MediaError

if TYPE_CHECKING:
    from torchcodec.decoders import VideoDecoder

TIMEOUT_SECONDS = 120.0
"""How long FFmpeg may stay without an answer, unless it reads a whole file."""

_MAX_ALLOC_BYTES = 1 << 30
"""The largest single block FFmpeg may ask for: damaged headers claim absurd sizes."""


def ensure_ffmpeg() -> None:
    """Check that FFmpeg's programs and shared libraries are here. Errors: FFmpegMissing with the command to run."""
    program("ffmpeg")
    program("ffprobe")
    video_decoder()


@cache
def program(name: str) -> str:
    """The path of `ffmpeg` or `ffprobe`. Errors: FFmpegMissing."""
    found = shutil.which(name)
    if found is None:
        raise FFmpegMissing(f"{name} is not on this machine: run `{install_command()}`")
    return found


@cache
def video_decoder() -> type[VideoDecoder]:
    """torchcodec's VideoDecoder, loaded when first needed (it brings torch). Errors: FFmpegMissing."""
    try:
        from torchcodec.decoders import VideoDecoder
    except (RuntimeError, OSError, ImportError) as error:
        raise FFmpegMissing(f"torchcodec finds no FFmpeg libraries it can load: run `{install_command()}`") from error
    decoder: type[VideoDecoder] = VideoDecoder
    return decoder


def install_command() -> str:
    """The one command that brings FFmpeg with its shared libraries to this system."""
    return "brew install ffmpeg" if sys.platform == "darwin" else "sudo apt-get install -y ffmpeg"


def input_url(path: Path) -> bytes:
    """A path as FFmpeg takes it: absolute, any bytes, never read as an option, a pattern or a network address."""
    return b"file:" + os.fsencode(path.absolute())


def run_program(
    name: str, *arguments: str | bytes, timeout_seconds: float = TIMEOUT_SECONDS
) -> subprocess.CompletedProcess[bytes]:
    """Run `ffmpeg` or `ffprobe` to its end. Errors: MediaError when it crashes or takes too long."""
    command = [program(name), *_limits(), *arguments]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_seconds, process_group=0
        )
    except subprocess.TimeoutExpired as error:
        raise _unfinished(timeout_seconds) from error
    _raise_crash(done.returncode)
    return done


def stream_lines(name: str, *arguments: str | bytes, timeout_seconds: float) -> Iterator[str]:
    """Run `ffmpeg` or `ffprobe` and give its lines as they come. Errors: as `run_program`."""
    command = [program(name), *_limits(), *arguments]
    is_late = Event()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, process_group=0
    ) as process:
        assert process.stdout is not None

        def end() -> None:
            is_late.set()
            process.kill()

        clock = Timer(timeout_seconds, end)
        clock.start()
        try:
            for line in process.stdout:
                yield line.decode(errors="replace").rstrip("\n")
            process.wait()
        finally:
            clock.cancel()
            process.kill()
    if is_late.is_set():
        raise _unfinished(timeout_seconds)
    _raise_crash(process.returncode)


def start_ffmpeg(*arguments: str | bytes) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """Start `ffmpeg` with its output on an unbuffered pipe. The caller kills and waits for it."""
    command = [program("ffmpeg"), "-v", "quiet", "-nostdin", *_limits(), *arguments]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        process_group=0,
    )
    assert process.stdout is not None
    return process, process.stdout


def _unfinished(timeout_seconds: float) -> MediaError:
    return MediaError(f"damaged: FFmpeg did not finish with it in {timeout_seconds:.0f} s")


def _raise_crash(code: int) -> None:
    if code < 0:
        raise MediaError(f"damaged: FFmpeg crashed on it (signal {-code})")


def _limits() -> list[str]:
    return ["-max_alloc", str(_MAX_ALLOC_BYTES), "-protocol_whitelist", "file,pipe"]
