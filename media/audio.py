"""Sound as the encoders hear it: 48 kHz, mono, float32, on the file's own clock.

The sound is decoded by an `ffmpeg` process that is read forwards: it skips broken packets, fills holes and late
starts with silence, and resamples in one go. (torchcodec's AudioDecoder fails for a whole file at its first broken
packet, and rewinds to the beginning for each range that overlaps the one before.)
"""

from __future__ import annotations

import math
import select
import subprocess
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import TIMEOUT_SECONDS, input_url, start_ffmpeg
from pesearch.media.probe import inspect
from pesearch.timeline import SAMPLE_RATE
from pesearch.types import FloatArray

_ON_THE_CLOCK = "aresample=async=1:first_pts=0:rematrix_maxval=1"
"""Holes and a late start become silence; channels are mixed to their mean, so that nothing clips."""

_AS_STAMPED = ("-dts_delta_threshold", "1e6")
"""Where a transport stream's clock jumps, ffmpeg would close the gap, and sound would run ahead of the pictures."""

_BYTES = 4
_CHUNK_BYTES = 1 << 16
_SKIP_SAMPLES = 60 * SAMPLE_RATE
"""Up to here reading on is cheaper than a new process, and exact in formats that cannot seek to a sample."""


class AudioReader:
    """The sound of one file, held open. Cheapest when read forwards; ranges may overlap or lie anywhere.

    `duration_seconds` is the file's. It keeps what the last range held, no more. One thread at a time. Errors:
    MediaError when the file has no sound or none of it can be decoded; FFmpegMissing.
    """

    def __init__(self, path: Path) -> None:
        container = inspect(path)
        if container.audio_index is None:
            raise MediaError("has no sound")
        self._path = path
        self._stream = container.audio_index
        self.duration_seconds = container.info.duration_seconds
        self._length = math.ceil(self.duration_seconds * SAMPLE_RATE)
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: IO[bytes] | None = None
        self._first = 0  # the sample at which the buffer begins
        self._buffer = bytearray()
        self._ended = False
        self._from_start = False
        self._heard_anything = False

    def read(self, start_seconds: float, end_seconds: float) -> FloatArray:
        """The samples of [start, end): float32 [round((end - start) * 48000)], silence where the file has nothing."""
        count = round((end_seconds - start_seconds) * SAMPLE_RATE)
        samples = np.zeros(max(count, 0), dtype=np.float32)
        first = round(start_seconds * SAMPLE_RATE)
        begin, end = max(first, 0), min(first + len(samples), self._length)  # outside the file there is silence
        if end > begin:
            heard = self._samples(begin, end - begin)
            samples[begin - first : begin - first + len(heard)] = heard
        return samples

    def _samples(self, first: int, count: int) -> FloatArray:
        read_to = self._first + len(self._buffer) // _BYTES
        if self._process is None or first < self._first or (first > read_to + _SKIP_SAMPLES and not self._ended):
            self._restart(first)
        self._drop_before(first)
        while not self._ended and (self._first < first or len(self._buffer) < count * _BYTES):
            self._buffer += self._receive()
            self._drop_before(first)
        if self._first < first:  # the sound ended before this range
            return np.zeros(0, dtype=np.float32)
        whole = min(count, len(self._buffer) // _BYTES) * _BYTES
        heard: FloatArray = np.frombuffer(bytes(self._buffer[:whole]), dtype="<f4").astype(np.float32)
        heard[~np.isfinite(heard)] = 0.0  # damaged float samples
        return heard

    def _drop_before(self, first: int) -> None:
        count = min(first - self._first, len(self._buffer) // _BYTES)
        del self._buffer[: count * _BYTES]
        self._first += count

    def _receive(self) -> bytes:
        assert self._pipe is not None and self._process is not None
        poll = select.poll()  # select.select fails above 1023 open files
        poll.register(self._pipe, select.POLLIN)
        if not poll.poll(TIMEOUT_SECONDS * 1000):
            self.close()
            raise MediaError(f"damaged: its sound did not decode in {TIMEOUT_SECONDS:.0f} s")
        received = self._pipe.read(_CHUNK_BYTES) or b""
        self._ended = not received
        self._heard_anything |= bool(received)
        if self._ended and self._from_start and not self._heard_anything:
            self.close()
            raise MediaError("damaged: none of its sound can be decoded")
        return received

    def _restart(self, first: int) -> None:
        self.close()
        seek = ["-ss", f"{first / SAMPLE_RATE:.6f}"] if first else []
        self._process, self._pipe = start_ffmpeg(
            *seek, *_AS_STAMPED, "-i", input_url(self._path), "-map", f"0:{self._stream}",
            "-af", _ON_THE_CLOCK, "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "f32le", "pipe:1",
        )  # fmt: skip
        self._first, self._ended, self._from_start = first, False, first == 0

    def close(self) -> None:
        """End the decoding process."""
        if self._process is not None and self._pipe is not None:
            self._process.kill()
            self._pipe.close()
            self._process.wait()
        self._process, self._pipe = None, None
        self._buffer.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def read_audio(path: Path, start_seconds: float, end_seconds: float) -> FloatArray:
    """One range of a file's sound: float32 [round((end - start) * 48000)], 48 kHz mono. Errors: MediaError."""
    with AudioReader(path) as reader:
        return reader.read(start_seconds, end_seconds)
