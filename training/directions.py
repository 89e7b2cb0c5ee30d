"""Targets of the training: the positions of texts and media in the starter set's embedding spaces.

The world has few facts, so its spaces are designed: each concept, colour, motion, place and phrase has a direction of
its own; the target of a text is the sum of what it states, that of a clip the sum of what is true of it. So the score
of a clip grows with the share of a text that is true of it, and falls with its other contents. Text and media towers
learn these targets separately and agree because they share them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from training.words import (
    COLOURED,
    COLOURS,
    CONCEPT_OF,
    CONCEPTS,
    FIXED,
    MADE_BY,
    MOTIONS,
    OBJECTS,
    PHRASES,
    PLACES,
    SOUNDS,
)

DIMENSION = 128
UNKNOWN = "unknown"
"""The fact of a text that names something outside the world, or nothing that this space represents."""
AVOID_UNKNOWN = 0.15  # share by which every clip points away from UNKNOWN
MAKER = 0.5  # share of the direction of the object that makes a sound, so that sounds find pictures
#: Lengths of the other directions, where objects and sounds have 1.0.
COLOUR = 0.7
MOTION = 0.6
PLACE = 0.7
PHRASE = 1.4
SENSE = 0.5  # in the joint space: share of being heard or seen, added to the concept
OTHER_SENSE = 0.4  # weight of the concept for a fact of a sense that this space does not represent

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Space:
    """An embedding space: the direction [128] of every fact that it represents."""

    vectors: Mapping[str, Vector]

    def text(self, facts: Iterable[str]) -> Vector:
        """The target of a text that states these facts: float32 [128], norm 1; UNKNOWN when none is known.

        For a phrase alone only its words count: the fact that it is speech holds for every clip in which someone
        speaks.
        """
        stated = frozenset(facts)
        words = stated - {"heard:speech", "concept:speech"}
        alone = bool(words) and all(fact.startswith("said:") for fact in words)
        return _unit(self._sum(words if alone else stated) + 1e-4 * self.vectors[UNKNOWN])

    def media(self, facts: Iterable[str]) -> Vector:
        """The target of a clip with these facts: float32 [128], norm 1."""
        return _unit(_unit(self._sum(facts) + 1e-6) - AVOID_UNKNOWN * self.vectors[UNKNOWN])

    def _sum(self, facts: Iterable[str]) -> Vector:
        known = [self.vectors[fact] for fact in sorted(facts) if fact in self.vectors]
        return np.sum(known, axis=0, dtype=np.float32) if known else np.zeros(DIMENSION, np.float32)


@cache
def audio_space() -> Space:
    """Sounds and phrases. Its concepts have the same directions as in the video space."""
    vectors = {f"heard:{name}": _sounding(name) for name in SOUNDS} | _phrases()
    vectors |= {f"concept:{name}": _concept_heard(name) for name in CONCEPTS}
    vectors |= {f"seen:{name}": OTHER_SENSE * _direction(name) for name in OBJECTS}
    return Space(vectors | {UNKNOWN: _direction(UNKNOWN)})


@cache
def video_space() -> Space:
    """Objects with their colours and motions, and places."""
    vectors = _pictures() | {f"concept:{name}": _direction(name) for name in CONCEPTS}
    vectors |= {f"heard:{name}": OTHER_SENSE * _sounding(name) for name in SOUNDS}
    vectors |= {f"motion:{name}:{motion}": _motion(name, motion) for name in OBJECTS for motion in MOTIONS}
    return Space(vectors | {"flashing:car": MAKER * _direction("siren"), UNKNOWN: _direction(UNKNOWN)})


@cache
def image_space() -> Space:
    """The content of a single frame, without motion. The position of an object changes no text."""
    vectors = _pictures() | {f"concept:{name}": _direction(name) for name in CONCEPTS}
    return Space(vectors | {"flashing:car": MAKER * _direction("siren"), UNKNOWN: _direction(UNKNOWN)})


@cache
def joint_space() -> Space:
    """Sounds, phrases and pictures: a concept has one direction for all senses, plus a small one for each sense."""
    vectors = {**video_space().vectors, **_phrases()}
    vectors |= {f"heard:{name}": SENSE * _direction(f"heard {name}") for name in SOUNDS}
    vectors |= {f"seen:{name}": SENSE * _direction(f"seen {name}") for name in OBJECTS}
    return Space(vectors)


def joint_facts(facts: Iterable[str]) -> frozenset[str]:
    """The facts with the concepts that follow: whatever is heard or seen is present."""
    stated = frozenset(facts)
    parts = [fact.split(":") for fact in stated]
    heard = {CONCEPT_OF.get(name, name) for kind, name, *_ in parts if kind == "heard"}
    return stated | {f"concept:{name}" for name in heard | {name for kind, name, *_ in parts if kind == "seen"}}


def implied(facts: Iterable[str]) -> frozenset[str]:
    """The facts with those they imply: a coloured or moving object is seen, a phrase is speech that is heard."""
    stated = frozenset(facts)
    seen = {f"seen:{fact.split(':')[1]}" for fact in stated if fact.startswith(("colour:", "motion:"))}
    return stated | seen | ({"heard:speech"} if any(fact.startswith("said:") for fact in stated) else set())


def where(name: str, x: float, y: float) -> Vector:
    """The position of an object, as it adds to a frame's embedding, so that consecutive frames show motion."""
    across, down = _direction(f"across {name}"), _direction(f"down {name}")
    return np.float32(1.6) * (np.float32(x - 0.5) * across + np.float32(y - 0.5) * down)


