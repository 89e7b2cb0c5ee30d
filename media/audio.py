"""Audio decoding for the encoders: 48 kHz, mono, float32, on the player's clock.

An `ffmpeg` process decodes the audio and is read forwards: it skips broken packets and resamples in one pass. Each
decoded frame is placed by its timestamp; gaps and a late start are silence. (torchcodec's AudioDecoder stops at the
first broken packet of a file, and rewinds to the start for each range that overlaps the previous one.)
"""

from __future__ import annotations

import math
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from pesearch.audio_track import AudioTrack
from pesearch.errors import MediaError
from pesearch.media.clock import RunFollower
from pesearch.media.decoded_audio import AudioDecoder, DecodedFrame, FiltersRebuilt
from pesearch.media.downmix import BLOCK_SAMPLES, Mixer
from pesearch.media.probe import inspect
from pesearch.media.sound_level import SoundLevel, is_usual, measure_level
from pesearch.timeline import SAMPLE_RATE
from pesearch.types import FloatArray, Remark

_MAX_SKIP_SAMPLES = 60 * SAMPLE_RATE
"""Up to this far ahead, decoding on is cheaper than a new process, and exact where a format cannot seek to a sample."""

_MAX_DRIFT_SAMPLES = SAMPLE_RATE // 10
"""A frame this close to the end of the one before it follows without a gap: timestamps are rounded, and drift."""


