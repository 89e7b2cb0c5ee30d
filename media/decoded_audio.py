"""Decoded audio with its timestamps, from a running `ffmpeg`.

FFmpeg rebuilds its filters where a stream changes its channels or rate, and any filter that pads or closes gaps starts
again there. So the timestamps of the decoded frames are read as well, from the log of the `ashowinfo` filter, and
whoever reads decides where each frame belongs.
"""

from __future__ import annotations

import re
import select
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from os import read as read_descriptor
from pathlib import Path

import numpy as np

from pesearch.errors import MediaError
from pesearch.media.audio_choice import Sound
from pesearch.media.ffmpeg import TIMEOUT_SECONDS, input_url, start_logged_ffmpeg
from pesearch.timeline import SAMPLE_RATE
from pesearch.types import FloatArray

_SAMPLE_BYTES = 4
"""float32."""

_READ_BYTES = 1 << 16
"""Read from a pipe at once."""

_MAX_SILENCE = 2 / 32768
"""Largest sample of silence: dither of 16 bits. AC-3 decodes silence to noise of half of it."""

_MAX_LOG_BYTES = 1 << 16
"""Of the log, this much without a frame is kept: FFmpeg's messages about a damaged file."""

_ROUNDING_SECONDS = 0.002
"""Timestamps are rounded to the clock of their container: a millisecond in Matroska and FLV."""

_FRAME = re.compile(rb" pts:(-?\d+|NOPTS) pts_time:.{0,400}? nb_samples:(\d+) ")
"""A frame in the log of `ashowinfo`, in each version of FFmpeg since 2: one write, so never torn by other messages."""

_KEEP_TIMESTAMPS = ("-copyts",)
"""FFmpeg neither moves the start to 0 nor closes what it takes for jumps of a transport stream's clock."""


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """One frame or several without a gap: samples of 48 kHz float32 [n, channels]. `timestamp_seconds` is on the file's
    clock, None if it has none."""

    timestamp_seconds: float | None
    samples: FloatArray


def sound_filter(sound: Sound) -> str:
    """The filter graph from the streams of `sound` to the output `[out]`, at 48 kHz float32."""
    resampled = f"aresample={SAMPLE_RATE}:rematrix_maxval=1,aformat=sample_fmts=flt:sample_rates={SAMPLE_RATE}"
    if len(sound.streams) > 1:
        mono = "".join(f"[0:{index}]{resampled}:channel_layouts=mono[m{index}];" for index in sound.streams)
        merged = "".join(f"[m{index}]" for index in sound.streams)
        return f"{mono}{merged}amerge=inputs={len(sound.streams)},ashowinfo[out]"
    if sound.is_ambisonic:
        return f"[0:{sound.streams[0]}]pan=mono|c0=c0,{resampled},ashowinfo[out]"
    layout = "" if sound.is_discrete else f":channel_layouts={'mono' if sound.channels == 1 else 'stereo'}"
    return f"[0:{sound.streams[0]}]{resampled}{layout},ashowinfo[out]"


class AudioDecoder:
    """A running decoder of the sound of one file, from a time on. Errors of `receive`: MediaError; FFmpegMissing."""

    def __init__(self, path: Path, sound: Sound, options: Sequence[str], start_seconds: float) -> None:
        """`options` are the input options of the file. `start_seconds` counts from the start of its clock."""
        unguessed = ("-guess_layout_max", "0") if sound.is_discrete and len(sound.streams) == 1 else ()
        seek = ("-ss", f"{start_seconds:.6f}") if start_seconds > 0 else ()
        self.process, self._pipe, self._log = start_logged_ffmpeg(
            *seek, *_KEEP_TIMESTAMPS, *options, *unguessed, "-i", input_url(path), "-filter_complex",
            sound_filter(sound), "-map", "[out]", "-f", "f32le", "pipe:1",
        )  # fmt: skip
        self._frame_bytes = _SAMPLE_BYTES * sound.channels
        self._channels = sound.channels
        self._announced: deque[tuple[float | None, int]] = deque()
        self._messages = bytearray()
        self._samples = bytearray()
        self._poll = select.poll()  # select.select fails above 1023 open files
        self._open = {self._pipe.fileno(): self._samples, self._log.fileno(): self._messages}
        for descriptor in self._open:
            self._poll.register(descriptor, select.POLLIN)
        self.has_ended = False

    def receive(self) -> list[DecodedFrame]:
        """The next frames, some or none; `has_ended` is set with the last ones."""
        ready = self._poll.poll(TIMEOUT_SECONDS * 1000)
        if not ready:
            raise MediaError(f"damaged: its sound did not decode in {TIMEOUT_SECONDS:.0f} s")
        for descriptor, _ in ready:
            received = read_descriptor(descriptor, _READ_BYTES)
            self._open[descriptor] += received
            if not received:
                self._poll.unregister(descriptor)
                del self._open[descriptor]
        self._read_log()
        self.has_ended = not self._open
        frames = []
        while (frame := self._next_frame()) is not None:
            frames.append(frame)
        return frames

    def _next_frame(self) -> DecodedFrame | None:
        """The next frame that is complete, with those that follow it without a gap."""
        available = len(self._samples) // self._frame_bytes
        if not self._announced or self._announced[0][1] > available:
            return None
        timestamp, total = self._announced.popleft()
        while self._announced and timestamp is not None:
            following, count = self._announced[0]
            is_next = following is not None and abs(following - timestamp - total / SAMPLE_RATE) < _ROUNDING_SECONDS
            if not is_next or total + count > available:
                break
            total += count
            self._announced.popleft()
        return DecodedFrame(timestamp, self._take(total))

    def _read_log(self) -> None:
        end = 0
        for found in _FRAME.finditer(self._messages):
            pts, count = found.groups()
            self._announced.append((None if pts == b"NOPTS" else int(pts) / SAMPLE_RATE, int(count)))
            end = found.end()
        del self._messages[: max(end, len(self._messages) - _MAX_LOG_BYTES)]

    def _take(self, count: int) -> FloatArray:
        size_bytes = count * self._frame_bytes
        flat: FloatArray = np.frombuffer(bytes(self._samples[:size_bytes]), dtype="<f4").astype(np.float32)
        del self._samples[:size_bytes]
        return flat.reshape(count, self._channels)

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self._pipe.close()
        self._log.close()
        self.process.wait()


def is_digital_silence(path: Path, stream: int, options: Sequence[str]) -> bool:
    """Whether no sample of a stream is above the noise of coding, or none can be decoded. Decodes up to the first."""
    decoder = AudioDecoder(path, Sound((stream,), 1), options, 0.0)
    try:
        while not decoder.has_ended:
            if any(np.abs(frame.samples).max(initial=0.0) > _MAX_SILENCE for frame in decoder.receive()):
                return False
    except MediaError:
        return True
    finally:
        decoder.close()
    return True
