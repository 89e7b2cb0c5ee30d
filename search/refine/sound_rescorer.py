"""Runs PE-A-Frame on the best intervals, to locate named sounds in time and to check that they are there at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from pesearch.errors import MediaError
from pesearch.search.events.locate import StoredSound, detect, find_events
from pesearch.search.events.presence import presence
from pesearch.search.score.certainty_track import SoundDetections
from pesearch.search.score.interval import Interval
from pesearch.timeline import STEPS_PER_SECOND
from pesearch.types import MediaFile

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library

MAX_DETECTION_SECONDS = 60.0
"""Longer intervals are analysed only this long, around their middle."""

MARGIN_SECONDS = 2.0
"""Context analysed before and after an interval, whose ends may cut a sound."""

BUDGET_SECONDS = {"cpu": 90.0, "cuda": 900.0}
"""Budget of sound to analyse per search, by device. PE-A-Frame (small) takes about 3 CPU-seconds per second of
sound."""

STORED_COST_SHARE = 0.1
"""Share of that cost for sound whose features are in the library: the codec is nine tenths of the work."""


class SoundRescorer:
    """Detects the phrases of one search until its budget is spent or the search is cancelled."""

    def __init__(self, library: Library, models: ModelSet, phrases: Mapping[str, int], cancelled: Event) -> None:
        """`phrases` are the named sounds with their term numbers."""
        self._library, self._models, self.phrases, self._cancelled = library, models, phrases, cancelled
        self._budget_seconds = 0.0
        if phrases:  # else the device is not asked for, which may import torch
            self._budget_seconds = BUDGET_SECONDS.get(models.device_kind, min(BUDGET_SECONDS.values()))
        self._detections: dict[int, dict[int, SoundDetections]] = {}

    def detections(self, file_id: int) -> Mapping[int, SoundDetections]:
        """The detections in a file so far, by term number; empty if no part of it was analysed."""
        return self._detections.get(file_id, {})

    def rescore(self, file: MediaFile, interval: Interval) -> bool:
        """Analyses an interval of a file. Returns whether that added any detections."""
        if not self.phrases or file.info.audio is None or self._budget_seconds <= 0 or self._cancelled.is_set():
            return False
        start, end = _analysed_range(interval, file.info.duration_seconds)
        detections = self._detections.setdefault(
            file.id, {term: SoundDetections.empty(file.info.duration_seconds) for term in self.phrases.values()}
        )
        first = round(start * STEPS_PER_SECOND)
        inside = slice(first, round(end * STEPS_PER_SECOND))
        if not any(np.isnan(term_detections.present[inside]).any() for term_detections in detections.values()):
            return False
        is_stored = self._library.features(file.id, 0, 1) is not None
        self._budget_seconds -= (end - start) * (STORED_COST_SHARE if is_stored else 1.0)
        stored = StoredSound(self._library, file.id)
        try:
            probabilities = detect(file.path, start, end, list(self.phrases), self._models, stored)
        except MediaError:
            return False  # the file is offline: it was retrieved by its vectors alone
        threshold = self._models.event_threshold
        for row, (phrase, term) in zip(probabilities, self.phrases.items(), strict=True):
            events = find_events(row[None], [phrase], start, end, threshold)
            detections[term].add(slice(first, first + len(row)), presence(row, threshold), list(events))
        return True


def _analysed_range(interval: Interval, duration_seconds: float) -> tuple[float, float]:
    """The start and end in seconds of the sound to analyse for an interval; the start is at a codec step."""
    start, end = interval.start_seconds - MARGIN_SECONDS, interval.end_seconds + MARGIN_SECONDS
    if end - start > MAX_DETECTION_SECONDS:
        middle = (start + end) / 2
        start, end = middle - MAX_DETECTION_SECONDS / 2, middle + MAX_DETECTION_SECONDS / 2
    first = math.floor(max(start, 0.0) * STEPS_PER_SECOND + 1e-6)
    return first / STEPS_PER_SECOND, min(end, duration_seconds)
