"""Sound detection by weaker models: Gaussian noise on PE-A-Frame's logits, at chosen values of the frame AUROC."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import Row
from benchmarks.located import LABELS, Figures, Judged, plain_threshold
from pesearch.search.events.noise import to_logits
from pesearch.search.events.presence import presence
from pesearch.timeline import STEP_SECONDS, STEPS_PER_SECOND
from pesearch.types import FloatArray

TARGET_AUROCS = (0.90, 0.86)
"""Frame AUROC of five-minute tracks; PE-A-Frame (small to large) has 0.83 to 0.96 on its benchmarks."""

CORRELATIONS_SECONDS = (0.0, 0.2)
"""Time in which the autocorrelation of the noise falls to 1/e; 0 is white noise."""

PART_STEPS = 20 * STEPS_PER_SECOND
"""Length of the parts whose presence is measured: 20 s."""

MIN_INSIDE_SECONDS = 0.5
"""A sound is present in a part if so much of it is inside, and absent if nothing is."""


@dataclass(frozen=True, slots=True)
class Presence:
    """Shares of the parts in which a sound is absent, or present, whose `presence` is above 0.5."""

    absent: float
    present: float


@dataclass(frozen=True, slots=True)
class Noisy:
    """Figures for one strength of noise on the logits, `deviation`, by the plain threshold and by pesearch."""

    part: str
    correlation_seconds: float
    deviation: float
    plain_clips: Figures
    clips: Figures
    plain_tracks: Figures
    tracks: Figures
    presence: Presence

    def rows(self) -> Iterator[Row]:
        """Frame AUROC, span IoU, F1 of onsets and F1 of events, fragments and found spans per true one."""
        kind = f"correlated over {self.correlation_seconds:g} s" if self.correlation_seconds else "white"
        noise = f"{kind}, {self.deviation:.1f} logits" if self.deviation else "no noise"
        yield Row(f"{noise}: clips, plain threshold", str(self.plain_clips))
        yield Row(f"{noise}: clips", str(self.clips), f"event-F1 >= {self.plain_clips.event_f1 + 0.05:.3f}")
        yield Row(f"{noise}: tracks, plain threshold", str(self.plain_tracks))
        bar = f"event-F1 >= {self.plain_tracks.event_f1 + 0.05:.3f}, spans <= 1.3"
        yield Row(f"{noise}: tracks", str(self.tracks), bar)
        shares = f"{self.presence.absent:.3f} {self.presence.present:.3f}"
        yield Row(f"{noise}: absent sounds found present, and present ones", shares)


def measure_noise(clips: Judged, tracks: Judged, threshold: float) -> Iterator[Noisy]:
    """Without noise, then at TARGET_AUROCS for each of CORRELATIONS_SECONDS."""
    yield _noisy(0.0, 0.0, clips, tracks, threshold)
    for correlation_seconds in CORRELATIONS_SECONDS:
        for target in TARGET_AUROCS:
            deviation = _deviation_for(target, tracks, correlation_seconds)
            noisy_clips = with_noise(clips, deviation, correlation_seconds)
            noisy_tracks = with_noise(tracks, deviation, correlation_seconds)
            yield _noisy(correlation_seconds, deviation, noisy_clips, noisy_tracks, threshold)


def with_noise(judged: Judged, deviation: float, correlation_seconds: float) -> Judged:
    """The same sounds with Gaussian noise added to the logits of each label and step; deterministic."""
    rng = np.random.default_rng(0)
    return Judged(
        judged.sounds,
        [_add_noise(each, deviation, correlation_seconds, rng) for each in judged.probabilities],
    )


def _add_noise(
    probabilities: FloatArray, deviation: float, correlation_seconds: float, rng: np.random.Generator
) -> FloatArray:
    noise = rng.standard_normal(probabilities.shape)
    if correlation_seconds:
        kept = math.exp(-STEP_SECONDS / correlation_seconds)
        for step in range(1, noise.shape[1]):  # an autoregressive process of order 1, with a variance of 1
            noise[:, step] = kept * noise[:, step - 1] + math.sqrt(1 - kept**2) * noise[:, step]
    logits = np.clip(to_logits(probabilities) + deviation * noise, -80.0, 80.0)
    return (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)


def _deviation_for(target: float, tracks: Judged, correlation_seconds: float) -> float:
    """The deviation of the noise in logits at which the frame AUROC is `target`, to 0.1, by bisection."""
    low, high = 0.0, 40.0
    while high - low > 0.1:
        middle = (low + high) / 2
        if with_noise(tracks, middle, correlation_seconds).auroc > target:
            low = middle
        else:
            high = middle
    return high


def _noisy(correlation_seconds: float, deviation: float, clips: Judged, tracks: Judged, threshold: float) -> Noisy:
    return Noisy(
        part="noise",
        correlation_seconds=correlation_seconds,
        deviation=deviation,
        plain_clips=clips.figures_of(plain_threshold),
        clips=clips.figures(threshold),
        plain_tracks=tracks.figures_of(plain_threshold),
        tracks=tracks.figures(threshold),
        presence=_presence(tracks, threshold),
    )


def _presence(tracks: Judged, threshold: float) -> Presence:
    """The presence of each label in parts of the tracks; those with a shorter piece of the sound are left out."""
    absent, present = list[bool](), list[bool]()
    for sound, probabilities in zip(tracks.sounds, tracks.probabilities, strict=True):
        for label, row in zip(LABELS, probabilities, strict=True):
            for first in range(0, len(row), PART_STEPS):
                start, end = first * STEP_SECONDS, (first + PART_STEPS) * STEP_SECONDS
                inside = max(
                    (
                        min(each.end_seconds, end) - max(each.start_seconds, start)
                        for each in sound.truths
                        if each.what == label
                    ),
                    default=0.0,
                )
                is_found = presence(row[first : first + PART_STEPS], threshold) > 0.5
                if inside <= 0:
                    absent.append(is_found)
                elif inside >= MIN_INSIDE_SECONDS:
                    present.append(is_found)
    return Presence(float(np.mean(absent)), float(np.mean(present)))
