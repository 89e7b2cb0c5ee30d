"""Clips of the generated world with ground truth: python -m training.world --seed N --count 200 --out DIR

Every seed N has its own sequence of scene seeds, all of them at least 1,000,000. Training uses scene seeds below
100,000 only, so no clip made here is in the training data.
"""

import argparse
import dataclasses
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pesearch.errors import PesearchError
from training.render import write_audio, write_video
from training.scene import TRAINING_SEEDS, Scene, facts_of, sample_scene
from training.texts import audio_caption, caption, video_caption
from training.truths import Truth, truth_of, write_truths
from training.words import PHRASES

FIRST_SEED = 1_000_000
ATTEMPTS = 50
MAX_CLIPS = 20_000
SPEAKING = 4  # every fourth clip speaks, so that 200 clips say every phrase
README = "README.txt"
TITLE = "Clips of pesearch's generated world"


def choose_scenes(seed: int, count: int) -> list[Scene]:
    """Scenes with different captions: each has another set of sounds, and a picture that no other contains, as far as
    there are enough such sets. Phrases take turns. Deterministic."""
    scenes: list[Scene] = []
    audible: set[frozenset[str]] = set()
    visible: list[frozenset[str]] = []
    for clip in range(count):
        scene = _clearest(_candidates(FIRST_SEED + (seed * MAX_CLIPS + clip) * ATTEMPTS, clip), audible, visible)
        scenes.append(scene)
        audible.add(facts_of(scene).audible())
        visible.append(_picture(scene))
    return scenes


def write_world(folder: Path, seed: int, count: int, kind: str = "video") -> list[Truth]:
    """Write the clips and truths.json into the folder. Kinds: video (MP4 with sound), audio (WAV).

    Raises PesearchError for a folder with other content, and when FFmpeg or espeak-ng is missing.
    """
    _take(folder, seed, count, kind)
    truths = []
    for number, scene in enumerate(choose_scenes(seed, count), start=1):
        truths.append(_write_clip(folder, number, scene, kind))
        print(f"\r{number} of {count} clips", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    write_truths(folder / "truths.json", truths)
    return truths


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status: 0 done, 2 error, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python -m training.world", description=__doc__)
    parser.add_argument("--seed", type=int, required=True, help="world, 0 or more; none is in the training data")
    parser.add_argument("--count", type=int, default=200, help=f"clips, at most {MAX_CLIPS} (default 200)")
    parser.add_argument("--out", type=Path, required=True, help="folder for the clips and truths.json")
    parser.add_argument("--kind", choices=("video", "audio"), default="video", help="default video, with sound")
    options = parser.parse_args(arguments)
    if options.seed < 0 or not 1 <= options.count <= MAX_CLIPS:
        parser.error(f"--seed must be 0 or more and --count 1 to {MAX_CLIPS}")
    try:
        write_world(options.out, options.seed, options.count, options.kind)
    except (PesearchError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted: the clips made so far are complete, truths.json is not written", file=sys.stderr)
        return 130
    return 0


def _candidates(first_seed: int, clip: int) -> Iterator[Scene]:
    phrase = PHRASES[clip // SPEAKING % len(PHRASES)] if clip % SPEAKING == 0 else ""
    return (sample_scene(first_seed + attempt, phrase=phrase) for attempt in range(ATTEMPTS))


def _clearest(candidates: Iterator[Scene], audible: set[frozenset[str]], visible: list[frozenset[str]]) -> Scene:
    """The first candidate whose captions match no scene chosen before, else the one with the fewest clashes."""
    best: tuple[int, Scene] | None = None
    for scene in candidates:
        picture = _picture(scene)
        clashes = int(facts_of(scene).audible() in audible)
        clashes += int(any(picture <= other or other <= picture for other in visible))
        if best is None or clashes < best[0]:
            best = (clashes, scene)
        if clashes == 0:
            break
    assert best is not None
    return best[1]


def _picture(scene: Scene) -> frozenset[str]:
    """The facts that are visible in every frame: all except motion."""
    return frozenset(fact for fact in facts_of(scene).visible() if not fact.startswith("motion:"))


def _take(folder: Path, seed: int, count: int, kind: str) -> None:
    """Create the folder, or empty one that was made here, and write its README.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    readme = folder / README
    made_here = readme.is_file() and readme.read_text(encoding="utf-8", errors="replace").startswith(TITLE)
    if any(folder.iterdir()) and not made_here:
        raise PesearchError(f"{folder} has other content: choose an empty or a new folder")
    for old in (*folder.glob("clip_*.mp4"), *folder.glob("clip_*.wav"), *folder.glob("truths.json")):
        old.unlink()
    readme.write_text(
        f"{TITLE}, made by: python -m training.world --seed {seed} --count {count} --kind {kind}\n"
        f"truths.json says what is heard, seen and said in each. Scene seeds here are {FIRST_SEED} or more;\n"
        f"the starter models were trained on scene seeds below {TRAINING_SEEDS} only.\n",
        encoding="utf-8",
    )


def _write_clip(folder: Path, number: int, scene: Scene, kind: str) -> Truth:
    rng = np.random.default_rng([scene.seed, 99])
    if kind == "audio":
        name, scene = f"clip_{number:03d}.wav", dataclasses.replace(scene, seen=(), place="")
        write_audio(folder / name, scene)
        heard = audio_caption(scene, rng).text
        return truth_of(name, [scene], heard, "", heard)
    name = f"clip_{number:03d}.mp4"
    write_video(folder / name, [scene])
    captions = [make(scene, rng).text for make in (audio_caption, video_caption, caption)]
    return truth_of(name, [scene], *captions)


if __name__ == "__main__":
    sys.exit(main())
