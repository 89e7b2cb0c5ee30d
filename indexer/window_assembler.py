"""Assembles the windows of one file from the frame and sound features of its chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pesearch.encoders.io_types import FrameVectors, SoundFeatures, WindowFeatures
from pesearch.indexer.media_chunk import MediaChunk
from pesearch.indexer.row_buffer import RowBuffer
from pesearch.store.derived.previews import Preview
from pesearch.timeline import STEPS_PER_SECOND, WINDOW_SECONDS, step_count
from pesearch.types import FloatArray, Remark, SpaceName


@dataclass(frozen=True, slots=True)
class Window:
    """A window with its features, ready for PE-AV's transformers."""

    start_seconds: float
    end_seconds: float
    features: WindowFeatures


class WindowAssembler:
    """Assembles the windows of one file: holds its rows, previews and remarks, and the features that later windows
    need."""

    def __init__(self, rows: RowBuffer) -> None:
        self.rows = rows
        self.previews: list[Preview] = []
        self.media_seconds = 0.0
        self.unread_seconds = 0.0
        self.remarks: tuple[Remark, ...] = ()
        self._frames: list[tuple[float, FloatArray]] = []
        self._sounds: list[SoundFeatures] = []

    def add(self, chunk: MediaChunk, frames: Sequence[FrameVectors], sound: SoundFeatures | None) -> Iterator[Window]:
        """Adds the next chunk with its frame vectors and sound features; yields the windows that end in it."""
        self.media_seconds += chunk.media_seconds
        self.unread_seconds += chunk.unread_seconds
        self.remarks += chunk.remarks
        self.previews += chunk.previews
        self._add_frames(chunk, frames)
        self._add_sound(sound)
        for start, end in chunk.windows:
            features = WindowFeatures(self._frames_in(start, end), self._sound_in(start, end))
            if features.frames is not None or features.sound is not None:
                yield Window(start, end, features)
        self._drop_before(chunk.end_seconds - WINDOW_SECONDS)

    def _add_frames(self, chunk: MediaChunk, frames: Sequence[FrameVectors]) -> None:
        for frame, vectors in zip(chunk.frames, frames, strict=True):
            self.rows.add_vector(SpaceName.FRAME, frame.start_seconds, frame.end_seconds, vectors.frame)
            if vectors.video is not None:
                self._frames.append((frame.start_seconds, vectors.video))

    def _add_sound(self, sound: SoundFeatures | None) -> None:
        if sound is None:
            return
        self._sounds.append(sound)
        self.rows.add_steps(sound.start, sound.steps)

    def _frames_in(self, start: float, end: float) -> FloatArray | None:
        inside = [vector for time, vector in self._frames if start - 1e-9 <= time < end - 1e-9]
        return np.stack(inside) if inside else None

    def _sound_in(self, start: float, end: float) -> FloatArray | None:
        """Sound features of a window, equal to those of the window cut out of the file; None if some are missing."""
        first, last = round(start * STEPS_PER_SECOND), step_count(end)
        parts = [sound.steps[max(first - sound.start, 0) : max(last - sound.start, 0)] for sound in self._sounds]
        steps = np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)
        if not len(steps) or len(steps) != last - first:
            return None
        for sound in self._sounds:
            if (after := sound.after_starts.get(first)) is not None:
                steps[: len(after)] = after
            if (before := sound.before_ends.get(last)) is not None:
                steps[-len(before) :] = before
        return steps

    def _drop_before(self, seconds: float) -> None:
        self._frames = [(time, vector) for time, vector in self._frames if time >= seconds - 1e-9]
        first = round(seconds * STEPS_PER_SECOND)
        self._sounds = [sound for sound in self._sounds if sound.start + len(sound.steps) > first]
