"""Sounds named by phrases, located in a file by PE-A-Frame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pesearch.errors import MediaError, QuestionError
from pesearch.media.audio import AudioReader
from pesearch.media.probe import probe
from pesearch.search.spans import THRESHOLD, seconds, spans
from pesearch.timeline import STEPS_PER_SECOND
from pesearch.types import Event, FloatArray, Location

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

PIECE_STEPS = 3000
"""Two minutes are heard at a time, so that the length of a file does not matter to memory."""

EDGE_STEPS = 25
"""One second at an inner edge of a piece is heard again with the next piece, and taken from there."""


def locate_events(
    path: Path,
    phrases: Sequence[str],
    models: ModelSet,
    threshold: float = THRESHOLD,
    stored: StoredSound | None = None,
) -> tuple[Event, ...]:
    """Where each phrase sounds in a file of any length, in order of time. What a library has `stored` is not made anew.

    Raises MediaError for a file that cannot be read or has no sound, QuestionError for phrases or a threshold that
    cannot be asked.
    """
    if not phrases or not all(phrase.strip() for phrase in phrases):
        raise QuestionError("name at least one sound to locate")
    if not 0 < threshold < 1:
        raise QuestionError(f"the threshold is {threshold:g}: it has to lie between 0 and 1")
    info = probe(path)
    if info.audio is None:
        raise MediaError(f"{path} has no sound")
    probabilities = hear(path, 0.0, info.duration_seconds, phrases, models, stored)
    return events_of(probabilities, phrases, 0.0, info.duration_seconds, threshold)


@dataclass(frozen=True, slots=True)
class StoredSound:
    """What a library keeps of the sound of a file, so that it need not be decoded and encoded again."""

    library: Library
    file_id: int

    def probabilities(self, first: int, stop: int, phrases: Sequence[str], models: ModelSet) -> FloatArray | None:
        """float32 [phrases, stop - first] for steps of the file; None where these are not kept for this model."""
        features = self.library.features(self.file_id, first, stop)
        if features is None or len(features.steps) != stop - first:
            return None
        return models.event_probabilities_of(features, phrases)


def stored_sound(path: Path, library: Library) -> StoredSound | None:
    """What the library keeps of the file that lies at `path`; None when it does not know it as it is now.

    Raises OSError.
    """
    known, now = library.known().get(path.absolute()), Location.now(path)
    if known is None or known.file_id is None or not known.is_still(now):
        return None
    return StoredSound(library, known.file_id)


def hear(
    path: Path,
    start_seconds: float,
    end_seconds: float,
    phrases: Sequence[str],
    models: ModelSet,
    stored: StoredSound | None = None,
) -> FloatArray:
    """The probability of each phrase in each 40 ms step from `start_seconds` on, float32 [phrases, steps]."""
    offset, parts = round(start_seconds * STEPS_PER_SECOND), []
    with ExitStack() as stack:
        reader: AudioReader | None = None
        for first, stop, skip, keep in pieces(math.ceil((end_seconds - start_seconds) * STEPS_PER_SECOND - 1e-6)):
            part = stored.probabilities(offset + first, offset + stop, phrases, models) if stored else None
            if part is None:
                reader = reader or stack.enter_context(AudioReader(path))
                part = models.event_probabilities(_read(reader, start_seconds, end_seconds, first, stop), phrases)
            parts.append(part[:, skip:keep])
    return np.concatenate(parts, axis=1) if parts else np.empty((len(phrases), 0), dtype=np.float32)


def pieces(steps: int) -> Iterator[tuple[int, int, int, int]]:
    """Overlapping pieces [first, stop) of so many steps, and the part [skip, keep) of each to use: these parts
    follow one another without a gap."""
    first = 0
    while first < steps:
        stop = min(first + PIECE_STEPS, steps)
        skip = EDGE_STEPS if first else 0
        keep = stop - first - (EDGE_STEPS if stop < steps else 0)
        yield first, stop, skip, keep
        if stop == steps:
            return
        first += PIECE_STEPS - 2 * EDGE_STEPS


def _read(reader: AudioReader, start_seconds: float, end_seconds: float, first: int, stop: int) -> FloatArray:
    return reader.read(start_seconds + seconds(first), min(start_seconds + seconds(stop), end_seconds))


def events_of(
    probabilities: FloatArray,
    phrases: Sequence[str],
    start_seconds: float,
    end_seconds: float,
    threshold: float = THRESHOLD,
) -> tuple[Event, ...]:
    """The events in probabilities [phrases, steps] that begin at `start_seconds` of the file, in order of time."""
    found = (
        Event(
            label=phrase,
            start_seconds=start_seconds + seconds(start),
            end_seconds=min(start_seconds + seconds(stop), end_seconds),
            score=float(row[start:stop].mean(dtype=np.float64)),
        )
        for phrase, row in zip(phrases, probabilities, strict=True)
        for start, stop in spans(row, threshold)
    )
    return tuple(sorted(found, key=lambda event: (event.start_seconds, event.end_seconds, event.label)))
