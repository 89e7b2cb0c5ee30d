"""Queries of `benchmarks.search` for things that a library of the generated world may lack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.composed import write_scenes
from pesearch.evaluation.ground_truth import ClipTruth
from training.scene import Scene, facts_of, sample_scene
from training.words import COLOURED, COLOURS, HEARD_AS, OUTSIDE, PHRASES, SEEN_AS
from training.world import FIRST_SEED, MAX_CLIPS

WITHHELD = ("drum", "phone", "bell", "clock")
"""Things withheld from all clips, as pictures and as sounds."""

SAID = PHRASES[::2]
"""The spoken phrases: every second one; the others are withheld."""

UNRELATED = frozenset({"beep", "notes", "applause", "rain", "thunder", "sun", "house", "people"})
"""Things of the clips that libraries are filled up with. No query is about them where libraries are filled."""

UNRELATED_CLIPS = 60

CLIPS = 150
QUESTIONS = 100


class QueryKind(StrEnum):
    """What a query asks for."""

    NAME = "names"
    COLOURED = "coloured"
    SAID = "said"


@dataclass(frozen=True, slots=True)
class Presence:
    """A query, and whether the library has an answer."""

    text: str
    is_there: bool

    @property
    def kind(self) -> QueryKind:
        """The kind of query, by its first words."""
        if self.text.startswith("said:"):
            return QueryKind.SAID
        is_coloured = any(self.text.startswith(f"a {colour} ") for colour in COLOURS)
        return QueryKind.COLOURED if is_coloured else QueryKind.NAME


def write_absent(folder: Path, seed: int) -> None:
    """Clips of one scene each, without the withheld things."""
    write_scenes(folder, [[scene] for scene in islice(_scenes(seed), CLIPS)])


def write_unrelated(folder: Path, seed: int) -> None:
    """Clips of one scene each, in which nothing but UNRELATED things occur, and nobody speaks."""
    scenes = (sample_scene(FIRST_SEED + seed * MAX_CLIPS + number, phrase="") for number in range(MAX_CLIPS))
    chosen = [scene for scene in scenes if facts_of(scene).concepts() <= UNRELATED]
    write_scenes(folder, [[scene] for scene in chosen[:UNRELATED_CLIPS]])


def _scenes(seed: int) -> Iterator[Scene]:
    for number in range(MAX_CLIPS):
        said = SAID[number // 3 % len(SAID)] if number % 3 == 0 else ""
        scene = sample_scene(FIRST_SEED + seed * MAX_CLIPS + number, phrase=said)
        if facts_of(scene).concepts().isdisjoint(WITHHELD):
            yield scene


def presence_questions(
    clips: Sequence[ClipTruth], seed: int, unrelated: frozenset[str] = frozenset()
) -> list[Presence]:
    """As many queries for present things as for absent ones: objects, coloured objects, speech; and foreign nouns.

    There are none about `unrelated` things.
    """
    rng = np.random.default_rng(seed)
    there, absent = set[str](), set(OUTSIDE)
    present = {truth.what for clip in clips for truth in (*clip.heard, *clip.seen)}
    for forms in (HEARD_AS, SEEN_AS):
        for name, texts in forms.items():
            if name in unrelated:
                continue
            if name in WITHHELD:
                absent.update(texts)
            elif name in present:
                there.update(texts)
    seen = {(truth.what, detail) for clip in clips for truth in clip.seen for detail in truth.details}
    coloured = [name for name in COLOURED if name not in unrelated]
    there |= {f"a {colour} {name}" for colour in COLOURS for name in coloured if (name, f"colour:{colour}") in seen}
    said = {truth.what for clip in clips for truth in clip.said}
    there |= {f"said:({phrase})" for phrase in said}
    absent |= {f"said:({phrase})" for phrase in PHRASES if phrase not in said}
    absent |= {f"a {colour} {name}" for colour in COLOURS for name in WITHHELD if name in COLOURED}
    chosen = [
        (rng.permutation(sorted(texts))[:QUESTIONS], is_there) for texts, is_there in ((there, True), (absent, False))
    ]
    return [Presence(str(text), is_there) for texts, is_there in chosen for text in texts]
