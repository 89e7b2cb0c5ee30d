"""Sound event detection over a dataset, one clip at a time and in constant memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pesearch.evaluation.datasets import IndexedClip
from pesearch.evaluation.detection import DetectionCounts, FrameScores
from pesearch.evaluation.detection_eval import active_steps
from pesearch.evaluation.metrics import Span, mean
from pesearch.evaluation.psds import OPERATING_POINTS, SCENARIO_1, SCENARIO_2, PsdsCounts, merge_overlapping
from pesearch.search.events.locate import StoredSound, detect, find_events
from pesearch.types import Event, FloatArray

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library


@dataclass(frozen=True, slots=True)
class DetectionMetrics:
    """Metrics over `clips` clips and `labels` sounds, 0..1, NaN without data.

    `auroc`, over all 40 ms steps, and the F-scores are means of the sounds; the `_micro` F-scores pool the events of
    all sounds. `psds1` and `psds2` are the two scenarios of DCASE task 4.
    """

    clips: int
    labels: int
    auroc: float
    event_f1: float
    event_f1_micro: float
    segment_f1: float
    segment_f1_micro: float
    psds1: float
    psds2: float


class SoundEvaluator:
    """Accumulates detection counts clip by clip. Every sound of the split is detected in every clip."""

    def __init__(self, clips: Sequence[IndexedClip], library: Library, models: ModelSet) -> None:
        audible = [clip for clip in clips if any(file.info.audio for file in clip.files)]
        self._labels = sorted({event.what for clip in audible for event in clip.clip.events})
        self._clips = audible if self._labels else []
        self._library, self._models = library, models
        self._frames = FrameScores(len(self._labels))
        self._events, self._segments = DetectionCounts(self._labels), DetectionCounts(self._labels)
        points = len(OPERATING_POINTS)
        self._psds = [PsdsCounts(self._labels, points, scenario) for scenario in (SCENARIO_1, SCENARIO_2)]

    def __len__(self) -> int:
        return len(self._clips)

    def detect_sounds(self) -> Iterator[IndexedClip]:
        """Process the clips, yielding each when it is counted. Raises MediaError for a clip that cannot be decoded."""
        for clip in self._clips:
            self._count(clip)
            yield clip

    def metrics(self) -> DetectionMetrics:
        """Metrics over the clips that were counted."""
        return DetectionMetrics(
            clips=len(self),
            labels=len(self._labels),
            auroc=mean(self._frames.aurocs()),
            event_f1=self._events.macro_f1(),
            event_f1_micro=self._events.micro_f1(),
            segment_f1=self._segments.macro_f1(),
            segment_f1_micro=self._segments.micro_f1(),
            psds1=self._psds[0].score(),
            psds2=self._psds[1].score(),
        )

    def _count(self, clip: IndexedClip) -> None:
        file = next(file for file in clip.files if file.info.audio)
        seconds = file.info.duration_seconds
        track = detect(file.path, 0.0, seconds, self._labels, self._models, StoredSound(self._library, file.id))
        self._frames.add(track, active_steps(clip.clip.events, self._labels, track.shape[1]))
        events = [(event.what, (event.start_seconds, event.end_seconds)) for event in clip.clip.events]
        truths = {label: merge_overlapping(spans) for label, spans in _by_label(events).items()}
        found = _spans_by_label(find_events(track, self._labels, 0.0, seconds))
        self._events.add_events(truths, found)
        self._segments.add_segments(truths, found)
        at_points = [
            _spans_by_label(_events_above(track, self._labels, seconds, threshold)) for threshold in OPERATING_POINTS
        ]
        for counts in self._psds:
            counts.add(seconds, truths, at_points)


def _events_above(track: FloatArray, labels: Sequence[str], seconds: float, threshold: float) -> tuple[Event, ...]:
    """The events at one threshold; labels that never reach it, usually most of them, are skipped."""
    heard = track.max(axis=1, initial=0.0) > threshold
    return find_events(
        track[heard],
        [label for label, is_heard in zip(labels, heard, strict=True) if is_heard],
        0.0,
        seconds,
        threshold,
    )


def _spans_by_label(events: Iterable[Event]) -> dict[str, list[Span]]:
    return _by_label((event.label, (event.start_seconds, event.end_seconds)) for event in events)


def _by_label(spans: Iterable[tuple[str, Span]]) -> dict[str, list[Span]]:
    by_label = defaultdict(list)
    for label, span in spans:
        by_label[label].append(span)
    return by_label
