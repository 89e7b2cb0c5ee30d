"""A media file that is asked with: its vectors, window by window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from pesearch.encoders.io_types import JointVectors, WindowInput, WindowVectors
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import MediaError, QueryError
from pesearch.media.audio import AudioReader
from pesearch.media.image import read_image
from pesearch.media.probe import probe
from pesearch.media.sniff import sniff
from pesearch.media.video import FrameReader
from pesearch.search.query.language.nodes import Example
from pesearch.timeline import grid, windows
from pesearch.types import FloatArray, ImageArray, MediaInfo, MediaKind, SpaceName

WINDOWS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class ExampleVectors:
    """An example in each space that it can be compared with, float32 [windows, dim]: `alone`, `beside` each text."""

    alone: Mapping[SpaceName, FloatArray]
    beside: Mapping[str, Mapping[SpaceName, FloatArray]]


def image_vectors(example: Example, models: ModelSet) -> FloatArray:
    """A picture in the frame space, float32 [1, dim]. Raises QueryError where it cannot be read."""
    if _kind(example) is not MediaKind.IMAGE:
        raise QueryError(f"{example.path} is not a picture: --image needs one")
    try:
        return models.embed_frames([read_image(example.place)])
    except MediaError as error:
        raise QueryError(f"cannot ask with {example.path}: {error}") from error


def audio_vectors(example: Example, models: ModelSet, beside: Sequence[str] = ()) -> ExampleVectors:
    """The sound of an audio or video file in the audio space; with each text `beside` it in the video space."""
    info = _probe(example)
    if info.audio is None:
        raise QueryError(f"{example.path} has no sound: --audio needs a file with sound")
    return _window_vectors(example, info, models, beside, seen=False)


def video_vectors(example: Example, models: ModelSet, beside: Sequence[str] = ()) -> ExampleVectors:
    """A video in the video, audio and audio-video spaces, as far as it has both; with each text `beside` it in the
    video space by its sound, and in the audio space by its pictures.

    A model set without a video space looks at its frames instead, in the frame space.
    """
    info = _probe(example)
    if info.video is None or info.kind is not MediaKind.VIDEO:
        raise QueryError(f"{example.path} is not a video: --video needs one")
    if models.embeds_video:
        return _window_vectors(example, info, models, beside, seen=True)
    heard = _window_vectors(example, info, models, (), seen=False).alone if info.audio else {}
    return ExampleVectors({**heard, SpaceName.FRAME: _frame_vectors(example, info, models)}, {})


def _kind(example: Example) -> MediaKind | None:
    try:
        return sniff(example.place)
    except MediaError as error:
        raise QueryError(f"cannot ask with {example.path}: {error}") from error


def _probe(example: Example) -> MediaInfo:
    try:
        return probe(example.place)
    except MediaError as error:
        raise QueryError(f"cannot ask with {example.path}: {error}") from error


def _windows(example: Example, info: MediaInfo) -> list[list[float]]:
    """The windows of the part that is asked with."""
    start, end = example.start_seconds or 0.0, info.duration_seconds
    if example.end_seconds is not None:
        end = min(end, example.end_seconds)
    if start >= end:
        raise QueryError(f"cannot ask with {example.path}: it ends at {info.duration_seconds:g} s")
    shifted: list[list[float]] = (windows(end - start) + start).tolist()
    return shifted


def _window_vectors(
    example: Example, info: MediaInfo, models: ModelSet, beside: Sequence[str], seen: bool
) -> ExampleVectors:
    """Every window of the example, a few at a time so that a long one never lies in memory as a whole."""
    path, alone = example.place, list[WindowVectors]()
    joined: dict[str, list[JointVectors]] = {text: [] for text in beside if models.embeds_video}
    try:
        with ExitStack() as stack:
            frames = stack.enter_context(FrameReader(path)) if seen else None
            audio = stack.enter_context(AudioReader(path)) if info.audio else None
            for batch in _batches(_windows(example, info)):
                features = models.window_features([_window(frames, audio, start, end) for start, end in batch])
                alone += models.encode_windows(features)
                for text, found in joined.items():
                    found += models.encode_windows_with_text(features, text)
    except MediaError as error:
        raise QueryError(f"cannot ask with {example.path}: {error}") from error
    spaces = (SpaceName.VIDEO, SpaceName.AUDIO, SpaceName.AUDIO_VIDEO)
    return ExampleVectors(
        _stacked(spaces, alone), {text: _stacked(spaces[:2], found) for text, found in joined.items()}
    )


def _stacked(
    spaces: Sequence[SpaceName], windows: Sequence[WindowVectors] | Sequence[JointVectors]
) -> dict[SpaceName, FloatArray]:
    """The vectors of all windows in each of the spaces where they have any."""
    named = {space: [getattr(window, space) for window in windows] for space in spaces}
    present = {space: [one for one in vectors if one is not None] for space, vectors in named.items()}
    return {space: np.stack(vectors) for space, vectors in present.items() if vectors}


def _window(frames: FrameReader | None, audio: AudioReader | None, start: float, end: float) -> WindowInput:
    images = [frame.image for frame in frames.read(grid(start, end))] if frames else None
    return WindowInput(images or None, audio.read(start, end) if audio else None)


def _frame_vectors(example: Example, info: MediaInfo, models: ModelSet) -> FloatArray:
    """One vector a window: the mean of its frames' vectors, as PE-Core embeds a video (its encode_video)."""
    try:
        with FrameReader(example.place) as reader:
            means = [_mean_frame(reader, start, end, models) for start, end in _windows(example, info)]
    except MediaError as error:
        raise QueryError(f"cannot ask with {example.path}: {error}") from error
    return np.stack(means)


def _mean_frame(reader: FrameReader, start: float, end: float, models: ModelSet) -> FloatArray:
    images: list[ImageArray] = [frame.image for frame in reader.read(grid(start, end))]
    mean: FloatArray = models.embed_frames(images).mean(axis=0)
    return mean


def _batches(segments: list[list[float]]) -> Iterator[list[list[float]]]:
    for first in range(0, len(segments), WINDOWS_AT_ONCE):
        yield segments[first : first + WINDOWS_AT_ONCE]
