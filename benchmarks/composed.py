"""Composed queries of `benchmarks.search` about clips of several scenes, with the clips that match them.

A clip is one to three scenes of the generated world, one after another, with seeds outside the training data. A
question is asked twice: in the query language, and as a plain sentence. The ground truth alone decides which clips
match.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from pesearch.evaluation.ground_truth import ClipTruth, Truth
from training.render import write_video
from training.scene import Scene
from training.texts import with_article
from training.truths import truth_of, write_truths
from training.words import HEARD_AS, OBJECTS, SOUNDS
from training.world import choose_scenes

TOGETHER_SECONDS = 10.0
"""Default of AND: both within this many seconds (`pesearch.search.score.intervals`)."""

AFTER_SECONDS = 30.0
"""Default of THEN, in seconds."""

MAX_RELEVANT_SHARE = 0.3
"""Maximum share of the clips that match a question."""

MAX_TRIES = 1000
KINDS = ("and", "both senses", "then heard", "then seen", "not", "within", "said")

Rng = np.random.Generator
Spans = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Composed:
    """A question in the query language and as a sentence, and the names of the clips that match it."""

    kind: str
    language: str
    sentence: str
    relevant: frozenset[str]


def write_clips(folder: Path, seed: int, count: int) -> None:
    """Clips and truths.json in a folder: a third has one scene, a third two, a third three."""
    scenes = iter(choose_scenes(seed, 2 * count))
    write_scenes(folder, [[next(scenes) for _ in range(1 + number % 3)] for number in range(count)])


def write_scenes(folder: Path, clips: Sequence[Sequence[Scene]]) -> None:
    """Write a clip for each list of scenes, and truths.json. Existing clips are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    truths = []
    for number, scenes in enumerate(clips):
        name = f"clip_{number:03d}.mp4"
        if not (folder / name).exists():
            write_video(folder / name, scenes)
        truths.append(truth_of(name, scenes, "", "", ""))
        print(f"\r{number + 1} of {len(clips)} clips", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    write_truths(folder / "truths.json", truths)


def composed_questions(clips: Sequence[ClipTruth], count: int, seed: int) -> list[Composed]:
    """`count` different questions, of all kinds in turn, each matched by some of the clips but not by many."""
    rng = np.random.default_rng(seed)
    questions: dict[str, Composed] = {}
    for number in range(count):
        question = _new_question(KINDS[number % len(KINDS)], clips, questions, rng)
        questions[question.language] = question
    return list(questions.values())


def _new_question(kind: str, clips: Sequence[ClipTruth], asked: Collection[str], rng: Rng) -> Composed:
    for _ in range(MAX_TRIES):
        language, sentence, holds = _MAKERS[kind](rng, clips)
        relevant = frozenset(clip.path.name for clip in clips if holds(clip))
        if language not in asked and 0 < len(relevant) <= MAX_RELEVANT_SHARE * len(clips):
            return Composed(kind, language, sentence, relevant)
    raise ValueError(f"{len(clips)} clips match no further questions of the kind {kind!r}")


Made = tuple[str, str, Callable[[ClipTruth], bool]]


def _and(rng: Rng, clips: Sequence[ClipTruth]) -> Made:
    a, b = _sounds(rng)
    text = f"heard:({_noun(a)}) AND heard:({_noun(b)})"
    return text, f"{_noun(a)} and {_noun(b)}", lambda clip: _near(_heard(clip, a), _heard(clip, b), TOGETHER_SECONDS)


def _both_senses(rng: Rng, clips: Sequence[ClipTruth]) -> Made:
    sound, thing = _sounds(rng)[0], _objects(rng)[0]
    text = f"heard:({_noun(sound)}) AND seen:({with_article(thing)})"
    sentence = f"{with_article(thing)} can be seen and {_noun(sound)} can be heard"
    return text, sentence, lambda clip: _near(_heard(clip, sound), _seen(clip, thing), TOGETHER_SECONDS)


def _then_heard(rng: Rng, clips: Sequence[ClipTruth]) -> Made:
    a, b = _sounds(rng)
    text = f"heard:({_noun(a)}) THEN heard:({_noun(b)})"
    return text, f"{_noun(a)}, then {_noun(b)}", lambda clip: _follows(_heard(clip, a), _heard(clip, b))


def _then_seen(rng: Rng, clips: Sequence[ClipTruth]) -> Made:
    a, b = _objects(rng)
    text = f"seen:({with_article(a)}) THEN seen:({with_article(b)})"
    sentence = f"{with_article(a)} can be seen, then {with_article(b)}"
    return text, sentence, lambda clip: _follows(_seen(clip, a), _seen(clip, b))


def _not(rng: Rng, clips: Sequence[ClipTruth]) -> Made:
    if rng.random() < 0.5:
        a, b = _sounds(rng)
        text, sentence = f"heard:({_noun(a)}) NOT heard:({_noun(b)})", f"{_noun(a)} but no {b}"
        return text, sentence, lambda clip: _without(_heard(clip, a), _heard(clip, b))
    sound, thing = _sounds(rng)[0], _objects(rng)[0]
    text = f"heard:({_noun(sound)}) -seen:({with_article(thing)})"
    sentence = f"{_noun(sound)} can be heard, but no {thing} can be seen"
    return text, sentence, lambda clip: _without(_heard(clip, sound), _seen(clip, thing))


def _within(rng: Rng, clips: Sequence[ClipTruth]) -> Made:
    a, b = _sounds(rng)
    text = f"heard:({_noun(a)}) WITHIN 1s heard:({_noun(b)})"
    sentence = f"{_noun(a)} within a second of {_noun(b)}"
    return text, sentence, lambda clip: _near(_heard(clip, a), _heard(clip, b), 1.0)


def _said_and(rng: Rng, clips: Sequence[ClipTruth]) -> Made:
    speaking = [clip for clip in clips if clip.said]
    phrase = speaking[rng.integers(len(speaking))].said[0].what
    if rng.random() < 0.5:
        thing = _objects(rng)[0]
        text, sentence = f"said:({phrase}) AND seen:({with_article(thing)})", f"a voice says {phrase} and "
        sentence += f"{with_article(thing)} can be seen"
        return text, sentence, lambda clip: _near(_said(clip, phrase), _seen(clip, thing), TOGETHER_SECONDS)
    sound = _sounds(rng)[0]
    text = f"heard:({_noun(sound)}) THEN said:({phrase})"
    sentence = f"{_noun(sound)}, then a voice says {phrase}"
    return text, sentence, lambda clip: _follows(_heard(clip, sound), _said(clip, phrase))


_MAKERS: dict[str, Callable[[Rng, Sequence[ClipTruth]], Made]] = {
    "and": _and, "both senses": _both_senses, "then heard": _then_heard, "then seen": _then_seen, "not": _not,
    "within": _within, "said": _said_and,
}  # fmt: skip


def _sounds(rng: Rng) -> tuple[str, str]:
    a, b = rng.choice([sound for sound in SOUNDS if sound != "speech"], 2, replace=False)
    return str(a), str(b)


def _objects(rng: Rng) -> tuple[str, str]:
    a, b = rng.choice(OBJECTS, 2, replace=False)
    return str(a), str(b)


def _noun(sound: str) -> str:
    return HEARD_AS[sound][0]


def _heard(clip: ClipTruth, what: str) -> Spans:
    return _spans(clip.heard, what)


def _seen(clip: ClipTruth, what: str) -> Spans:
    return _spans(clip.seen, what)


def _said(clip: ClipTruth, what: str) -> Spans:
    return _spans(clip.said, what)


def _spans(truths: Sequence[Truth], what: str) -> Spans:
    return [(truth.start_seconds, truth.end_seconds) for truth in truths if truth.what == what]


def _pairs(a: Spans, b: Spans) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    return product(a, b)


def _near(a: Spans, b: Spans, seconds: float) -> bool:
    """Whether two intervals are at most `seconds` apart."""
    return any(max(y[0] - x[1], x[0] - y[1]) <= seconds for x, y in _pairs(a, b))


def _follows(a: Spans, b: Spans) -> bool:
    """Whether an interval of b starts in the second half of one of a, or within AFTER_SECONDS after it."""
    return any((x[0] + x[1]) / 2 <= y[0] <= x[1] + AFTER_SECONDS for x, y in _pairs(a, b))


def _without(a: Spans, b: Spans) -> bool:
    """Whether an interval of a overlaps none of b."""
    return any(all(y[1] <= x[0] or x[1] <= y[0] for y in b) for x in a)
