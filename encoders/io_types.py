"""Inputs and outputs of a model set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pesearch.types import FloatArray, ImageArray, SpaceName

ReadSteps = Callable[[int, int], FloatArray]
"""Reads codec features float32 [stop - first, dim] of the steps [first, stop). Calls move forward; each range overlaps
the previous one."""


@dataclass(frozen=True, slots=True)
class WindowInput:
    """Input of PE-AV for one window: `frames` upright RGB images, `audio` float32 mono at 48 kHz."""

    frames: Sequence[ImageArray] | None
    audio: FloatArray | None


@dataclass(frozen=True, slots=True)
class ResizedFrame:
    """A frame resized for the image towers, RGB uint8 [size, size, 3]: `core` for PE-Core, `video` for PE-AV if the set
    embeds video.

    Both are the same array if one tower serves both models. A frame that is shown for long is one object, which is
    computed once.
    """

    core: ImageArray
    video: ImageArray | None

    @property
    def size_bytes(self) -> int:
        """Memory of the arrays."""
        return self.core.nbytes + (0 if self.video is None or self.video is self.core else self.video.nbytes)


@dataclass(frozen=True, slots=True)
class SoundChunk:
    """The steps (of 1920 samples) [start, stop) of a track, with the surrounding context.

    `samples` float32 at 48 kHz start at step `first`: they include the codec's context on both sides, or reach the
    start or end of the track. `window_starts` and `window_ends` are the steps inside at which windows start and end.
    """

    samples: FloatArray
    first: int
    start: int
    stop: int
    window_starts: tuple[int, ...]
    window_ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SoundFeatures:
    """Codec features of a chunk: `steps` float32 [stop - start, dim] as in a pass over the whole track.

    `after_starts` and `before_ends` map the step of each window start and end to the features [reach, dim] after and
    before it, where the cut changes them.
    """

    start: int
    steps: FloatArray
    after_starts: Mapping[int, FloatArray]
    before_ends: Mapping[int, FloatArray]


@dataclass(frozen=True, slots=True)
class FrameVectors:
    """Image tower output for a frame, float32 of unit length: `frame` [dim] in the frame space, `video` [width] as
    input of PE-AV's windows (None in a set without video)."""

    frame: FloatArray
    video: FloatArray | None


@dataclass(frozen=True, slots=True)
class WindowFeatures:
    """A window as input of PE-AV's transformers: `frames` float32 [n, width] from the image tower, in order of time,
    and `sound` float32 [steps, dim] from the codec; None for a missing part."""

    frames: FloatArray | None
    sound: FloatArray | None


@dataclass(frozen=True, slots=True)
class WindowVectors:
    """Vectors of one window, float32 [dim]; None if the window has no such part or the set no such space."""

    video: FloatArray | None
    audio: FloatArray | None
    audio_video: FloatArray | None


@dataclass(frozen=True, slots=True)
class JointVectors:
    """Query vectors of a window combined with a text, float32 [dim]. `video` combines its sound and the text to query
    the video space, `audio` its frames and the text to query the audio space; None if the window has no such part."""

    video: FloatArray | None
    audio: FloatArray | None


@dataclass(frozen=True, slots=True)
class TextVectors:
    """Texts as query vectors for each space, float32 [n, dim]; None if the space was not requested or does not exist.

    Texts and cues are compared by the cosine of their outputs of PE-AV's audio text head: every set has that head, and
    a query has been through it already. The heads for video and audio-video are no better: `benchmarks.cues`.
    """

    frame: FloatArray | None
    video: FloatArray | None
    audio: FloatArray | None
    audio_video: FloatArray | None

    @property
    def cue(self) -> FloatArray | None:
        """The vectors to compare with cues, of unit length."""
        return None if self.audio is None else normalize(self.audio)

    def of(self, space: SpaceName) -> FloatArray | None:
        """The vectors that query `space`."""
        vectors: FloatArray | None = getattr(self, space.value)
        return vectors


@dataclass(frozen=True, slots=True)
class Calibration:
    """Learned scale and bias: the probability that query and media match is sigmoid(dot * scale + bias)."""

    scale: float
    bias: float

    def probabilities(self, scores: npt.ArrayLike) -> FloatArray:
        """Of dot products of any shape, float32."""
        return sigmoid(np.asarray(scores, dtype=np.float64) * self.scale + self.bias)


def sigmoid(logits: npt.NDArray[np.floating[Any]]) -> FloatArray:
    """Probabilities float32 of logits of any shape and size."""
    probabilities: FloatArray = (1.0 / (1.0 + np.exp(-np.clip(logits, -80.0, 80.0)))).astype(np.float32)
    return probabilities


def normalize(vectors: FloatArray) -> FloatArray:
    """Vectors [n, dim] scaled to unit length; zero vectors stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    normalized: FloatArray = vectors / np.maximum(lengths, np.float32(1e-12))
    return normalized
