"""A scene: everything that is heard, said and seen in a short clip, and the facts that follow."""

from dataclasses import dataclass

import numpy as np

from training.words import (
    COLOURED,
    COLOURS,
    CONCEPT_OF,
    FIXED,
    MADE_BY,
    MOTIONS,
    OBJECTS,
    PHRASES,
    PLACES,
    SOUNDS,
    VOICES,
)

TRAINING_SEEDS = 100_000
"""Seeds below this are for training only; evaluation uses larger ones."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A sound. `variant` seeds its pitch, rate and timbre."""

    what: str
    start_seconds: float
    end_seconds: float
    gain_db: float
    variant: int


@dataclass(frozen=True, slots=True)
class Said:
    """A spoken phrase, with espeak-ng's voice, rate and pitch (0 to 99)."""

    text: str
    start_seconds: float
    end_seconds: float
    voice: str
    words_per_minute: int
    pitch: int


@dataclass(frozen=True, slots=True)
class Seen:
    """An object. `x`, `y`: the centre of its path, and `size`: its height, relative to the picture."""

    what: str
    colour: str | None
    motion: str
    start_seconds: float
    end_seconds: float
    x: float
    y: float
    size: float
    flashing: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip. `seed` chooses details of the background and the noise, whose level is `noise_db` (RMS, full scale)."""

    seed: int
    duration_seconds: float
    place: str
    heard: tuple[Heard, ...]
    said: tuple[Said, ...]
    seen: tuple[Seen, ...]
    noise_db: float


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a scene. `coloured` holds (object, colour), `moving` holds (object, motion)."""

    heard: frozenset[str]
    said: frozenset[str]
    seen: frozenset[str]
    coloured: frozenset[tuple[str, str]]
    moving: frozenset[tuple[str, str]]
    place: str | None

    def concepts(self) -> frozenset[str]:
        """Everything that is heard or seen, by concept."""
        return self.seen | {CONCEPT_OF.get(name, name) for name in self.heard}

    def audible(self) -> frozenset[str]:
        """The facts of the sound alone, as strings."""
        return frozenset({f"heard:{name}" for name in self.heard} | {f"said:{text}" for text in self.said})

    def visible(self) -> frozenset[str]:
        """The facts of the picture alone, as strings."""
        names = {f"seen:{name}" for name in self.seen}
        names |= {f"colour:{name}:{colour}" for name, colour in self.coloured}
        names |= {f"motion:{name}:{motion}" for name, motion in self.moving}
        return frozenset(names | ({f"place:{self.place}"} if self.place else set()))

    def names(self) -> frozenset[str]:
        """All facts as strings, such as `heard:siren`, `colour:train:red`, `concept:train`."""
        return self.audible() | self.visible() | {f"concept:{name}" for name in self.concepts()}


def facts_of(scene: Scene) -> Facts:
    """Derive the facts of a scene."""
    heard = {sound.what for sound in scene.heard} | ({"speech"} if scene.said else set())
    return Facts(
        heard=frozenset(heard),
        said=frozenset(said.text for said in scene.said),
        seen=frozenset(seen.what for seen in scene.seen),
        coloured=frozenset((seen.what, seen.colour) for seen in scene.seen if seen.colour),
        moving=frozenset((seen.what, seen.motion) for seen in scene.seen if seen.what not in FIXED),
        place=scene.place or None,
    )


def speech_seconds(text: str, words_per_minute: int) -> float:
    """Estimated duration of the text spoken by espeak-ng; the sound is then stretched to exactly this."""
    return round((0.28 + 0.042 * len(text)) * 165 / words_per_minute, 2)


def sample_scene(seed: int, duration_seconds: float = 4.0, phrase: str | None = None) -> Scene:
    """The scene of a seed; deterministic.

    `phrase` is spoken in it; None leaves that to chance (a quarter of the scenes), "" is no speech.
    """
    rng = np.random.default_rng([seed, 4711])
    if phrase is None:
        phrase = PHRASES[rng.integers(len(PHRASES))] if rng.random() < 0.25 else ""
    heard, said = _sample_audio(rng, duration_seconds, phrase)
    sounds = [sound.what for sound in heard] + ["speech" for _ in said]
    seen = _sample_objects(rng, sounds)
    places = [place for place in PLACES if not (place == "night" and "sun" in seen)]
    return Scene(
        seed=seed,
        duration_seconds=duration_seconds,
        place=places[rng.integers(len(places))],
        heard=heard,
        said=said,
        seen=_arrange(rng, seen, duration_seconds, flashing="siren" in sounds),
        noise_db=float(rng.uniform(-50, -30)),
    )


