"""One file on its way through the models: windows are put together from what towers and codec made of its chunks.

Vectors and features are kept in float16, as they will be stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pesearch.encoders.passing import FrameVectors
from pesearch.encoders.pe_av import WindowFeatures
from pesearch.encoders.sound import SoundFeatures
from pesearch.indexer.decode import Piece
from pesearch.timeline import STEPS_PER_SECOND, WINDOW_SECONDS, step_count
from pesearch.types import FloatArray, HalfArray, SpaceName, SpaceVectors


@dataclass(frozen=True, slots=True)
class Window:
    """A window that is ready for PE-AV's transformers."""

    start_seconds: float
    end_seconds: float
    features: WindowFeatures


class FileVectors:
    """What has been embedded of one file so far, and what its next windows will need."""

    def __init__(self, duration_seconds: float) -> None:
        self._step_count = step_count(duration_seconds)
        self.media_seconds = 0.0
        self.unread_seconds = 0.0
        self._segments: dict[SpaceName, list[tuple[float, float]]] = defaultdict(list)
        self._vectors: dict[SpaceName, list[HalfArray]] = defaultdict(list)
        self._steps: HalfArray | None = None
        self._steps_heard = 0
        self._frames: list[tuple[float, FloatArray]] = []
        self._sounds: list[SoundFeatures] = []

    def add(self, piece: Piece, frames: Sequence[FrameVectors], sound: SoundFeatures | None) -> Iterator[Window]:
        """Takes the next piece with what towers and codec made of it; the windows that end in it."""
        self.media_seconds += piece.media_seconds
        self.unread_seconds += piece.unread_seconds
        self._take_frames(piece, frames)
        self._take_sound(sound)
        for start, end in piece.windows:
            features = WindowFeatures(self._seen(start, end), self._heard(start, end))
            if features.frames is not None or features.sound is not None:
                yield Window(start, end, features)
        self._forget_before(piece.end_seconds - WINDOW_SECONDS)

    def append(self, space: SpaceName, start_seconds: float, end_seconds: float, vector: FloatArray) -> None:
        """One vector more, float32 [dim]."""
        self._segments[space].append((start_seconds, end_seconds))
        with np.errstate(over="ignore", invalid="ignore"):  # checked as a whole, when the file is finished
            self._vectors[space].append(vector.astype(np.float16))

    def by_space(self) -> tuple[SpaceVectors, ...]:
        """The vectors of each space, in the order of time."""
        return tuple(
            SpaceVectors(space, np.array(segments, dtype=np.float64), np.stack(self._vectors[space]).astype(np.float32))
            for space, segments in self._segments.items()
        )

    def steps(self) -> HalfArray | None:
        """The codec's features of the whole sound, float16 [steps, dim]; None where a part of it is missing."""
        return self._steps if self._steps_heard == self._step_count else None

    def _take_frames(self, piece: Piece, frames: Sequence[FrameVectors]) -> None:
        for still, vectors in zip(piece.stills, frames, strict=True):
            self.append(SpaceName.FRAME, still.start_seconds, still.end_seconds, vectors.frame)
            if vectors.video is not None:
                self._frames.append((still.start_seconds, vectors.video))

    def _take_sound(self, sound: SoundFeatures | None) -> None:
        if sound is None:
            return
        self._sounds.append(sound)
        if self._steps is None:
            self._steps = np.empty((self._step_count, sound.steps.shape[1]), dtype=np.float16)
        with np.errstate(over="ignore", invalid="ignore"):
            self._steps[sound.start : sound.start + len(sound.steps)] = sound.steps
        self._steps_heard += len(sound.steps)

    def _seen(self, start: float, end: float) -> FloatArray | None:
        inside = [vector for time, vector in self._frames if start - 1e-9 <= time < end - 1e-9]
        return np.stack(inside) if inside else None

    def _heard(self, start: float, end: float) -> FloatArray | None:
        """The features of a window as if it had been cut out; None where its sound is not all there."""
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

    def _forget_before(self, seconds: float) -> None:
        self._frames = [(time, vector) for time, vector in self._frames if time >= seconds - 1e-9]
        first = round(seconds * STEPS_PER_SECOND)
        self._sounds = [sound for sound in self._sounds if sound.start + len(sound.steps) > first]
