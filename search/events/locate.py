"""Sounds named by phrases, located in a file by PE-A-Frame."""

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
from pesearch.media.audio import AudioReader
from pesearch.media.probe import probe
from pesearch.search.events.codec_features import DecodedSound
from pesearch.search.events.postprocess import THRESHOLD, Span, SpanFinder, seconds
from pesearch.search.query.request import ensure_text
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
    heard: Heard = lambda reached_seconds, duration_seconds, /: None,
) -> tuple[Event, ...]:
    """Where each phrase sounds in a file of any length, in order of time. What a library has `stored` is not made anew.

    Events are found while the file is heard, so memory does not grow with its length. `heard` is told how far it is.

    Raises MediaError for a file that cannot be read or has no sound, QueryError for phrases or a threshold that
    cannot be asked.
    """
    if not phrases or not all(phrase.strip() for phrase in phrases):
        raise QueryError("name at least one sound to locate")
    for phrase in phrases:
        ensure_text(phrase)
    threshold = models.event_threshold if threshold is None else threshold
    if not 0 < threshold < 1:
        raise QueryError(f"the threshold is {threshold:g}: it has to lie between 0 and 1")
    info = probe(path)
    if info.audio is None:
        raise MediaError(f"{path} has no sound")
    duration = info.duration_seconds
    finder, events = EventFinder(phrases, 0.0, duration, threshold), list[Event]()
    with closing(hearing(path, 0.0, duration, phrases, models, stored)) as pieces:
        for probabilities in pieces:
            events += finder.push(probabilities)
            heard(min(seconds(finder.steps), duration), duration)
    return in_order([*events, *finder.finish()])


class Heard(Protocol):
    """Is told how far a file has been heard."""

    def __call__(self, reached_seconds: float, duration_seconds: float, /) -> None:
        """Called after each piece."""


@dataclass(frozen=True, slots=True)
class StoredSound:
    """What a library keeps of the sound of a file, so that it need not be decoded and encoded again."""

    library: Library
    file_id: int

    def holds(self, stop: int, codec: str) -> bool:
        """Whether the features of all steps before `stop` are kept, of this codec."""
        last = self.library.features(self.file_id, stop - 1, stop)
        return last is not None and last.codec == codec and len(last.steps) == 1

    def read(self, origin: int, first: int, stop: int) -> FloatArray:
        """float32 [stop - first, dim] of steps counted from `origin`, which it `holds`.

        Raises SnapshotExpired where they are no longer there.
        """
        features = self.library.features(self.file_id, origin + first, origin + stop)
        if features is None:
            raise SnapshotExpired(f"The library {self.library.folder} was changed meanwhile: ask again")
        return features.steps.astype(np.float32)


def stored_sound(path: Path, library: Library) -> StoredSound | None:
    """What the library keeps of the file that lies at `path`; None when it does not know it as it is now.

    Raises OSError.
    """
    known, now = library.known().get(path.absolute()), Location.now(path)
    if known is None or known.file_id is None or not known.is_unchanged(now):
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
    nothing = np.empty((len(phrases), 0), dtype=np.float32)
    return np.concatenate([nothing, *hearing(path, start_seconds, end_seconds, phrases, models, stored)], axis=1)


def hearing(
    path: Path,
    start_seconds: float,
    end_seconds: float,
    phrases: Sequence[str],
    models: ModelSet,
    stored: StoredSound | None = None,
) -> Generator[FloatArray]:
    """The same piece by piece, as the file is heard: memory does not grow with its length."""
    first, stop = round(start_seconds * STEPS_PER_SECOND), math.ceil(end_seconds * STEPS_PER_SECOND - 1e-6)
    if stop <= first:
        return
    if stored is not None and stored.holds(stop, models.event_codec):
        kept = partial(stored.read, first)
        yield from models.iter_event_probabilities(kept, stop - first, phrases)
        return
    with AudioReader(path) as reader:
        sound = DecodedSound(reader, models, first, stop)
        yield from models.iter_event_probabilities(sound.read, sound.steps, phrases)


class EventFinder:
    """Events in probabilities that come piece by piece, from `start_seconds` of a file on."""

    def __init__(self, phrases: Sequence[str], start_seconds: float, end_seconds: float, threshold: float) -> None:
        self.steps = 0
        self._phrases = phrases
        self._start_seconds, self._end_seconds = start_seconds, end_seconds
        self._finders = [SpanFinder(threshold) for _ in phrases]

    def push(self, probabilities: FloatArray) -> list[Event]:
        """The events that are now known to have ended; `probabilities` is float32 [phrases, steps], as many as come."""
        self.steps += probabilities.shape[1]
        found = [finder.push(row) for finder, row in zip(self._finders, probabilities, strict=True)]
        return self._events(found)

    def finish(self) -> list[Event]:
        """The events that last until the end."""
        return self._events([finder.finish() for finder in self._finders])

    def _events(self, found: Sequence[Sequence[Span]]) -> list[Event]:
        return [
            Event(
                label=phrase,
                start_seconds=self._start_seconds + seconds(span.start),
                end_seconds=min(self._start_seconds + seconds(span.stop), self._end_seconds),
                score=span.mean,
            )
            for phrase, spans in zip(self._phrases, found, strict=True)
            for span in spans
        ]


def events_of(
    probabilities: FloatArray,
    phrases: Sequence[str],
    start_seconds: float,
    end_seconds: float,
    threshold: float = THRESHOLD,
) -> tuple[Event, ...]:
    """The events in probabilities [phrases, steps] that begin at `start_seconds` of the file, in order of time."""
    finder = EventFinder(phrases, start_seconds, end_seconds, threshold)
    return in_order([*finder.push(probabilities), *finder.finish()])


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Sorted by time."""
    return tuple(sorted(events, key=lambda event: (event.start_seconds, event.end_seconds, event.label)))
