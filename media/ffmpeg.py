"""The installed FFmpeg: its two programs, and its libraries through torchcodec.

The programs run silently, with limits of time and memory and in their own process group: a damaged file that makes a
demuxer crash, hang or exhaust memory takes down only that process, and Ctrl-C does not truncate a decode.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from threading import Event, Timer
from typing import IO, TYPE_CHECKING

from pesearch.deferred_dynamo import defer_dynamo
from pesearch.errors import FFmpegMissing, MediaError
from pesearch.gc_pause import pause_collection
from pesearch.media.demuxers import ALLOWED_DEMUXERS
from pesearch.media.ffmpeg_install import libraries_advice, programs_advice
from pesearch.media.memory_limits import LIMITS, MemoryLimits, limit_process

if TYPE_CHECKING:
    from torchcodec.decoders import VideoDecoder

if sys.platform == "win32":
    NEW_PROCESS_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    NEW_PROCESS_GROUP = 0
"""Creation flags of `Popen`, which on other systems takes `process_group`: Ctrl-C does not reach the program."""

TIMEOUT_SECONDS = 120.0
"""Time limit of a call, unless it reads a whole file (then `ffprobe.timeout_for`)."""

_MAX_LINE_BYTES = 16 << 20
"""Longest line of output: all tags of a file, whose lyrics and comments take kilobytes."""

MAX_FRAME_BYTES = 96 << 20
"""Largest single allocation of FFmpeg in this process: `frame_stream.MAX_PIXELS` of four channels with 16 bits."""


def ensure_programs() -> None:
    """Check that FFmpeg's programs are installed. Errors: FFmpegMissing with the command to run."""
    program("ffmpeg")
    program("ffprobe")


def ensure_ffmpeg() -> None:
    """Check that FFmpeg's programs and libraries are installed; imports torch. Errors: those of `ensure_programs`."""
    ensure_programs()
    video_decoder()


@cache
def program(name: str) -> str:
    """The path of `ffmpeg` or `ffprobe`. Errors: FFmpegMissing."""
    found = shutil.which(name)
    if found is None:
        raise FFmpegMissing(f"{name} is not installed: {programs_advice()}")
    return found


@cache
def video_decoder() -> type[VideoDecoder]:
    """torchcodec's VideoDecoder, imported on first use (it imports torch). Errors: FFmpegMissing."""
    try:
        with pause_collection():
            defer_dynamo()
            from torchcodec.decoders import VideoDecoder
    except (RuntimeError, OSError, ImportError) as error:
        raise FFmpegMissing(f"torchcodec cannot load FFmpeg's shared libraries: {libraries_advice()}") from error
    _limit_allocations()
    decoder: type[VideoDecoder] = VideoDecoder
    return decoder


def _limit_allocations() -> None:
    """Bound the allocations of FFmpeg here: torchcodec passes no limit, and frames may grow in mid-stream."""
    for library in _loaded_libraries("libavutil."):
        ctypes.CDLL(library).av_max_alloc(ctypes.c_size_t(MAX_FRAME_BYTES))


def _loaded_libraries(name: str) -> set[str]:
    """The paths of the shared libraries of this process whose names begin so. Linux only; elsewhere none."""
    try:
        lines = Path("/proc/self/maps").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return set()
    mapped = (line.split(maxsplit=5) for line in lines)
    return {fields[5] for fields in mapped if len(fields) > 5 and Path(fields[5]).name.startswith(name)}


def input_url(path: Path) -> bytes:
    """The URL of a file to read; of an animated WebP, that of the copy that FFmpeg can read. Errors: MediaError."""
    from pesearch.media.animated_webp import playable  # loads Pillow

    return file_url(playable(path))


def file_url(path: Path) -> bytes:
    """A path as a `file:` URL: absolute, of any bytes, never taken for an option, a pattern or a network address."""
    return b"file:" + os.fsencode(path.absolute())


def run_program(
    name: str, *arguments: str | bytes, timeout_seconds: float = TIMEOUT_SECONDS, limits: MemoryLimits | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run `ffmpeg` or `ffprobe` to completion, with the usual limits of memory unless others are given.

    Errors: MediaError when it crashes or times out; FFmpegMissing.
    """
    with _start(name, arguments, stderr=subprocess.PIPE, limits=limits) as process:
        try:
            output, log = process.communicate(timeout=timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise _timeout_error(timeout_seconds) from error
        finally:
            process.kill()
    _raise_crash(process.returncode)
    return subprocess.CompletedProcess(process.args, process.returncode, output, log)


def stream_lines(name: str, *arguments: str | bytes, timeout_seconds: float) -> Iterator[bytes]:
    """Run `ffmpeg` or `ffprobe` and yield its output line by line, as it is written; it is ended when the caller stops.

    Errors: those of `run_program`, and MediaError for a line of more than 16 MiB.
    """
    timed_out = Event()
    with _start(name, arguments) as process:
        assert process.stdout is not None

        def end() -> None:
            timed_out.set()
            process.kill()

        timer = Timer(timeout_seconds, end)
        timer.start()
        try:
            while line := process.stdout.readline(_MAX_LINE_BYTES):
                if len(line) == _MAX_LINE_BYTES:
                    raise MediaError(f"damaged: a description of more than {_MAX_LINE_BYTES >> 20} MB")
                yield line.rstrip(b"\n")
            process.wait()
        finally:
            timer.cancel()
            process.kill()
    if timed_out.is_set():
        raise _timeout_error(timeout_seconds)
    _raise_crash(process.returncode)


def start_ffmpeg(*arguments: str | bytes) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """Start `ffmpeg` with its stdout on an unbuffered pipe. The caller must kill it and wait for it."""
    process = _start("ffmpeg", ("-v", "quiet", "-nostdin", *arguments), buffer_bytes=0)
    assert process.stdout is not None
    return process, process.stdout


def start_logged_ffmpeg(*arguments: str | bytes) -> tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]:
    """Start `ffmpeg` with stdout and its log on unbuffered pipes. The caller must read both, kill and wait for it."""
    logged = ("-v", "repeat+error", "-nostdin", *arguments)
    process = _start("ffmpeg", logged, stderr=subprocess.PIPE, buffer_bytes=0)
    assert process.stdout is not None and process.stderr is not None
    return process, process.stdout, process.stderr


def _start(
    name: str,
    arguments: Sequence[str | bytes],
    stderr: int = subprocess.DEVNULL,
    buffer_bytes: int = -1,
    limits: MemoryLimits | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program with its stdout on a pipe; `stderr` and `buffer_bytes` as `Popen` takes them."""
    memory = limits or LIMITS[name]
    process = subprocess.Popen(
        [program(name), *_options(name, memory), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        bufsize=buffer_bytes,
        process_group=0,
        creationflags=NEW_PROCESS_GROUP,
    )
    limit_process(process.pid, memory)
    return process


def _timeout_error(timeout_seconds: float) -> MediaError:
    return MediaError(f"damaged: FFmpeg did not finish within {timeout_seconds:.0f} s")


def _raise_crash(code: int) -> None:
    if code < 0:
        raise MediaError(f"damaged: FFmpeg crashed on it (signal {-code})")


def _options(name: str, memory: MemoryLimits) -> list[str]:
    """Options that bound what a file can make a program do. ffprobe decodes nothing for which it needs threads."""
    return [
        "-max_alloc", str(memory.allocation_bytes), "-protocol_whitelist", "file,pipe",
        "-format_whitelist", ALLOWED_DEMUXERS, *(("-threads", "1") if name == "ffprobe" else ()),
    ]  # fmt: skip
