"""Quality of sound detection in long tracks, by post-processing rule: the figures behind `pesearch events`.

    python -m benchmarks.events [--only tracks,noise,stitching,rules,memory] [--worlds 202 204] [--tracks 6] [--hours 2]

tracks     figures on clips of 4 s, and on five-minute tracks with the sounds of these clips at random times, thirty in
           each (`training.tracks`): by the plain threshold of PE-A-Frame, and by pesearch.
noise      the same with Gaussian noise added to the logits, so that the frame AUROC is that of weaker models, and the
           presence of absent sounds (`benchmarks.noisy_events`).
stitching  ways of combining windows of 10 s, and their overlap.
rules      post-processing of the probabilities: each value is chosen on the worlds --chosen-on and evaluated on the
           --worlds, which the choice did not see.
memory     peak resident size of `pesearch events` on ten minutes and on --hours of sound.

The starter set on the CPU; none of these worlds is in its training data. JSON lines on stdout, a table on stderr.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.located import (
    Figures,
    Judged,
    World,
    cut_in_the_middle,
    faded,
    flat,
    hann,
    listen,
    make_world,
    ours,
    plain_threshold,
)
from benchmarks.long_files import measure_events_memory
from benchmarks.noisy_events import measure_noise
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.encoders.pe_a_frame import PeAFrame
from pesearch.search.events.postprocess import RULE, Rule

PARTS = ("tracks", "noise", "stitching", "rules", "memory")

HOPS = {"8 s": 200, "5 s": 125, "2.5 s": 62}

THRESHOLDS = (0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85)

RULES = {
    **{f"max evidence {each} logits": replace(RULE, max_logits=each) for each in (0.5, 1.0, 2.0, 4.0)},
    **{f"min length {each} steps": replace(RULE, min_steps=each) for each in (2, 3, 4, 5, 6, 8)},
    **{f"hysteresis {each} logits": replace(RULE, hysteresis_logits=each) for each in (0.0, 0.2, 0.4, 0.6)},
}
"""Alternatives for each value of the rule; the other values stay."""


@dataclass(frozen=True, slots=True)
class Located:
    """Figures on clips and tracks of some worlds, for one method."""

    part: str
    way: str
    clips: Figures
    tracks: Figures

    def rows(self) -> Iterator[Row]:
        """Frame AUROC, span IoU, F1 of onsets and F1 of events, fragments and found spans per true one."""
        yield Row(f"{self.way}: clips", str(self.clips))
        yield Row(f"{self.way}: tracks", str(self.tracks), "within 0.02" if self.part == "tracks" else "")


@dataclass(frozen=True, slots=True)
class Judge:
    """Clips and tracks with their encoded sound."""

    clips: Judged
    tracks: Judged

    def located(self, part: str, way: str, threshold: float, rule: Rule = RULE) -> Located:
        """Figures for one rule."""
        return Located(part, way, self.clips.figures(threshold, rule), self.tracks.figures(threshold, rule))


def main() -> None:
    """Make worlds, encode them, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--worlds", type=int, nargs="+", default=[202, 204])
    parser.add_argument("--chosen-on", type=int, nargs="+", default=[201, 203])
    parser.add_argument("--tracks", type=int, default=6, help="tracks of each world")
    parser.add_argument("--hours", type=float, default=2.0)
    options = parser.parse_args()
    parts = options.only.split(",")
    with tempfile.TemporaryDirectory() as folder:
        report(_measure(Path(folder), parts, options))


def _measure(folder: Path, parts: Sequence[str], options: argparse.Namespace) -> Iterator[Finding]:
    models = open_model_set("starter", "cpu")
    frame = PeAFrame(models.folders.events, "cpu")
    yield this_machine("cpu", "starter")
    if set(parts) & {"tracks", "noise", "stitching", "rules"}:
        world = _worlds(options.worlds, options.tracks, models, folder)
        judge = _judge(world, frame)
        if "tracks" in parts:
            yield from _tracks(judge, models)
        if "noise" in parts:
            yield from measure_noise(judge.clips, judge.tracks, models.event_threshold)
        if "stitching" in parts:
            yield from _stitchings(world, judge, frame, models)
        if "rules" in parts:
            seen = _judge(_worlds(options.chosen_on, options.tracks, models, folder), frame)
            yield from _rules("chosen on", seen, models)
            yield from _rules("not seen", judge, models)
    if "memory" in parts:
        yield from measure_events_memory(folder, options.hours)


def _worlds(seeds: Sequence[int], tracks: int, models: ModelSet, folder: Path) -> World:
    worlds = [make_world(seed, tracks, models, folder) for seed in seeds]
    return World(
        tuple(clip for world in worlds for clip in world.clips),
        tuple(track for world in worlds for track in world.tracks),
    )


def _judge(world: World, frame: PeAFrame) -> Judge:
    return Judge(*(listen(sounds, frame, ours=ours)["ours"] for sounds in (world.clips, world.tracks)))


def _tracks(judge: Judge, models: ModelSet) -> Iterator[Located]:
    plain = (each.figures_of(plain_threshold) for each in (judge.clips, judge.tracks))
    yield Located("tracks", "plain threshold", *plain)
    yield judge.located("tracks", "current", models.event_threshold)


def _stitchings(world: World, judge: Judge, frame: PeAFrame, models: ModelSet) -> Iterator[Located]:
    clips = judge.clips.figures(models.event_threshold)
    ways = {
        "cut in the middle": cut_in_the_middle,
        "faded, triangle": ours,
        "faded, Hann": faded(hann),
        "mean": faded(flat),
    }
    for hop, steps in HOPS.items():
        for way, tracks in listen(world.tracks, frame, steps, **ways).items():
            yield Located("stitching", f"hop {hop}, {way}", clips, tracks.figures(models.event_threshold))


def _rules(part: str, judge: Judge, models: ModelSet) -> Iterator[Located]:
    for threshold in THRESHOLDS:
        yield judge.located(part, f"threshold {threshold}", threshold)
    for way, rule in RULES.items():
        yield judge.located(part, way, models.event_threshold, rule)


if __name__ == "__main__":
    main()
