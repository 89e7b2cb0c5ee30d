"""One file on its way through the models: windows are put together from what towers and codec made of its chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pesearch.encoders.chunked_codec import SoundFeatures
from pesearch.encoders.io_types import FrameVectors, WindowFeatures
from pesearch.indexer.chunk_reader import Piece
from pesearch.indexer.row_buffer import FileRows
from pesearch.store.derived.previews import Preview
from pesearch.timeline import STEPS_PER_SECOND, WINDOW_SECONDS, step_count
from pesearch.types import FloatArray, SpaceName


@dataclass(frozen=True, slots=True)
class Window:
    """A window that is ready for PE-AV's transformers."""

    start_seconds: float
    end_seconds: float
    features: WindowFeatures


class WindowAssembler:
    """What has been embedded of one file so far goes to `rows`; its pictures and what its next windows will need stay
    here."""

    def __init__(self, rows: FileRows) -> None:
        self.rows = rows
        self.pictures: list[Preview] = []
        self.media_seconds = 0.0
        self.unread_seconds = 0.0
        self._frames: list[tuple[float, FloatArray]] = []
        self._sounds: list[SoundFeatures] = []

    def add(self, piece: Piece, frames: Sequence[FrameVectors], sound: SoundFeatures | None) -> Iterator[Window]:
        """Takes the next piece with what towers and codec made of it; the windows that end in it."""
        self.media_seconds += piece.media_seconds
        self.unread_seconds += piece.unread_seconds
        self.pictures += piece.kept
        self._take_frames(piece, frames)
        self._take_sound(sound)
        for start, end in piece.windows:
            features = WindowFeatures(self._seen(start, end), self._heard(start, end))
            if features.frames is not None or features.sound is not None:
                yield Window(start, end, features)
        self._forget_before(piece.end_seconds - WINDOW_SECONDS)

    def _take_frames(self, piece: Piece, frames: Sequence[FrameVectors]) -> None:
        for still, vectors in zip(piece.stills, frames, strict=True):
            self.rows.add_vector(SpaceName.FRAME, still.start_seconds, still.end_seconds, vectors.frame)
            if vectors.video is not None:
                self._frames.append((still.start_seconds, vectors.video))

    def _take_sound(self, sound: SoundFeatures | None) -> None:
        if sound is None:
            return
        self._sounds.append(sound)
        self.rows.add_steps(sound.start, sound.steps)

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
