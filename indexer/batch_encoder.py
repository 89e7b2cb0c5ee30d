"""Encodes chunks of several files together: each encoder gets one call per batch."""

from __future__ import annotations

from collections.abc import Sequence

from pesearch.encoders.io_types import FrameVectors, SoundFeatures, WindowVectors
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.media_chunk import MediaChunk
from pesearch.indexer.timings import Stage, StageTimings
from pesearch.indexer.window_assembler import Window, WindowAssembler
from pesearch.types import SpaceName


def encode(chunks: Sequence[tuple[WindowAssembler, MediaChunk]], models: ModelSet, stages: StageTimings) -> None:
    """Encodes the chunks and adds the vectors to the assembler of each chunk's file.

    The chunks of one file must come in order of time. Raises ModelError.
    """
    with stages.timed(Stage.TOWER):
        frames = _encode_frames([chunk for _, chunk in chunks], models)
    with stages.timed(Stage.CODEC):
        sounds = _encode_sound([chunk for _, chunk in chunks], models)
    ready: list[tuple[WindowAssembler, Window]] = []
    for (file, chunk), frame_vectors, sound in zip(chunks, frames, sounds, strict=True):
        ready += [(file, window) for window in file.add(chunk, frame_vectors, sound)]
    with stages.timed(Stage.TRANSFORMERS):
        vectors = models.encode_windows([window.features for _, window in ready])
    for (file, window), window_vectors in zip(ready, vectors, strict=True):
        _add_window(file, window, window_vectors)


def _encode_frames(chunks: Sequence[MediaChunk], models: ModelSet) -> list[list[FrameVectors]]:
    vectors = iter(models.encode_frames([frame.resized for chunk in chunks for frame in chunk.frames]))
    return [[next(vectors) for _ in chunk.frames] for chunk in chunks]


def _encode_sound(chunks: Sequence[MediaChunk], models: ModelSet) -> list[SoundFeatures | None]:
    sounds = [chunk.sound for chunk in chunks if chunk.sound is not None]
    features = iter(models.encode_sound(sounds) if sounds else [])
    return [None if chunk.sound is None else next(features) for chunk in chunks]


def _add_window(file: WindowAssembler, window: Window, vectors: WindowVectors) -> None:
    for space, vector in (
        (SpaceName.VIDEO, vectors.video),
        (SpaceName.AUDIO, vectors.audio),
        (SpaceName.AUDIO_VIDEO, vectors.audio_video),
    ):
        if vector is not None:
            file.rows.add_vector(space, window.start_seconds, window.end_seconds, vector)
