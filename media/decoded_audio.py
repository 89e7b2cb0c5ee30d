"""Decoded audio with its timestamps, from a running `ffmpeg`.

FFmpeg rebuilds its filters where a stream changes its channels or rate, and any filter that pads or closes gaps starts
again there. So the last filter writes timestamps to the log, and whoever reads decides where the samples belong. It
writes those of the frames that do not follow the one before: writing and reading that of each frame made decoding 40 %
slower. Where filters are rebuilt the count of samples is lost, and only then all are written.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pesearch.errors import MediaError
from pesearch.media.audio_choice import Sound
from pesearch.media.ffmpeg import TIMEOUT_SECONDS, input_url, start_logged_ffmpeg
from pesearch.media.pipes import wait_readable
from pesearch.timeline import SAMPLE_RATE
from pesearch.types import FloatArray

_SAMPLE_BYTES = 4
"""float32."""

_READ_BYTES = 1 << 16
"""Read from a pipe at once."""

_MAX_SILENCE = 2 / 32768
"""Largest sample of silence: dither of 16 bits. AC-3 decodes silence to noise of half of it."""

_MAX_LOG_BYTES = 1 << 12
"""Of the log, this much without a timestamp is kept."""

_ROUNDING_SAMPLES = 96
"""2 ms: timestamps are rounded to the clock of their container, a millisecond in Matroska and FLV."""

_NUMBER = rb"^(?:\[Eval[^\]\n]*\] |\x1b\[[\d;]*m)*(?:(\d+)\.25|(-?\d+)\.5|-?nan)0*\n"
"""A line of the log: a count of samples and 0.25, or a timestamp in samples and 0.5, `nan` if a frame has none. It
begins with a name in some versions of FFmpeg, and with colors where the user wants them (AV_LOG_FORCE_COLOR)."""

_DECODING_ERROR = rb"(Error while decoding stream|Error submitting packet to decoder|Decoding error: )"
"""How versions of FFmpeg report a packet that cannot be decoded: 5, 6, and 6.1."""

_LOGGED = re.compile(_NUMBER + rb"|" + _DECODING_ERROR, re.MULTILINE)

_KEEP_TIMESTAMPS = ("-copyts",)
"""FFmpeg neither moves the start to 0 nor closes what it takes for jumps of a transport stream's clock."""


class FiltersRebuilt(Exception):
    """The stream changed: what was decoded since the last `receive` cannot be placed without each timestamp."""


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """One frame or several without a gap: samples of 48 kHz float32 [n, channels]. `timestamp_seconds` is on the file's
    clock, None if it has none. `after_failure`: packets before it could not be decoded."""

    timestamp_seconds: float | None
    samples: FloatArray
    after_failure: bool


class _Start(NamedTuple):
    """A sample whose timestamp is known, and whether packets before it could not be decoded."""

    sample: int
    timestamp_seconds: float | None
    after_failure: bool


def sound_filter(sound: Sound, *, each_timestamp: bool) -> str:
    """The filter graph from the streams of `sound` to the output `[out]`, at 48 kHz float32."""
    resampled = f"aresample={SAMPLE_RATE}:rematrix_maxval=1,aformat=sample_fmts=flt:sample_rates={SAMPLE_RATE}"
    end = f"{_written_timestamps(each_timestamp)}[out]"
    if len(sound.streams) > 1:
        mono = "".join(f"[0:{index}]{resampled}:channel_layouts=mono[m{index}];" for index in sound.streams)
        merged = "".join(f"[m{index}]" for index in sound.streams)
        return f"{mono}{merged}amerge=inputs={len(sound.streams)},{end}"
    if sound.is_ambisonic:
        return f"[0:{sound.streams[0]}]pan=mono|c0=c0,{resampled},{end}"
    layout = "" if sound.is_discrete else f":channel_layouts={'mono' if sound.channels == 1 else 'stereo'}"
    return f"[0:{sound.streams[0]}]{resampled}{layout},{end}"


def _written_timestamps(each: bool) -> str:
    """The filter that writes to the log, at the level of errors (16), and changes nothing.

    Before a frame that does not follow: the count of samples before it, its timestamp. Before each frame, if `each`:
    its own count, its timestamp. Variable 0 is the timestamp at which the next frame follows.
    """
    if each:
        return "asetpts='print(NB_SAMPLES+0.25,16);print(PTS+0.5,16);PTS'"
    follows = f"gt(N,0)*lte(abs(PTS-ld(0)),{_ROUNDING_SAMPLES})"
    written = "print(N+0.25,16);print(PTS+0.5,16);st(0,PTS)"
    return f"asetpts='if(not({follows}),{written});st(0,ld(0)+NB_SAMPLES);PTS'"