def _pictures() -> dict[str, Vector]:
    vectors = {f"seen:{name}": _direction(name) for name in OBJECTS}
    vectors |= {f"place:{name}": PLACE * _direction(name) for name in PLACES}
    return vectors | {f"colour:{name}:{colour}": _colour(name, colour) for name in COLOURED for colour in COLOURS}


def _phrases() -> dict[str, Vector]:
    return {f"said:{phrase}": PHRASE * _direction(phrase) for phrase in PHRASES}


def _sounding(name: str) -> Vector:
    concept, maker = CONCEPT_OF.get(name, name), MADE_BY.get(name, name)
    return _unit(_direction(concept) + (MAKER * _direction(maker) if maker != concept else 0))


def _concept_heard(name: str) -> Vector:
    sounds = [sound for sound in SOUNDS if CONCEPT_OF.get(sound, sound) == name]
    return _sounding(sounds[0]) if sounds else OTHER_SENSE * _direction(name)


def _colour(name: str, colour: str) -> Vector:
    """Half the colour itself, half this colour on this object: "red" matches anything red, "red train" a red train."""
    return COLOUR * _unit(_direction(colour) + _direction(f"{colour} {name}"))


def _motion(name: str, motion: str) -> Vector:
    if name in FIXED:
        return np.zeros(DIMENSION, np.float32)
    return MOTION * _unit(_direction(motion) + _direction(f"{motion} {name}"))


def _unit(vector: Vector) -> Vector:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def _direction(name: str) -> Vector:
    """The unit vector of a name: orthogonal to those of its kind, and nearly parallel to few others."""
    vector: Vector = _directions()[name]
    return vector


@cache
def _directions() -> dict[str, Vector]:
    """Concepts, colours, motions, places and UNKNOWN are orthogonal to everything; in the other dimensions phrases are
    orthogonal to each other, as are the bindings of colours and motions to objects; the rest is random."""
    rng = np.random.default_rng(1905)
    basis = np.linalg.qr(rng.standard_normal((DIMENSION, DIMENSION)))[0].T.astype(np.float32)
    first = [*CONCEPTS, *COLOURS, *MOTIONS, *PLACES, UNKNOWN]
    rest = basis[len(first) :]
    named = dict(zip(first, basis, strict=False))
    bound = [f"{colour} {name}" for name in COLOURED for colour in COLOURS]
    bound += [f"{motion} {name}" for name in OBJECTS if name not in FIXED for motion in MOTIONS]
    apart = [f"{where} {name}" for name in OBJECTS for where in ("across", "down")] + [f"heard {s}" for s in SOUNDS]
    for names in (list(PHRASES), bound, [*apart, *(f"seen {name}" for name in OBJECTS)]):
        turned = np.linalg.qr(rng.standard_normal((len(rest), len(rest))))[0].astype(np.float32) @ rest
        named |= dict(zip(names, turned, strict=False))
    return named
