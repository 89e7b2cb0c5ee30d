"""Pieces of files to vectors: everything of one batch that an encoder takes alike goes to it in one call."""

from __future__ import annotations

from collections.abc import Sequence

from pesearch.encoders.chunked_codec import SoundFeatures
from pesearch.encoders.io_types import FrameVectors, WindowVectors
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.chunk_reader import Piece
from pesearch.indexer.timings import Stage, StageTimings
from pesearch.indexer.window_assembler import Window, WindowAssembler
from pesearch.types import SpaceName


def encode(pieces: Sequence[tuple[WindowAssembler, Piece]], models: ModelSet, stages: StageTimings) -> None:
    """Adds to each file what the models make of the pieces, which come in the order of time within a file.

    Raises ModelError.
    """
    with stages.timed(Stage.TOWER):
        frames = _encode_frames([piece for _, piece in pieces], models)
    with stages.timed(Stage.CODEC):
        sounds = _encode_sound([piece for _, piece in pieces], models)
    ready: list[tuple[WindowAssembler, Window]] = []
    for (file, piece), pictures, sound in zip(pieces, frames, sounds, strict=True):
        ready += [(file, window) for window in file.add(piece, pictures, sound)]
    with stages.timed(Stage.TRANSFORMERS):
        vectors = models.encode_windows([window.features for _, window in ready])
    for (file, window), found in zip(ready, vectors, strict=True):
        _add_window(file, window, found)


def _encode_frames(pieces: Sequence[Piece], models: ModelSet) -> list[list[FrameVectors]]:
    vectors = iter(models.encode_frames([still.squares for piece in pieces for still in piece.stills]))
    return [[next(vectors) for _ in piece.stills] for piece in pieces]


def _encode_sound(pieces: Sequence[Piece], models: ModelSet) -> list[SoundFeatures | None]:
    chunks = [piece.sound for piece in pieces if piece.sound is not None]
    features = iter(models.encode_sound(chunks) if chunks else [])
    return [None if piece.sound is None else next(features) for piece in pieces]


def _add_window(file: WindowAssembler, window: Window, vectors: WindowVectors) -> None:
    for space, vector in (
        (SpaceName.VIDEO, vectors.video),
        (SpaceName.AUDIO, vectors.audio),
        (SpaceName.AUDIO_VIDEO, vectors.audio_video),
    ):
        if vector is not None:
            file.rows.add_vector(space, window.start_seconds, window.end_seconds, vector)
