"""Sound event detection by PE-A-Frame against truths.json."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pesearch.evaluation.ground_truth import JudgedClip, Truth
from pesearch.evaluation.metrics import Flags, Span, auroc, best_iou, f1, matched_onsets, mean
from pesearch.search.events.locate import detect, find_events
from pesearch.timeline import STEP_SECONDS
from pesearch.types import Event, FloatArray

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet


@dataclass(frozen=True, slots=True)
class EventMetrics:
    """`auroc` over all 40 ms steps, mean of the sounds; `span_iou` is the mean over true spans of the IoU with the best
    detected span; `event_f1` matches onsets within 0.2 s, over all sounds."""

    auroc: float
    span_iou: float
    event_f1: float


def event_metrics(clips: Sequence[JudgedClip], models: ModelSet) -> EventMetrics:
    """Detect each annotated sound in each clip with an audio stream. All NaN without sounds or without such clips."""
    sounds = sorted({truth.what for clip in clips for truth in clip.truth.heard})
    audible = [clip for clip in clips if clip.file.info.audio is not None]
    if not sounds or not audible:
        return EventMetrics(math.nan, math.nan, math.nan)
    tracks = [_detect(clip, sounds, models) for clip in audible]
    steps = np.concatenate([track for track, _ in tracks], axis=1)
    active = np.concatenate(
        [
            active_steps(clip.truth.heard, sounds, track.shape[1])
            for clip, (track, _) in zip(audible, tracks, strict=True)
        ],
        axis=1,
    )
    located = [(clip.truth.heard, events) for clip, (_, events) in zip(audible, tracks, strict=True)]
    return EventMetrics(
        auroc=mean(auroc(scores, truth) for scores, truth in zip(steps, active, strict=True)),
        span_iou=mean(
            best_iou((truth.start_seconds, truth.end_seconds), _spans(events, truth.what))
            for truths, events in located
            for truth in truths
        ),
        event_f1=_onset_f1(located, sounds),
    )


def _detect(clip: JudgedClip, sounds: Sequence[str], models: ModelSet) -> tuple[FloatArray, tuple[Event, ...]]:
    seconds = clip.file.info.duration_seconds
    track = detect(clip.file.path, 0.0, seconds, sounds, models)
    return track, find_events(track, sounds, 0.0, seconds, models.event_threshold)


def active_steps(truths: Sequence[Truth], sounds: Sequence[str], steps: int) -> Flags:
    """Whether each sound is active in the middle of each step, bool [sounds, steps]."""
    middles = (np.arange(steps) + 0.5) * STEP_SECONDS
    active = np.zeros((len(sounds), steps), dtype=bool)
    for truth in truths:
        active[sounds.index(truth.what)] |= (middles >= truth.start_seconds) & (middles < truth.end_seconds)
    return active


def _spans(events: Sequence[Event], label: str) -> list[Span]:
    return [(event.start_seconds, event.end_seconds) for event in events if event.label == label]


def _onset_f1(located: Sequence[tuple[Sequence[Truth], Sequence[Event]]], sounds: Sequence[str]) -> float:
    matched = truths = found = 0
    for clip_truths, events in located:
        for sound in sounds:
            true_onsets = [truth.start_seconds for truth in clip_truths if truth.what == sound]
            found_onsets = [event.start_seconds for event in events if event.label == sound]
            matched += matched_onsets(true_onsets, found_onsets)
            truths, found = truths + len(true_onsets), found + len(found_onsets)
    return f1(matched, truths, found)
