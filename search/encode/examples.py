"""Encodes an example file to one vector per window in each space."""

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

WINDOW_BATCH_SIZE = 8
"""Windows that are decoded and encoded at a time."""


@dataclass(frozen=True, slots=True)
class ExampleVectors:
    """Vectors of an example, float32 [windows, dim], by space: `alone`, and `joint` with each text."""

    alone: Mapping[SpaceName, FloatArray]
    joint: Mapping[str, Mapping[SpaceName, FloatArray]]


def encode_image(example: Example, models: ModelSet) -> FloatArray:
    """An image in the frame space, float32 [1, dim]. Raises QueryError if it is unreadable or not an image."""
    if _kind(example) is not MediaKind.IMAGE:
        raise QueryError(f"{example.path} cannot be the image of a query: it is not an image file")
    try:
        return models.embed_frames([read_image(example.resolved_path)])
    except MediaError as error:
        raise QueryError(f"cannot use {example.path} as an example: {error}") from error


def encode_audio(example: Example, models: ModelSet, texts: Sequence[str] = ()) -> ExampleVectors:
    """The sound of an audio or video file in the audio space; jointly with each of `texts` in the video space.

    Raises QueryError if the file is unreadable or has no sound.
    """
    info = _probe(example)
    if info.audio is None:
        raise QueryError(f"{example.path} cannot be the sound of a query: it has no sound")
    return _window_vectors(example, info, models, texts, with_pictures=False)


def encode_video(example: Example, models: ModelSet, texts: Sequence[str] = ()) -> ExampleVectors:
    """A video in the video, audio and audio-video spaces, as far as it has pictures and sound; jointly with each of
    `texts`, its sound in the video space and its pictures in the audio space.

    For a model set without a video space its frames are encoded instead, in the frame space.
    Raises QueryError if the file is unreadable or not a video.
    """
    info = _probe(example)
    if info.video is None or info.kind is not MediaKind.VIDEO:
        raise QueryError(f"{example.path} cannot be the clip of a query: it is not a video file")
    if models.embeds_video:
        return _window_vectors(example, info, models, texts, with_pictures=True)
    sound = _window_vectors(example, info, models, (), with_pictures=False).alone if info.audio else {}
    return ExampleVectors({**sound, SpaceName.FRAME: _frame_vectors(example, info, models)}, {})


def _kind(example: Example) -> MediaKind | None:
    try:
        return sniff(example.resolved_path)
    except MediaError as error:
        raise QueryError(f"cannot use {example.path} as an example: {error}") from error


def _probe(example: Example) -> MediaInfo:
    try:
        return probe(example.resolved_path)
    except MediaError as error:
        raise QueryError(f"cannot use {example.path} as an example: {error}") from error


def _windows(example: Example, info: MediaInfo) -> list[list[float]]:
    """The windows of the selected part of an example, [start, end] in seconds."""
    start, end = example.start_seconds or 0.0, info.duration_seconds
    if example.end_seconds is not None:
        end = min(end, example.end_seconds)
    if start >= end:
        raise QueryError(f"cannot use {example.path} as an example: it ends at {info.duration_seconds:g} s")
    shifted: list[list[float]] = (windows(end - start) + start).tolist()
    return shifted


def _window_vectors(
    example: Example, info: MediaInfo, models: ModelSet, texts: Sequence[str], with_pictures: bool
) -> ExampleVectors:
    """Encodes the windows in batches, so that a long example never is in memory as a whole."""
    path, alone = example.resolved_path, list[WindowVectors]()
    joint: dict[str, list[JointVectors]] = {text: [] for text in texts if models.embeds_video}
    try:
        with ExitStack() as stack:
            frames = stack.enter_context(FrameReader(path)) if with_pictures else None
            audio = stack.enter_context(AudioReader(path)) if info.audio else None
            for batch in _batches(_windows(example, info)):
                features = models.window_features([_window(frames, audio, start, end) for start, end in batch])
                alone += models.encode_windows(features)
                for text, vectors in joint.items():
                    vectors += models.encode_windows_with_text(features, text)
    except MediaError as error:
        raise QueryError(f"cannot use {example.path} as an example: {error}") from error
    spaces = (SpaceName.VIDEO, SpaceName.AUDIO, SpaceName.AUDIO_VIDEO)
    return ExampleVectors(
        _stacked(spaces, alone), {text: _stacked(spaces[:2], vectors) for text, vectors in joint.items()}
    )


def _stacked(
    spaces: Sequence[SpaceName], windows: Sequence[WindowVectors] | Sequence[JointVectors]
) -> dict[SpaceName, FloatArray]:
    """The vectors of all windows by space, without the spaces that have none."""
    named = {space: [getattr(window, space) for window in windows] for space in spaces}
    present = {space: [vector for vector in vectors if vector is not None] for space, vectors in named.items()}
    return {space: np.stack(vectors) for space, vectors in present.items() if vectors}


def _window(frames: FrameReader | None, audio: AudioReader | None, start: float, end: float) -> WindowInput:
    images = [frame.image for frame in frames.read(grid(start, end))] if frames else None
    return WindowInput(images or None, audio.read(start, end) if audio else None)


def _frame_vectors(example: Example, info: MediaInfo, models: ModelSet) -> FloatArray:
    """One vector per window: the mean of the vectors of its frames, as encode_video of PE-Core does."""
    try:
        with FrameReader(example.resolved_path) as reader:
            means = [_mean_frame(reader, start, end, models) for start, end in _windows(example, info)]
    except MediaError as error:
        raise QueryError(f"cannot use {example.path} as an example: {error}") from error
    return np.stack(means)


def _mean_frame(reader: FrameReader, start: float, end: float, models: ModelSet) -> FloatArray:
    images: list[ImageArray] = [frame.image for frame in reader.read(grid(start, end))]
    mean: FloatArray = models.embed_frames(images).mean(axis=0)
    return mean


def _batches(segments: list[list[float]]) -> Iterator[list[list[float]]]:
    for first in range(0, len(segments), WINDOW_BATCH_SIZE):
        yield segments[first : first + WINDOW_BATCH_SIZE]
