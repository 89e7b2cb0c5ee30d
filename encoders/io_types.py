"""What is passed to a model set and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pesearch.types import FloatArray, ImageArray, SpaceName

ReadSteps = Callable[[int, int], FloatArray]
"""Gives the codec's features float32 [stop - first, dim] of the steps from `first` to before `stop` of a sound. They
are asked for forwards, each time some that were given before and some new ones."""


@dataclass(frozen=True, slots=True)
class WindowInput:
    """What PE-AV sees and hears of one window: `frames` upright RGB pictures, `audio` float32 mono at 48 kHz."""

    frames: Sequence[ImageArray] | None
    audio: FloatArray | None


@dataclass(frozen=True, slots=True)
class ResizedFrame:
    """A picture as the image towers take it, RGB uint8 [size, size, 3]: PE-Core's, and PE-AV's where it sees.

    They are one array where one tower serves both. A picture that is shown for long is one object, computed once.
    """

    core: ImageArray
    video: ImageArray | None

    @property
    def size_bytes(self) -> int:
        """The memory that it holds."""
        return self.core.nbytes + (0 if self.video is None or self.video is self.core else self.video.nbytes)


@dataclass(frozen=True, slots=True)
class FrameVectors:
    """What the image towers make of a picture, float32 of unit length: the frame space's vector [dim], and what PE-AV's
    windows start from [width], None in a set that does not see windows."""

    frame: FloatArray
    video: FloatArray | None


@dataclass(frozen=True, slots=True)
class WindowVectors:
    """One window's float32 [dim] vectors: None where it has no such part, or the set no such space."""

    video: FloatArray | None
    audio: FloatArray | None
    audio_video: FloatArray | None


@dataclass(frozen=True, slots=True)
class JointVectors:
    """A window together with a text, float32 [dim]: with its sound it asks the `video` space, with its pictures the
    `audio` space; None where it has no such part."""

    video: FloatArray | None
    audio: FloatArray | None


@dataclass(frozen=True, slots=True)
class TextVectors:
    """Texts as each space meets them, float32 [n, dim]: None where the space was not asked for, or is not there.

    Text meets text (`cue`) by the cosine of what PE-AV's text head for sounds makes of both: every set has that head,
    and a question has been through it already. The heads for video and for both are no better: `benchmarks.cues`.
    """

    frame: FloatArray | None
    video: FloatArray | None
    audio: FloatArray | None
    audio_video: FloatArray | None

    @property
    def cue(self) -> FloatArray | None:
        """The texts as they meet cues: of unit length."""
        return None if self.audio is None else unit(self.audio)

    def of(self, space: SpaceName) -> FloatArray | None:
        """The vectors that meet `space`."""
        vectors: FloatArray | None = getattr(self, space.value)
        return vectors


def unit(vectors: FloatArray) -> FloatArray:
    """Vectors [n, dim], each at the length 1."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    shortened: FloatArray = vectors / np.maximum(lengths, np.float32(1e-12))
    return shortened
