"""Locates named sounds in a file with PE-A-Frame."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pesearch.errors import MediaError, QueryError, SnapshotExpired
from pesearch.locations import Location
from pesearch.path_scope import PathScope
from pesearch.search.events.postprocess import THRESHOLD, Span, SpanFinder, steps_to_seconds
from pesearch.search.query.request import ensure_utf8
from pesearch.timeline import STEPS_PER_SECOND
from pesearch.types import Event, FloatArray

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library


def locate_events(
    path: Path,
    phrases: Sequence[str],
    models: ModelSet,
    threshold: float | None = None,
    stored: StoredSound | None = None,
    on_progress: ProgressCallback = lambda reached_seconds, duration_seconds, /: None,
) -> tuple[Event, ...]:
    """Locates the sounds of all phrases in a file, sorted by time, in memory independent of its length.

    threshold: Probability above which a sound is detected; by default that of the model set.
    stored: Features in a library, which save decoding and encoding the file.

    Raises MediaError for a file that is unreadable or has no sound, QueryError for invalid phrases or an invalid
    threshold.
    """
    if not phrases or not all(phrase.strip() for phrase in phrases):
        raise QueryError("no sound to locate: name at least one sound")
    for phrase in phrases:
        ensure_utf8(phrase)
    threshold = models.event_threshold if threshold is None else threshold
    if not 0 < np.float32(threshold) < 1:  # of probabilities in single precision
        raise QueryError(f"the threshold is {threshold:g}: it must be between 0 and 1")
    from pesearch.media.probe import probe

    info = probe(path)
    if info.audio is None:
        raise MediaError(f"{path} has no sound")
    duration = info.duration_seconds
    finder, events = EventFinder(phrases, 0.0, duration, threshold), list[Event]()
    with closing(detect_in_pieces(path, 0.0, duration, phrases, models, stored)) as pieces:
        for probabilities in pieces:
            events += finder.push(probabilities)
            on_progress(min(steps_to_seconds(finder.steps), duration), duration)
    return sort_events([*events, *finder.finish()])


class ProgressCallback(Protocol):
    """Receives the progress of a detection."""

    def __call__(self, reached_seconds: float, duration_seconds: float, /) -> None:
        """Called after each piece of the file."""


@dataclass(frozen=True, slots=True)
class StoredSound:
    """The codec features of a file in a library."""

    library: Library
    file_id: int

    def covers(self, stop: int, codec: str) -> bool:
        """Whether the features of all steps before `stop` are stored, and are of this codec."""
        last = self.library.features(self.file_id, stop - 1, stop)
        return last is not None and last.codec == codec and len(last.steps) == 1

    def read(self, origin: int, first: int, stop: int) -> FloatArray:
        """float32 [stop - first, dim], with steps relative to `origin`; they must be covered.

        Raises SnapshotExpired if they are no longer stored.
        """
        features = self.library.features(self.file_id, origin + first, origin + stop)
        if features is None:
            raise SnapshotExpired(f"the library {self.library.folder} changed during the search: try again")
        return features.steps.astype(np.float32)


def find_stored_sound(path: Path, library: Library) -> StoredSound | None:
    """The stored features of the file at `path`; None if the library does not know the file in its current state.

    Raises OSError.
    """
    current, stored = Location.of_file(path), PathScope([path]).find(library.known())
    known = None if stored is None else library.known()[stored]
    if known is None or known.file_id is None or not known.is_unchanged(current):
        return None
    return StoredSound(library, known.file_id)


def detect(
    path: Path,
    start_seconds: float,
    end_seconds: float,
    phrases: Sequence[str],
    models: ModelSet,
    stored: StoredSound | None = None,
) -> FloatArray:
    """The probability of each phrase in each 40 ms step from `start_seconds` on, float32 [phrases, steps]."""
    no_steps = np.empty((len(phrases), 0), dtype=np.float32)
    pieces = detect_in_pieces(path, start_seconds, end_seconds, phrases, models, stored)
    return np.concatenate([no_steps, *pieces], axis=1)


def detect_in_pieces(
    path: Path,
    start_seconds: float,
    end_seconds: float,
    phrases: Sequence[str],
    models: ModelSet,
    stored: StoredSound | None = None,
) -> Generator[FloatArray]:
    """The result of `detect` in pieces, float32 [phrases, n], in memory independent of the length of the file."""
    first, stop = round(start_seconds * STEPS_PER_SECOND), math.ceil(end_seconds * STEPS_PER_SECOND - 1e-6)
    if stop <= first:
        return
    if stored is not None and stored.covers(stop, models.event_codec):
        read_stored = partial(stored.read, first)
        yield from models.iter_event_probabilities(read_stored, stop - first, phrases)
        return
    from pesearch.media.audio import AudioReader  # not imported by queries, whose sound is stored
    from pesearch.search.events.codec_features import DecodedSound

    with AudioReader(path, stored.library.audio_track if stored else None) as reader:
        sound = DecodedSound(reader, models, first, stop)
        yield from models.iter_event_probabilities(sound.read, sound.steps, phrases)


class EventFinder:
    """Finds events in probabilities that arrive in pieces, from `start_seconds` of a file on."""

    def __init__(self, phrases: Sequence[str], start_seconds: float, end_seconds: float, threshold: float) -> None:
        self.steps = 0
        self._phrases = phrases
        self._start_seconds, self._end_seconds = start_seconds, end_seconds
        self._finders = [SpanFinder(threshold) for _ in phrases]

    def push(self, probabilities: FloatArray) -> list[Event]:
        """Adds steps, float32 [phrases, n], and returns the events that are complete."""
        self.steps += probabilities.shape[1]
        spans = [finder.push(row) for finder, row in zip(self._finders, probabilities, strict=True)]
        return self._to_events(spans)

    def finish(self) -> list[Event]:
        """Returns the events that last until the end."""
        return self._to_events([finder.finish() for finder in self._finders])

    def _to_events(self, spans_of_phrases: Sequence[Sequence[Span]]) -> list[Event]:
        return [
            Event(
                label=phrase,
                start_seconds=self._start_seconds + steps_to_seconds(span.start),
                end_seconds=min(self._start_seconds + steps_to_seconds(span.stop), self._end_seconds),
                score=span.mean,
            )
            for phrase, spans in zip(self._phrases, spans_of_phrases, strict=True)
            for span in spans
        ]


def find_events(
    probabilities: FloatArray,
    phrases: Sequence[str],
    start_seconds: float,
    end_seconds: float,
    threshold: float = THRESHOLD,
) -> tuple[Event, ...]:
    """The events in probabilities float32 [phrases, steps] from `start_seconds` of a file on, sorted by time."""
    finder = EventFinder(phrases, start_seconds, end_seconds, threshold)
    return sort_events([*finder.push(probabilities), *finder.finish()])


def sort_events(events: Iterable[Event]) -> tuple[Event, ...]:
    """Sorts events by start, then by end and label."""
    return tuple(sorted(events, key=lambda event: (event.start_seconds, event.end_seconds, event.label)))
