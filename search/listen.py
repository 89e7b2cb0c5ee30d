"""The best moments heard again, step by step: where the named sounds are, and how surely they are there at all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pesearch.errors import MediaError
from pesearch.search.calibrate import Certainty, fuse
from pesearch.search.events import StoredSound, events_of, hear
from pesearch.search.moments import Stretch
from pesearch.search.retrieve import Asked
from pesearch.search.score import SPACES, FileScores
from pesearch.search.spans import presence
from pesearch.timeline import STEPS_PER_SECOND
from pesearch.types import Event, FloatArray, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

LONGEST_SECONDS = 30.0
"""So much of a moment is heard at most, around its best window."""

SECONDS_HEARD = {"cpu": 90.0, "cuda": 900.0}
"""How much sound one question hears in all, by device: PE-A-Frame (small) takes about 3 CPU-seconds for each."""

STORED_SHARE = 0.1
"""What a second of that costs when its features are in the library: the codec is nine tenths of the work."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch with the events that were located in it, and its score in their light."""

    stretch: Stretch
    events: tuple[Event, ...]


def listen(
    stretches: Sequence[Stretch], scores: dict[int, FileScores], asked: Asked, models: ModelSet, library: Library
) -> Iterator[Heard]:
    """Hears the stretches, best first, for the terms of the question until its share of sound is used up."""
    left = SECONDS_HEARD.get(models.device.split(":")[0], min(SECONDS_HEARD.values()))
    for stretch in stretches:
        file = scores[stretch.file_id]
        if not asked.terms or file.file.info.audio is None or left <= 0:
            yield Heard(stretch, ())
            continue
        stored = StoredSound(library, stretch.file_id)
        is_kept = library.features(stretch.file_id, 0, 1) is not None
        left -= min(stretch.end_seconds - stretch.start_seconds, LONGEST_SECONDS) * (STORED_SHARE if is_kept else 1.0)
        yield _listen(stretch, file, asked, models, stored)


def _listen(stretch: Stretch, file: FileScores, asked: Asked, models: ModelSet, stored: StoredSound) -> Heard:
    cell = _best_cell(stretch, file, asked.wholes)
    start, end = _around(stretch, *file.cells[cell].tolist())
    try:
        probabilities = hear(file.file.path, start, end, asked.terms, models, stored)
    except MediaError:
        return Heard(stretch, ())  # found by its vectors, but away now: an unplugged drive, say
    events = events_of(probabilities, asked.terms, start, end, models.event_threshold)
    score = float(fuse(with_sound(file.certainties[cell], probabilities, asked), asked.wholes))
    return Heard(narrowed(replace(stretch, score=score), events, asked.terms), events)


def _best_cell(stretch: Stretch, file: FileScores, wholes: int) -> int:
    inside = (file.cells[:, 0] >= stretch.start_seconds) & (file.cells[:, 1] <= stretch.end_seconds)
    return int(np.argmax(np.where(inside, fuse(file.certainties, wholes), -1.0)))


def _around(stretch: Stretch, start: float, end: float) -> tuple[float, float]:
    """The stretch, or LONGEST_SECONDS of it around a cell, from a step of the codec on."""
    spare = (LONGEST_SECONDS - (end - start)) / 2
    first = math.floor(max(stretch.start_seconds, start - spare) * STEPS_PER_SECOND + 1e-6)
    return first / STEPS_PER_SECOND, min(stretch.end_seconds, end + spare)


def with_sound(certainties: Certainty, probabilities: FloatArray, asked: Asked) -> Certainty:
    """Certainties [parts, spaces] in which the audio space is averaged with what PE-A-Frame heard of each term."""
    heard = presence(probabilities)
    audio = SPACES.index(SpaceName.AUDIO)
    result = certainties.copy()
    for term, sure in enumerate(heard):
        part = asked.part_of(term)
        result[part, audio] = (result[part, audio] + sure) / 2
    return result


def narrowed(stretch: Stretch, events: Sequence[Event], terms: Sequence[str]) -> Stretch:
    """From the first onset to the last offset, where every term was located; else as it is."""
    if not events or {event.label for event in events} != set(terms):
        return stretch
    return replace(
        stretch,
        start_seconds=min(event.start_seconds for event in events),
        end_seconds=max(event.end_seconds for event in events),
    )