def _sample_audio(rng: np.random.Generator, seconds: float, phrase: str) -> tuple[tuple[Heard, ...], tuple[Said, ...]]:
    """One to three events in random order, with overlaps of at most 0.4 s."""
    count = int(rng.choice([0, 1], p=[0.35, 0.65])) if phrase else int(rng.choice([1, 2, 3], p=[0.45, 0.45, 0.1]))
    longest = {0: 0.0, 1: 1.7 if phrase else 3.0, 2: 1.9, 3: 1.3}[count]
    names = list(rng.permutation(SOUNDS[:-1])[:count])
    spans = [float(rng.uniform(1.2, longest)) * min(1.0, seconds / 4) for _ in names]
    rate = int(rng.integers(140, 181)) // 10 * 10
    if phrase:
        spans.append(min(speech_seconds(phrase, rate), 0.9 * seconds))
    starts = _starts(rng, spans, seconds)
    heard = tuple(
        Heard(str(name), start, round(start + span, 2), float(rng.uniform(-9, -1)), int(rng.integers(2**31)))
        for name, start, span in zip(names, starts, spans, strict=False)
    )
    if not phrase:
        return heard, ()
    voice = VOICES[rng.integers(len(VOICES))]
    pitch = int(rng.choice([35, 50, 65]))
    return heard, (Said(phrase, starts[-1], round(starts[-1] + spans[-1], 2), voice, rate, pitch),)


def _starts(rng: np.random.Generator, spans: list[float], seconds: float) -> list[float]:
    """Starts of the spans, in random order with random gaps or small overlaps."""
    free = seconds - sum(spans) - 0.02
    gaps = rng.dirichlet(np.ones(len(spans) + 1)) * max(free, 0.0)
    overlap = -free / max(len(spans) - 1, 1) if free < 0 else 0.0
    if len(spans) > 1 and rng.random() < 0.25:
        overlap = max(overlap, float(rng.uniform(0.0, 0.4)))
    starts, cursor = [0.0] * len(spans), 0.0
    for place, index in enumerate(rng.permutation(len(spans))):
        cursor = max(0.0, cursor + float(gaps[place]) - (overlap if place else 0.0))
        starts[index] = round(cursor, 2)
        cursor += spans[index]
    return starts


def _sample_objects(rng: np.random.Generator, sounds: list[str]) -> list[str]:
    """One or two different objects; in three quarters of the scenes the first makes one of the sounds."""
    makers = sorted({MADE_BY[name] for name in sounds if name in MADE_BY})
    silent = [name for name in OBJECTS if name not in makers]
    weights = np.array([1.0 if name in MADE_BY.values() else 5.0 for name in silent])
    strangers = [str(name) for name in rng.choice(silent, size=2, replace=False, p=weights / weights.sum())]
    matched = list(rng.permutation(makers)) if rng.random() < 0.8 else []
    count = int(rng.choice([1, 2], p=[0.65, 0.35]))
    second = matched[1:] if rng.random() < 0.6 else []
    return [str(name) for name in (*matched[:1], *second, *strangers)][:count]


def _arrange(rng: np.random.Generator, names: list[str], seconds: float, flashing: bool) -> tuple[Seen, ...]:
    """Put one object in the middle of the picture, or two into an upper and a lower lane."""
    above = sorted(names, key=lambda name: name not in ("sun", "bird", "rain", "bell", "clock", "ball"))
    lanes = ((0.56, 0.42, 0.6),) if len(names) == 1 else ((0.28, 0.32, 0.4), (0.74, 0.32, 0.4))
    return tuple(
        _place(rng, name, lane, seconds, flashing and name == "car") for name, lane in zip(above, lanes, strict=True)
    )


def _place(
    rng: np.random.Generator, name: str, lane: tuple[float, float, float], seconds: float, flashing: bool
) -> Seen:
    """An object of random colour, motion, size and position in its lane (its centre, minimum and maximum size)."""
    middle, least, greatest = lane
    motion = "still" if name in FIXED else MOTIONS[rng.integers(len(MOTIONS))]
    size = float(rng.uniform(least, greatest)) * (0.8 if name in ("train", "car") else 1.0)
    return Seen(
        what=name,
        colour=COLOURS[rng.integers(len(COLOURS))] if name in COLOURED else None,
        motion=motion,
        start_seconds=0.0,
        end_seconds=seconds,
        x=0.5 if motion.startswith("moving") else float(rng.uniform(0.3, 0.7)),
        y=middle + float(rng.uniform(-0.04, 0.04)) + (0.06 if motion == "jumping" else 0.0),
        size=size,
        flashing=flashing,
    )
