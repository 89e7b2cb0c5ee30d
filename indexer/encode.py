"""Pieces of files to vectors: everything of one batch that an encoder takes alike goes to it in one call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pesearch.encoders.model_set import ModelSet, WindowVectors
from pesearch.indexer.decode import Piece
from pesearch.types import FloatArray, SpaceName, SpaceVectors


@dataclass(frozen=True, slots=True)
class Row:
    """One vector, float32 [dim], and the stretch of its file that it stands for."""

    space: SpaceName
    start_seconds: float
    end_seconds: float
    vector: FloatArray


@dataclass(slots=True)
class FileVectors:
    """What has been embedded of one file so far."""

    rows: list[Row] = field(default_factory=list)
    media_seconds: float = 0.0
    unread_seconds: float = 0.0

    def add(self, piece: Piece, rows: Iterable[Row]) -> None:
        """Takes the vectors of the next piece."""
        self.rows += rows
        self.media_seconds += piece.media_seconds
        self.unread_seconds += piece.unread_seconds

    def by_space(self) -> tuple[SpaceVectors, ...]:
        """The vectors of each space, in the order in which the pieces came."""
        spaces: dict[SpaceName, list[Row]] = defaultdict(list)
        for row in self.rows:
            spaces[row.space].append(row)
        return tuple(
            SpaceVectors(
                space,
                np.array([(row.start_seconds, row.end_seconds) for row in rows], dtype=np.float64),
                np.stack([row.vector for row in rows]).astype(np.float32),
            )
            for space, rows in spaces.items()
        )


def encode(pieces: Sequence[Piece], models: ModelSet) -> list[list[Row]]:
    """The vectors of each piece, from whatever files the pieces are."""
    rows: list[list[Row]] = [[] for _ in pieces]
    _encode_stills(pieces, models, rows)
    _encode_windows(pieces, models, rows)
    return rows


def _encode_stills(pieces: Sequence[Piece], models: ModelSet, rows: list[list[Row]]) -> None:
    stills = [(number, still) for number, piece in enumerate(pieces) for still in piece.stills]
    if not stills:
        return
    vectors = models.embed_frames([still.image for _, still in stills])
    for (number, still), vector in zip(stills, vectors, strict=True):
        rows[number].append(Row(SpaceName.FRAME, still.start_seconds, still.end_seconds, vector))


def _encode_windows(pieces: Sequence[Piece], models: ModelSet, rows: list[list[Row]]) -> None:
    windows = [(number, piece.window) for number, piece in enumerate(pieces) if piece.window is not None]
    if not windows:
        return
    embedded = models.embed_windows([window for _, window in windows])
    for (number, _), vectors in zip(windows, embedded, strict=True):
        rows[number] += _window_rows(pieces[number], vectors)


def _window_rows(piece: Piece, vectors: WindowVectors) -> list[Row]:
    named = (
        (SpaceName.VIDEO, vectors.video),
        (SpaceName.AUDIO, vectors.audio),
        (SpaceName.AUDIO_VIDEO, vectors.audio_video),
    )
    return [Row(space, piece.start_seconds, piece.end_seconds, vector) for space, vector in named if vector is not None]
