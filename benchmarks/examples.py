"""Quality of examples combined with words: a sound with words about the picture, a video with words about the sound.

    python -m benchmarks.examples [--folder DIR] [--seed 41] [--questions 120]

Clips of several scenes outside the training data are made and indexed with the starter set; `--folder` keeps them
(shared with `benchmarks.search`). Each question is asked with the example only, the words only, both as two conditions
that must meet, and also as a single one, with PE-AV's heads for a sound with words and a picture with words.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np

from benchmarks.composed import write_clips
from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.kept_folder import kept_folder
from benchmarks.search import indexed
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.evaluation.ground_truth import ClipTruth, read_truths
from pesearch.evaluation.ranking import ndcg_at
from pesearch.search.query import plan as plan_module
from pesearch.search.query.language.nodes import Example, Together, Words
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.library import Library
from training.render import write_audio, write_video
from training.scene import Scene, sample_scene
from training.texts import with_article
from training.words import HEARD_AS, MADE_BY, OBJECTS, SOUNDS

FIRST_SEED = 7_000_000
"""First seed of the scenes of examples, outside the training data."""

MAX_RELEVANT_SHARE = 0.3
"""Maximum share of the clips that match a question."""

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class ExampleQuery:
    """An example, the words with it, and the names of the clips that match both."""

    example: Path
    words: str
    relevant: frozenset[str]


@dataclass(frozen=True, slots=True)
class WithWords:
    """nDCG@10 of one kind of question, asked in four ways."""

    part: str
    kind: str
    questions: int
    example: float
    words: float
    apart: float
    together: float

    def rows(self) -> Iterator[Row]:
        for way in ("example", "words", "apart", "together"):
            yield Row(f"{self.kind} ({self.questions}): {way}", f"{getattr(self, way):.3f}")


def main() -> None:
    """Make clips, index them, ask, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="keep clips and libraries here for another run")
    parser.add_argument("--seed", type=int, default=41, help="seed of the clips, none in training (default 41)")
    parser.add_argument("--questions", type=int, default=120)
    arguments = parser.parse_args()
    with kept_folder(arguments.folder) as folder:
        report(measure(folder, arguments.seed, arguments.questions))


def measure(folder: Path, seed: int, count: int) -> Iterator[Finding]:
    """Measure both kinds of questions."""
    yield this_machine("cpu", "starter")
    models = open_model_set("starter", "cpu")
    clips = folder / f"composed {seed}"
    library = indexed(clips, partial(write_clips, clips, seed, 400), models)
    truths = read_truths(clips / "truths.json")
    examples = folder / f"examples {seed}"
    examples.mkdir(exist_ok=True)
    for kind in ("sound and words", "video and words"):
        questions = list(_questions(kind, truths, examples, seed, count // 2))
        yield _judged(kind, library, models, questions)


def _questions(kind: str, truths: Sequence[ClipTruth], folder: Path, seed: int, count: int) -> Iterator[ExampleQuery]:
    """Questions that some clips match, but not many."""
    rng, asked = np.random.default_rng([seed, 3]), set[tuple[str, str]]()
    while len(asked) < count:
        sound, thing = str(rng.choice([name for name in SOUNDS if name != "speech"])), str(rng.choice(OBJECTS))
        relevant = frozenset(clip.path.name for clip in truths if _answers(clip, kind, sound, thing))
        asks_enough = 0 < len(relevant) <= MAX_RELEVANT_SHARE * len(truths) and thing != MADE_BY.get(sound)
        if (sound, thing) in asked or not asks_enough:
            continue
        asked.add((sound, thing))
        scene = FIRST_SEED + 1000 * len(asked)
        if kind == "sound and words":
            path = _sound_of(sound, scene, folder / f"{len(asked)}_{sound}.wav")
            yield ExampleQuery(path, with_article(thing), relevant)
        else:
            path = _video_of(thing, scene, folder / f"{len(asked)}_{thing}.mp4")
            yield ExampleQuery(path, HEARD_AS[sound][0], relevant)


def _answers(clip: ClipTruth, kind: str, sound: str, thing: str) -> bool:
    """Whether the object is seen while the sound is heard, or, for a sound example, while its source is seen."""
    asked = [heard for heard in clip.heard if heard.what == sound]
    if kind == "sound and words":
        asked += [seen for seen in clip.seen if seen.what == MADE_BY.get(sound)]
    return any(
        one.start_seconds < seen.end_seconds and seen.start_seconds < one.end_seconds
        for one in asked for seen in clip.seen if seen.what == thing
    )  # fmt: skip


def _sound_of(sound: str, seed: int, path: Path) -> Path:
    scene = next(scene for scene in _scenes(seed) if [heard.what for heard in scene.heard] == [sound])
    write_audio(path, replace(scene, seen=(), place=""))
    return path


def _video_of(thing: str, seed: int, path: Path) -> Path:
    scene = next(scene for scene in _scenes(seed) if [seen.what for seen in scene.seen] == [thing])
    write_video(path, [replace(scene, heard=(), said=())], sound=False)
    return path


def _scenes(seed: int) -> Iterator[Scene]:
    return (sample_scene(seed + number, phrase="") for number in range(1000))


def _judged(kind: str, library: Library, models: ModelSet, asked: list[ExampleQuery]) -> WithWords:
    names = [file.path.name for file in library.files()]

    def ndcg(question: SearchRequest, relevant: frozenset[str]) -> float:
        moments = search(library, models, replace(question, k=10, per_file=1)).moments
        found = {moment.file.path.name: moment.score for moment in reversed(moments)}
        scores = np.array([[found.get(name, 0.0) for name in names]])
        return float(ndcg_at(scores, np.array([[float(name in relevant) for name in names]]), 10)[0])

    both = [SearchRequest(str(Together((Example(each.example), Words(each.words))))) for each in asked]
    ways = [
        np.mean([ndcg(SearchRequest(str(Example(each.example))), each.relevant) for each in asked]),
        np.mean([ndcg(SearchRequest(each.words), each.relevant) for each in asked]),
    ]
    with patch.object(plan_module, "_can_join", lambda sample, words: False):
        ways.append(np.mean([ndcg(one, each.relevant) for one, each in zip(both, asked, strict=True)]))
    ways.append(np.mean([ndcg(one, each.relevant) for one, each in zip(both, asked, strict=True)]))
    return WithWords("examples", kind, len(asked), *map(float, ways))


if __name__ == "__main__":
    main()
