"""Clips and long tracks of the generated world, as encoded for PE-A-Frame, and the quality of the sounds detected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pesearch.encoders.model_set import ModelSet
from pesearch.encoders.overlap_add import HOP_STEPS, Bounds, overlap_add, overlapping_windows
from pesearch.encoders.pe_a_frame import PeAFrame
from pesearch.evaluation.detection import matched_events
from pesearch.evaluation.detection_eval import active_steps
from pesearch.evaluation.ground_truth import Truth
from pesearch.evaluation.metrics import auroc, best_iou, f1, iou, matched_onsets, mean
from pesearch.media.audio import AudioReader
from pesearch.search.events.codec_features import DecodedSound
from pesearch.search.events.postprocess import RULE, THRESHOLD, Rule, find_runs, find_spans, steps_to_seconds
from pesearch.timeline import step_count
from pesearch.types import FloatArray
from training.render import write_samples
from training.scene import Scene
from training.sounds import render_audio
from training.tracks import enough_scenes, render_track, tracks_of
from training.truths import truth_of
from training.words import SOUNDS

LABELS = sorted(SOUNDS)
OFFSET_SHARE = 0.2
"""Tolerance of offsets as a share of a sound's length, where that exceeds the collar of onsets (DCASE, task 4)."""

Stitch = Callable[[Sequence[Bounds], Sequence[FloatArray]], FloatArray]