class AudioReader:
    """The sound of one file, held open. Cheapest when read forwards; ranges may overlap and come in any order.

    `duration_seconds` is the file's. Buffers no more than the last range. Not thread-safe. Errors: MediaError when the
    file has no audio or none of it can be decoded; FFmpegMissing.
    """

    def __init__(self, path: Path, track: AudioTrack | None = None, *, is_levelled: bool = True) -> None:
        """`track` is the user's choice of a stream. `is_levelled` brings unusual levels to the usual one."""
        container = inspect(path, track)
        if container.sound is None:
            raise MediaError("has no sound")
        self._path, self._track, self._container = path, track, container
        self._sound = container.sound
        self.duration_seconds = container.info.duration_seconds
        self._length = math.ceil(self.duration_seconds * SAMPLE_RATE)
        self._level = None if is_levelled else SoundLevel()
        self._decoder: AudioDecoder | None = None
        self._pieces: deque[tuple[int, FloatArray]] = deque()  # first sample, samples [n]; in order
        self._first = 0  # pieces before it were dropped
        self._end = 0  # sample up to which the pieces are complete
        self._begin = 0  # sample from which on frames are kept
        self._next: int | None = None  # where the next decoded frame belongs if it follows the last one
        self._mixer = Mixer(self._sound.is_discrete)
        self._each_timestamp = False  # the stream changes
        self._lost_samples = 0  # in gaps after packets that could not be decoded
        self._from_start = False
        self._decoded_anything = False

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What is not heard as it is stored, of the part that was decoded last."""
        damaged_samples = self._mixer.damaged_samples / self._sound.channels
        counts = (
            ("sound could not be decoded in places", self._lost_samples),
            ("damaged samples are silence", damaged_samples),
        )
        return tuple(Remark(reason, count / SAMPLE_RATE) for reason, count in counts if count)

    def read(self, start_seconds: float, end_seconds: float) -> FloatArray:
        """The samples of [start, end): float32 [round((end - start) * 48000)], silence outside the file and in gaps."""
        count = round((end_seconds - start_seconds) * SAMPLE_RATE)
        samples = np.zeros(max(count, 0), dtype=np.float32)
        first = round(start_seconds * SAMPLE_RATE)
        begin, end = max(first, 0), min(first + len(samples), self._length)
        if end > begin:
            self._fill(samples[begin - first : end - first], begin)
        return self._levelled(samples)

    def _levelled(self, samples: FloatArray) -> FloatArray:
        """At the usual level. The file is only measured if the first sound that is read is at another one."""
        if self._level is None and (usual := is_usual(samples)) is not None:
            self._level = SoundLevel() if usual else self._measured_level()
        return samples if self._level is None else self._level.apply(samples)

    def _measured_level(self) -> SoundLevel:
        with AudioReader(self._path, self._track, is_levelled=False) as reader:
            return measure_level(reader.read, self.duration_seconds)

    def _fill(self, samples: FloatArray, first: int) -> None:
        """Write what sounds from the sample `first` on into `samples`, which are zeros."""
        is_far = self._container.can_seek_sound and first > self._end + _MAX_SKIP_SAMPLES
        if self._decoder is None or first < self._first or (is_far and not self._decoder.has_ended):
            self._restart(first)
        self._drop_before(first)
        end = first + len(samples)
        while self._decoder is not None and not self._decoder.has_ended and self._end < end:
            try:
                self._receive()
            except FiltersRebuilt:
                self._each_timestamp = True
                self._restart(first)
            self._drop_before(first)
        for at, piece in self._pieces:
            begin, stop = max(at, first), min(at + len(piece), end)
            if stop > begin:
                samples[begin - first : stop - first] = piece[begin - at : stop - at]

    def _drop_before(self, first: int) -> None:
        while self._pieces and self._pieces[0][0] + len(self._pieces[0][1]) <= first:
            self._pieces.popleft()
        self._first = max(self._first, min(first, self._end))

    def _receive(self) -> None:
        assert self._decoder is not None
        try:
            frames = self._decoder.receive()
        except MediaError:
            self.close()
            raise
        for frame in frames:
            self._place(frame)
        self._decoded_anything |= bool(frames)
        if self._decoder.has_ended:
            self._keep(self._mixer.flush())
            if self._from_start and not self._decoded_anything:
                self.close()
                raise MediaError("damaged: none of its sound can be decoded")

    def _place(self, frame: DecodedFrame) -> None:
        """Where its timestamp says: after silence if there is a gap, without what overlaps the frame before."""
        at, earliest = self._next, self._begin if self._next is None else self._next
        if frame.timestamp_seconds is not None:
            stamped = round(self._run.player_seconds(frame.timestamp_seconds) * SAMPLE_RATE)
            if at is None or abs(stamped - at) > _MAX_DRIFT_SAMPLES:
                if at is not None and frame.after_failure:  # other gaps are those of the recording
                    self._lost_samples += max(stamped - at, 0)
                at = stamped
        at = earliest if at is None else at
        samples = frame.samples[max(earliest - at, 0) :]
        if len(samples):
            at = max(at, earliest)
            self._next = at + len(samples)
            self._keep(self._mixer.push(at, samples))

    def _keep(self, pieces: list[tuple[int, FloatArray]]) -> None:
        for at, piece in pieces:
            self._pieces.append((at, piece))
            self._end = at + len(piece)

    def _restart(self, first: int) -> None:
        """Decode from the block of `first` on, or from the start where seeks are inexact."""
        self.close()
        first = first - first % BLOCK_SAMPLES if self._container.can_seek_sound else 0
        seek_seconds = max(first / SAMPLE_RATE - self._container.seek_lead_seconds, 0.0)
        options = self._container.input_options
        self._decoder = AudioDecoder(
            self._path, self._sound, options, seek_seconds, each_timestamp=self._each_timestamp
        )
        self._run = RunFollower(self._container.sound_runs, -self._container.origin_seconds)
        self._mixer = Mixer(self._sound.is_discrete)
        self._begin = self._first = self._end = first
        self._next, self._from_start, self._lost_samples = None, first == 0, 0

    def close(self) -> None:
        """End the decoding process."""
        if self._decoder is not None:
            self._decoder.close()
        self._decoder = None
        self._pieces.clear()
        self._first = self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def read_audio(path: Path, start_seconds: float, end_seconds: float) -> FloatArray:
    """One range of a file's audio as AudioReader.read gives it. Errors: MediaError; FFmpegMissing."""
    with AudioReader(path) as reader:
        return reader.read(start_seconds, end_seconds)
