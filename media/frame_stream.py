"""Video frames from an `ffmpeg` process that is read forwards, as sound is.

For files in which torchcodec's seeks do not lead to the frame that is shown (MPEG streams, joined files), and for those
whose frames need more than decoding (HDR, mirrored, anamorphic). One pass at the rate of the frame grid, so that only
frames that are asked for go through the pipe.
"""

from __future__ import annotations

import math
import subprocess
from pathlib import Path
from typing import IO

import numpy as np

from pesearch.cpu_count import usable_cpus
from pesearch.errors import MediaError
from pesearch.media.container import Container
from pesearch.media.display import RGB_COLOURS
from pesearch.media.ffmpeg import TIMEOUT_SECONDS, start_ffmpeg
from pesearch.media.pipes import wait_readable
from pesearch.media.seeking import shown_filter, start_for
from pesearch.timeline import FRAMES_PER_SECOND
from pesearch.types import ImageArray

THREADS = min(4, usable_cpus())
"""FFmpeg decoding threads."""

MAX_PIXELS = 4096 * 2304
"""Larger frames are shrunk to as many by FFmpeg: still four times what the largest tower takes on each side."""

_MAX_SKIP_FRAMES = math.ceil(60 * FRAMES_PER_SECOND)
"""Up to this far ahead, decoding on is cheaper than a new process."""

_GRID_TOLERANCE = 1e-3
"""Of a step of the grid: times this close to the grid of the running process are on it."""


class FrameStream:
    """The frames of one file. Cheapest for times in order on one grid of FRAMES_PER_SECOND. Not thread-safe."""

    def __init__(self, path: Path, container: Container) -> None:
        assert container.display is not None
        self._path, self._container, self._display = path, container, container.display
        scale = min(1.0, math.sqrt(MAX_PIXELS / (self._display.width * self._display.height)))
        self._shape = (max(int(self._display.height * scale), 1), max(int(self._display.width * scale), 1), 3)
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: IO[bytes] | None = None
        self._start_seconds = 0.0
        self._count = 0  # frames received from this process
        self._shown: tuple[float, ImageArray] | None = None  # the last one, and since when it has been shown

    def at(self, seconds: float) -> tuple[float, ImageArray] | None:
        """When the frame shown at a time was first seen, and the frame; None when it cannot be decoded.

        The first time is that of the grid. Errors: MediaError when FFmpeg hangs; FFmpegMissing.
        """
        seconds = min(max(seconds, 0.0), self._container.info.duration_seconds)
        step = (seconds - self._start_seconds) * FRAMES_PER_SECOND
        number = round(step)
        is_ahead = self._count - 1 <= number <= self._count + _MAX_SKIP_FRAMES
        if self._process is None or not is_ahead or abs(step - number) > _GRID_TOLERANCE:
            self._restart(seconds)
            number = 0
        while self._count <= number:
            image = self._receive()
            if image is None:
                return None
            if self._shown is None or not np.array_equal(image, self._shown[1]):
                self._shown = self._start_seconds + self._count / FRAMES_PER_SECOND, image
            self._count += 1
        return self._shown

    def _restart(self, seconds: float) -> None:
        self.close()
        start, display = start_for(self._path, self._container, seconds), self._display
        height, width, _ = self._shape
        filters = (shown_filter(start, str(FRAMES_PER_SECOND)), display.filters(width, height))
        self._process, self._pipe = start_ffmpeg(
            "-threads", str(THREADS), *start.input_options(self._container, self._path),
            "-map", f"0:{self._container.video_index}", "-vf", ",".join((*filters, RGB_COLOURS)),
            "-f", "rawvideo", "pipe:1",
        )  # fmt: skip
        self._start_seconds, self._count, self._shown = float(seconds), 0, None

    def _receive(self) -> ImageArray | None:
        """The next frame, uint8 [height, width, 3]; None when the process has ended."""
        assert self._pipe is not None
        pixels = bytearray(math.prod(self._shape))
        at = 0
        while at < len(pixels):
            if not wait_readable([self._pipe], TIMEOUT_SECONDS):
                self.close()
                raise MediaError(f"damaged: its pictures did not decode in {TIMEOUT_SECONDS:.0f} s")
            received = self._pipe.readinto(memoryview(pixels)[at:])  # type: ignore[attr-defined]  # IO in typeshed lacks readinto, FileIO has it
            if not received:
                return None
            at += received
        return np.frombuffer(pixels, np.uint8).reshape(self._shape)

    def close(self) -> None:
        """End the decoding process."""
        if self._process is not None and self._pipe is not None:
            self._process.kill()
            self._pipe.close()
            self._process.wait()
        self._process, self._pipe = None, None
