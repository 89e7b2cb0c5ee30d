"""The best stretches heard again, step by step: where the named sounds are, and how surely they are there at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from pesearch.errors import MediaError
from pesearch.search.events.locate import StoredSound, events_of, hear
from pesearch.search.score.certainty_track import SoundDetections
from pesearch.search.score.intervals import Interval
from pesearch.timeline import STEPS_PER_SECOND
from pesearch.types import MediaFile

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

LONGEST_SECONDS = 60.0
"""So much of a stretch is heard at most, around its middle."""

AROUND_SECONDS = 2.0
"""So much before and after a stretch is heard with it: its ends may have cut a sound."""

SECONDS_HEARD = {"cpu": 90.0, "cuda": 900.0}
"""How much sound one question hears in all, by device: PE-A-Frame (small) takes about 3 CPU-seconds for each."""

STORED_SHARE = 0.1
"""What a second of that costs when its features are in the library: the codec is nine tenths of the work."""


class SoundRescorer:
    """Listens for the phrases of one question until its share of sound is used up, or nobody wants it any more."""

    def __init__(self, library: Library, models: ModelSet, phrases: Mapping[str, int], unwanted: Event) -> None:
        """`phrases` are the sounds, each with the number of its term."""
        self._library, self._models, self.phrases, self._unwanted = library, models, phrases, unwanted
        self._left = SECONDS_HEARD.get(models.device_kind, min(SECONDS_HEARD.values()))
        self._hearings: dict[int, dict[int, SoundDetections]] = {}

    def hearings(self, file_id: int) -> Mapping[int, SoundDetections]:
        """What was heard of a file so far, by the number of the term."""
        return self._hearings.get(file_id, {})

    def listen(self, file: MediaFile, stretch: Interval) -> bool:
        """Hear a stretch of a file. Whether that told anything that was not known."""
        if not self.phrases or file.info.audio is None or self._left <= 0 or self._unwanted.is_set():
            return False
        start, end = _part(stretch, file.info.duration_seconds)
        hearings = self._hearings.setdefault(
            file.id, {term: SoundDetections.nothing(file.info.duration_seconds) for term in self.phrases.values()}
        )
        first = round(start * STEPS_PER_SECOND)
        inside = slice(first, round(end * STEPS_PER_SECOND))
        if not any(np.isnan(hearing.present[inside]).any() for hearing in hearings.values()):
            return False
        is_kept = self._library.features(file.id, 0, 1) is not None
        self._left -= (end - start) * (STORED_SHARE if is_kept else 1.0)
        stored = StoredSound(self._library, file.id)
        try:
            probabilities = hear(file.path, start, end, list(self.phrases), self._models, stored)
        except MediaError:
            return False  # found by its vectors, but away now: an unplugged drive, say
        threshold = self._models.event_threshold
        for row, (phrase, term) in zip(probabilities, self.phrases.items(), strict=True):
            hearings[term].add(first, row, list(events_of(row[None], [phrase], start, end, threshold)))
        return True


def _part(stretch: Interval, duration_seconds: float) -> tuple[float, float]:
    """What of a file is heard for a stretch, from a step of the codec on."""
    start, end = stretch.start_seconds - AROUND_SECONDS, stretch.end_seconds + AROUND_SECONDS
    if end - start > LONGEST_SECONDS:
        middle = (start + end) / 2
        start, end = middle - LONGEST_SECONDS / 2, middle + LONGEST_SECONDS / 2
    first = math.floor(max(start, 0.0) * STEPS_PER_SECOND + 1e-6)
    return first / STEPS_PER_SECOND, min(end, duration_seconds)
