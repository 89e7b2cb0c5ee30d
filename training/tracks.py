"""Long tracks of the generated world with ground truth: python -m training.tracks --seed N --count 4 --out DIR

A track is five minutes with thirty sounds at random times: the sounds of short clips of world N, with their lengths,
variants and levels, over the backgrounds of these clips, one after the other. So figures on tracks and on clips can be
compared.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pesearch.errors import PesearchError
from training.render import write_samples
from training.scene import Heard, Said, Scene
from training.sounds import SAMPLE_RATE, background, render_over
from training.truths import Truth, truth_of, write_truths
from training.world import choose_scenes

TRACK_SECONDS = 300.0
EVENTS = 30
MAX_OVERLAP_SECONDS = 0.4  # of two sounds, as in the world's clips
MIN_GAP_SECONDS = 0.5  # between two sounds of one kind: with less, they might as well be one

FADE_SECONDS = 0.5  # between two backgrounds

Sound = Heard | Said


@dataclass(frozen=True, slots=True)
class Track:
    """The sounds and speech as a scene without picture, and the scenes whose backgrounds are used."""

    scene: Scene
    backgrounds: tuple[Scene, ...]


def write_tracks(folder: Path, seed: int, count: int) -> list[Truth]:
    """Write WAV files and truths.json into the folder. Raises PesearchError when espeak-ng is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    truths = []
    for number, track in enumerate(tracks_of(enough_scenes(seed, count))[:count], start=1):
        name = f"track_{number:02d}.wav"
        write_samples(folder / name, render_track(track))
        truths.append(truth_of(name, [track.scene], "", "", ""))
    write_truths(folder / "truths.json", truths)
    return truths


def enough_scenes(seed: int, count: int) -> list[Scene]:
    """The first clips of a world (see `training.world`) with enough sounds for `count` tracks."""
    scenes, needed = choose_scenes(seed, count * EVENTS), count * EVENTS
    while sum(len(sounds_of(scene)) for scene in scenes[:-1]) >= needed:
        scenes.pop()
    return scenes


def tracks_of(scenes: Sequence[Scene]) -> list[Track]:
    """Tracks with the scenes' sounds in their order, as many as they fill; deterministic."""
    sounds = [(scene, sound) for scene in scenes for sound in sounds_of(scene)]
    return [_track(sounds[start : start + EVENTS]) for start in range(0, len(sounds) - EVENTS + 1, EVENTS)]


def render_track(track: Track) -> NDArray[np.float32]:
    """The sound of a track: float32 [round(TRACK_SECONDS * 48000)], scaled as by `render_audio`."""
    samples, fade = round(TRACK_SECONDS * SAMPLE_RATE), round(FADE_SECONDS * SAMPLE_RATE)
    mix, share = np.zeros(samples), samples // len(track.backgrounds)
    for number, scene in enumerate(track.backgrounds):
        start = number * share
        noise = background(replace(scene, duration_seconds=(share + fade) / SAMPLE_RATE))[: samples - start]
        noise[:fade] *= np.linspace(0, 1, fade)
        noise[share:] *= np.linspace(1, 0, fade)[: len(noise) - share]
        mix[start : start + len(noise)] += noise
    return render_over(mix, track.scene)


def sounds_of(scene: Scene) -> tuple[Sound, ...]:
    """Sounds and speech of a scene."""
    return (*scene.heard, *scene.said)


def _track(sounds: Sequence[tuple[Scene, Sound]]) -> Track:
    first = sounds[0][0]
    rng, placed = np.random.default_rng([first.seed, 300]), list[Sound]()
    for _, sound in sounds:
        placed.append(_place(rng, sound, placed))
    scene = replace(
        first,
        duration_seconds=TRACK_SECONDS,
        place="",
        heard=tuple(sound for sound in placed if isinstance(sound, Heard)),
        said=tuple(sound for sound in placed if isinstance(sound, Said)),
        seen=(),
    )
    return Track(scene, tuple(dict.fromkeys(source for source, _ in sounds)))


def _place(rng: np.random.Generator, sound: Sound, placed: Sequence[Sound]) -> Sound:
    """Move the sound to a random time without conflict. There is one: thirty sounds fill a fifth of a track."""
    length = sound.end_seconds - sound.start_seconds
    while True:
        start = round(float(rng.uniform(0, TRACK_SECONDS - length)), 2)
        moved = replace(sound, start_seconds=start, end_seconds=round(start + length, 2))
        if all(_fits(moved, other) for other in placed):
            return moved


def _fits(sound: Sound, other: Sound) -> bool:
    shared = min(sound.end_seconds, other.end_seconds) - max(sound.start_seconds, other.start_seconds)
    return shared <= (-MIN_GAP_SECONDS if _kind(sound) == _kind(other) else MAX_OVERLAP_SECONDS)


def _kind(sound: Sound) -> str:
    return sound.what if isinstance(sound, Heard) else "speech"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status: 0 done, 2 error."""
    parser = argparse.ArgumentParser(prog="python -m training.tracks", description=__doc__)
    parser.add_argument("--seed", type=int, required=True, help="world, 0 or more; none is in the training data")
    parser.add_argument("--count", type=int, default=4, help="tracks (default 4)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the tracks and truths.json")
    options = parser.parse_args(arguments)
    if options.seed < 0 or options.count < 1:
        parser.error("--seed must be 0 or more and --count 1 or more")
    try:
        write_tracks(options.out, options.seed, options.count)
    except (PesearchError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