FindSpans = Callable[[FloatArray], list[tuple[int, int]]]
"""Spans [start, stop) in steps, from the probabilities [steps] of one sound."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A file: codec features [steps, dim], and the sounds in it."""

    features: FloatArray
    truths: tuple[Truth, ...]
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class World:
    """Clips, and tracks with their sounds at random times."""

    clips: tuple[Sound, ...]
    tracks: tuple[Sound, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """As `evaluation.detection_eval.EventFigures`; `onset_f1` is its event F1. `event_f1` also requires the offset
    within 0.2 s or a fifth of the length.

    fragments: Found spans that overlap a true one, per true one that any overlaps.
    found_per_true: All found spans per true one.
    """

    auroc: float
    span_iou: float
    onset_f1: float
    event_f1: float
    fragments: float
    found_per_true: float

    def __str__(self) -> str:
        quality = f"{self.auroc:.4f} {self.span_iou:.3f} {self.onset_f1:.3f} {self.event_f1:.3f}"
        return f"{quality}, {self.fragments:.2f} {self.found_per_true:.2f}"


@dataclass(frozen=True)
class Judged:
    """Probabilities [labels, steps] of many files, with their ground truth."""

    sounds: Sequence[Sound]
    probabilities: Sequence[FloatArray]

    @cached_property
    def auroc(self) -> float:
        """AUROC over all steps, averaged over the labels."""
        active = [active_steps(sound.truths, LABELS, p.shape[1]) for sound, p in self._pairs]
        rows = zip(np.concatenate(self.probabilities, axis=1), np.concatenate(active, axis=1), strict=True)
        return mean(auroc(scores, truth) for scores, truth in rows)

    def figures(self, threshold: float, rule: Rule = RULE) -> Figures:
        """Metrics of the events that a post-processing rule finds."""
        return self.figures_of(lambda row: find_spans(row, threshold, rule))

    def figures_of(self, find: FindSpans) -> Figures:
        """Metrics of the events that any post-processing finds."""
        overlaps, overlapping = list[float](), list[int]()
        onsets = events = true_count = found_count = 0
        for sound, probabilities in self._pairs:
            for label, row in zip(LABELS, probabilities, strict=True):
                true = [(each.start_seconds, each.end_seconds) for each in sound.truths if each.what == label]
                found = [
                    (steps_to_seconds(start), min(steps_to_seconds(stop), sound.duration_seconds))
                    for start, stop in find(row)
                ]
                overlaps += [best_iou(span, found) for span in true]
                overlapping += [sum(iou(span, each) > 0 for each in found) for span in true]
                onsets += matched_onsets([start for start, _ in true], [start for start, _ in found])
                events += matched_events(true, found)
                true_count, found_count = true_count + len(true), found_count + len(found)
        return Figures(
            self.auroc,
            mean(overlaps),
            f1(onsets, true_count, found_count),
            f1(events, true_count, found_count),
            mean(count for count in overlapping if count),
            found_count / true_count,
        )

    @property
    def _pairs(self) -> list[tuple[Sound, FloatArray]]:
        return list(zip(self.sounds, self.probabilities, strict=True))


def plain_threshold(probabilities: FloatArray) -> list[tuple[int, int]]:
    """The runs of steps above PE-A-Frame's own threshold, as its reference implementation returns them."""
    return find_runs(probabilities > THRESHOLD)


def make_world(seed: int, count: int, models: ModelSet, folder: Path) -> World:
    """Clips and tracks of world `seed`: rendered, written, decoded, and encoded by the codec."""
    scenes = enough_scenes(seed, count)
    return World(
        tuple(_sound(scene, render_audio(scene), models, folder) for scene in scenes),
        tuple(_sound(track.scene, render_track(track), models, folder) for track in tracks_of(scenes)[:count]),
    )


def _sound(scene: Scene, samples: FloatArray, models: ModelSet, folder: Path) -> Sound:
    path = folder / "sound.wav"
    write_samples(path, samples)
    heard = truth_of(path.name, [scene], "", "", "").heard
    with AudioReader(path) as reader:
        sound = DecodedSound(reader, models, 0, step_count(reader.duration_seconds))
        features = sound.read(0, sound.steps).astype(np.float16).astype(np.float32)  # as a library stores them
    return Sound(features, tuple(Truth(each.what, each.start, each.end) for each in heard), scene.duration_seconds)


def listen(sounds: Sequence[Sound], frame: PeAFrame, hop_steps: int = HOP_STEPS, **ways: Stitch) -> dict[str, Judged]:
    """Probabilities of all labels in all sounds, for each way of combining windows; each window is computed once."""
    text, heard = frame.embed_phrases(LABELS), {name: list[FloatArray]() for name in ways}
    for sound in sounds:
        bounds = overlapping_windows(len(sound.features), hop_steps)
        logits = frame.logits([sound.features[first:stop] for first, stop in bounds], text)
        for name, way in ways.items():
            heard[name].append((1 / (1 + np.exp(-way(bounds, logits)))).astype(np.float32))
    return {name: Judged(sounds, probabilities) for name, probabilities in heard.items()}


def ours(bounds: Sequence[Bounds], logits: Sequence[FloatArray]) -> FloatArray:
    """Overlap-add as pesearch does it."""
    return np.concatenate(list(overlap_add(bounds, logits)), axis=1)


def cut_in_the_middle(bounds: Sequence[Bounds], logits: Sequence[FloatArray]) -> FloatArray:
    """Without cross-fading: each step from the window in which it is farthest from an edge."""
    result = np.empty((len(logits[0]), bounds[-1][1]), dtype=np.float32)
    depth = np.zeros(bounds[-1][1])
    for (first, stop), window in zip(bounds, logits, strict=True):
        own = np.minimum(np.arange(1, stop - first + 1), np.arange(stop - first, 0, -1))
        better = own > depth[first:stop]
        result[:, first:stop][:, better] = window[:, better]
        depth[first:stop] = np.maximum(depth[first:stop], own)
    return result


def faded(weigh: Callable[[int], FloatArray]) -> Stitch:
    """Mean of the logits, weighted by the position of a step in each window."""

    def stitch(bounds: Sequence[Bounds], logits: Sequence[FloatArray]) -> FloatArray:
        sums, weights = np.zeros((len(logits[0]), bounds[-1][1])), np.zeros(bounds[-1][1])
        for (first, stop), window in zip(bounds, logits, strict=True):
            own = weigh(stop - first)
            sums[:, first:stop] += own * window
            weights[first:stop] += own
        mixed: FloatArray = (sums / weights).astype(np.float32)
        return mixed

    return stitch


def hann(steps: int) -> FloatArray:
    """The raised cosine, without its zeros."""
    return np.hanning(steps + 2)[1:-1].astype(np.float32)


def flat(steps: int) -> FloatArray:
    """Equal weights."""
    return np.ones(steps, dtype=np.float32)