class AudioDecoder:
    """A running decoder of the sound of one file, from a time on.

    Errors of `receive`: MediaError; FFmpegMissing; FiltersRebuilt unless `each_timestamp` is written.
    """

    def __init__(
        self, path: Path, sound: Sound, options: Sequence[str], start_seconds: float, *, each_timestamp: bool
    ) -> None:
        """`options` are the input options of the file. `start_seconds` counts from the start of its clock."""
        unguessed = ("-guess_layout_max", "0") if sound.is_discrete and len(sound.streams) == 1 else ()
        seek = ("-ss", f"{start_seconds:.6f}") if start_seconds > 0 else ()
        self.process, self._pipe, self._log = start_logged_ffmpeg(
            *seek, *_KEEP_TIMESTAMPS, *options, *unguessed, "-i", input_url(path), "-filter_complex",
            sound_filter(sound, each_timestamp=each_timestamp), "-map", "[out]", "-f", "f32le",
            "-flush_packets", "0", "pipe:1",
        )  # fmt: skip
        self._open_log = [self._log]  # until its end
        self._frame_bytes = _SAMPLE_BYTES * sound.channels
        self._channels = sound.channels
        self._each_timestamp = each_timestamp
        self._starts: deque[_Start] = deque()
        self._count: int | None = None  # written, without its timestamp as yet
        self._counted = 0  # samples that were written of, if each timestamp is
        self._position = 0  # samples taken
        self._has_failed = False  # since the last start
        self._messages = bytearray()
        self._samples = bytearray()
        self.has_ended = False

    def receive(self) -> list[DecodedFrame]:
        """The next frames, some or none; `has_ended` is set with the last ones."""
        ready = wait_readable([self._pipe, *self._open_log], TIMEOUT_SECONDS)
        if not ready:
            raise MediaError(f"damaged: its sound did not decode in {TIMEOUT_SECONDS:.0f} s")
        if self._pipe in ready:
            received = os.read(self._pipe.fileno(), _READ_BYTES)
            self._samples += received
            self.has_ended = not received
        self._read_log()  # after the samples: a timestamp is written before the samples that it belongs to
        frames = []
        while (frame := self._next_frame()) is not None:
            frames.append(frame)
        return frames

    def _next_frame(self) -> DecodedFrame | None:
        """The samples up to the next one with a timestamp of its own."""
        end = self._position + len(self._samples) // self._frame_bytes
        if end == self._position:
            return None
        while len(self._starts) > 1 and self._starts[1].sample <= self._position:
            self._starts.popleft()
        start = self._starts[0] if self._starts else _Start(0, None, False)
        if len(self._starts) > 1:
            end = min(end, self._starts[1].sample)
        into, timestamp = self._position - start.sample, start.timestamp_seconds
        if timestamp is not None:
            timestamp += into / SAMPLE_RATE
        return DecodedFrame(timestamp, self._take(end - self._position), start.after_failure and into == 0)

    def _read_log(self) -> None:
        """Read all that is in the log now."""
        while wait_readable(self._open_log, 0.0):
            received = os.read(self._log.fileno(), _READ_BYTES)
            if not received:
                self._open_log.clear()
            self._messages += received
            self._read_messages()

    def _read_messages(self) -> None:
        end = 0
        for found in _LOGGED.finditer(self._messages):
            count, timestamp, failure = found.groups()
            if failure is not None:
                self._has_failed = True
            elif count is not None:
                self._count = int(count)
            elif self._count is not None:
                self._add_start(self._count, None if timestamp is None else int(timestamp) / SAMPLE_RATE)
                self._count = None
            end = found.end()
        del self._messages[: max(end, len(self._messages) - _MAX_LOG_BYTES)]

    def _add_start(self, count: int, timestamp: float | None) -> None:
        if self._each_timestamp:
            count, self._counted = self._counted, self._counted + count
        elif count == 0 and self._starts:
            raise FiltersRebuilt
        self._starts.append(_Start(count, timestamp, self._has_failed))
        self._has_failed = False

    def _take(self, count: int) -> FloatArray:
        stored = np.frombuffer(self._samples, dtype="<f4", count=count * self._channels)
        flat: FloatArray = stored.astype(np.float32)
        del stored  # a bytearray that is looked into cannot be resized
        del self._samples[: count * self._frame_bytes]
        self._position += count
        return flat.reshape(count, self._channels)

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self._pipe.close()
        self._log.close()
        self.process.wait()


def is_digital_silence(path: Path, stream: int, options: Sequence[str]) -> bool:
    """Whether no sample of a stream is above the noise of coding, or none can be decoded. Decodes up to the first."""
    decoder = AudioDecoder(path, Sound((stream,), 1), options, 0.0, each_timestamp=True)
    try:
        while not decoder.has_ended:
            if any(np.abs(frame.samples).max(initial=0.0) > _MAX_SILENCE for frame in decoder.receive()):
                return False
    except MediaError:
        return True
    finally:
        decoder.close()
    return True
