"""Audio decoding for the encoders: 48 kHz, mono, float32, on the player's clock.

An `ffmpeg` process decodes the audio and is read forwards: it skips broken packets, fills gaps and late starts with
silence, and resamples in one pass. (torchcodec's AudioDecoder stops at the first broken packet of a file, and
rewinds to the start for each range that overlaps the previous one.)
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
from pesearch.types import FloatArray, Remark

_RESAMPLE_FILTER = "aresample=async=1:first_pts=0:rematrix_maxval=1"
"""Fills gaps and a late start with silence; mixes channels to their mean, so that nothing clips."""

_KEEP_CLOCK_JUMPS = ("-dts_delta_threshold", "1e6")
"""Without it ffmpeg closes the gap where a transport stream's clock jumps, and audio runs ahead of the video."""

_SAMPLE_BYTES = 4
"""float32."""

_READ_BYTES = 1 << 16
"""Read from the pipe at once."""

_MAX_SKIP_SAMPLES = 60 * SAMPLE_RATE
"""Up to this far ahead, decoding on is cheaper than a new process, and exact where a format cannot seek to a sample."""


class AudioReader:
    """The audio stream of one file, held open. Cheapest when read forwards; ranges may overlap and come in any order.

    `duration_seconds` is the file's. Buffers no more than the last range. Not thread-safe. Errors: MediaError when the
    file has no audio or none of it can be decoded; FFmpegMissing.
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
        self._first = 0  # sample at which the buffer starts
        self._buffer = bytearray()
        self._ended = False
        self._from_start = False
        self._decoded_anything = False

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What was left out or guessed, known once the file is read."""
        return ()

    def read(self, start_seconds: float, end_seconds: float) -> FloatArray:
        """The samples of [start, end): float32 [round((end - start) * 48000)], silence outside the file and in gaps."""
        count = round((end_seconds - start_seconds) * SAMPLE_RATE)
        samples = np.zeros(max(count, 0), dtype=np.float32)
        first = round(start_seconds * SAMPLE_RATE)
        begin, end = max(first, 0), min(first + len(samples), self._length)
        if end > begin:
            inside = self._samples(begin, end - begin)
            samples[begin - first : begin - first + len(inside)] = inside
        return samples

    def _samples(self, first: int, count: int) -> FloatArray:
        read_to = self._first + len(self._buffer) // _SAMPLE_BYTES
        is_far = first > read_to + _MAX_SKIP_SAMPLES and not self._ended
        if self._process is None or first < self._first or is_far:
            self._restart(first)
        self._drop_before(first)
        while not self._ended and (self._first < first or len(self._buffer) < count * _SAMPLE_BYTES):
            self._buffer += self._receive()
            self._drop_before(first)
        if self._first < first:  # the audio ended before this range
            return np.zeros(0, dtype=np.float32)
        size_bytes = min(count, len(self._buffer) // _SAMPLE_BYTES) * _SAMPLE_BYTES
        samples: FloatArray = np.frombuffer(bytes(self._buffer[:size_bytes]), dtype="<f4").astype(np.float32)
        samples[~np.isfinite(samples)] = 0.0  # damaged float samples
        return samples

    def _drop_before(self, first: int) -> None:
        count = min(first - self._first, len(self._buffer) // _SAMPLE_BYTES)
        del self._buffer[: count * _SAMPLE_BYTES]
        self._first += count

    def _receive(self) -> bytes:
        assert self._pipe is not None and self._process is not None
        poll = select.poll()  # select.select fails above 1023 open files
        poll.register(self._pipe, select.POLLIN)
        if not poll.poll(TIMEOUT_SECONDS * 1000):
            self.close()
            raise MediaError(f"damaged: its sound did not decode in {TIMEOUT_SECONDS:.0f} s")
        received = self._pipe.read(_READ_BYTES) or b""
        self._ended = not received
        self._decoded_anything |= bool(received)
        if self._ended and self._from_start and not self._decoded_anything:
            self.close()
            raise MediaError("damaged: none of its sound can be decoded")
        return received

    def _restart(self, first: int) -> None:
        self.close()
        seek = ["-ss", f"{first / SAMPLE_RATE:.6f}"] if first else []
        self._process, self._pipe = start_ffmpeg(
            *seek, *_KEEP_CLOCK_JUMPS, "-i", input_url(self._path), "-map", f"0:{self._stream}",
            "-af", _RESAMPLE_FILTER, "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "f32le", "pipe:1",
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
    """One range of a file's audio as AudioReader.read gives it. Errors: MediaError; FFmpegMissing."""
    with AudioReader(path) as reader:
        return reader.read(start_seconds, end_seconds)
