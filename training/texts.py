"""Texts that people may write about a scene: full captions and short queries, from templates with synonyms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from training.scene import Scene, facts_of
from training.words import (
    HEARD_AS,
    MOVING_AS,
    OBJECTS,
    PLACE_ALONE,
    PLACE_AS,
    PLURALS,
    SEEN_AS,
)

Rng = np.random.Generator

HEARD_SENTENCES = (
    "{} can be heard",
    "the sound of {}",
    "we hear {}",
    "{}",
    "there is the sound of {}",
    "you can hear {}",
)
SEEN_SENTENCES = ("{} can be seen", "we see {}", "{}", "it shows {}", "a video of {}", "a picture of {}")
SAID_SENTENCES = ('a voice says "{}"', 'someone says "{}"', 'the words "{}" are spoken', 'a person speaking: "{}"')


@dataclass(frozen=True, slots=True)
class Text:
    """A text, the facts that it states, and the senses that it mentions (`heard`, `said`, `seen`)."""

    text: str
    facts: frozenset[str]
    senses: frozenset[str]


def audio_caption(scene: Scene, rng: Rng) -> Text:
    """A caption of everything heard and said."""
    return _text(facts_of(scene).audible(), rng)


def video_caption(scene: Scene, rng: Rng) -> Text:
    """A caption of everything seen: colours, motions, place; that an object stands still is mentioned half the time."""
    return _text(_told(facts_of(scene).visible(), rng), rng)


def caption(scene: Scene, rng: Rng) -> Text:
    """A caption of everything heard, said and seen."""
    facts = facts_of(scene)
    return _text(facts.audible() | _told(facts.visible(), rng), rng)


def sample_text(facts: frozenset[str], rng: Rng) -> str:
    """A text that states exactly these facts, in any order: a short query or a full sentence.

    The facts are strings as from Facts.names(). A colour or a motion also names its object, a phrase is also speech.
    Concept facts (`concept:train`: seen or heard) become bare nouns. Raises ValueError for no facts.
    """
    parsed = _Parsed.of(facts)
    if parsed.concepts:
        rest = facts - {f"concept:{name}" for name in parsed.concepts}
        nouns = _join(_shuffled([concept_noun(name, rng) for name in parsed.concepts], rng))
        return _join(_shuffled([nouns, sample_text(rest, rng)], rng)) if rest else nouns
    parts = [part for part in (_audio_part(parsed, rng), _video_part(parsed, rng)) if part]
    if not parts:
        raise ValueError("no facts to write a text about")
    return _pick((" and ", ", ", " while "), rng).join(_shuffled(parts, rng))


def concept_noun(name: str, rng: Rng) -> str:
    """A bare noun for a concept, such as "train", "trains" or "a locomotive"."""
    if name in OBJECTS:
        nouns = [*SEEN_AS[name], *([PLURALS[name]] if name in PLURALS else [])]
        return name if rng.random() < 0.5 else _pick(nouns, rng)
    return bare(_pick(HEARD_AS[name], rng)) if rng.random() < 0.7 else _pick(HEARD_AS[name], rng)


def bare(phrase: str) -> str:
    """The phrase without its article."""
    first, _, rest = phrase.partition(" ")
    return rest if first in ("a", "an", "the") and rest else phrase


def with_article(noun: str) -> str:
    """The noun with its article."""
    if noun.split()[-1] in ("people", "persons", "rain", "raindrops"):
        return noun
    if noun.split()[-1] == "sun":
        return f"the {noun}"
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


@dataclass(frozen=True, slots=True)
class _Parsed:
    """Facts as parts, with the facts that they imply."""

    heard: tuple[str, ...]
    said: tuple[str, ...]
    seen: tuple[str, ...]
    colours: dict[str, str]
    motions: dict[str, str]
    place: str | None
    concepts: tuple[str, ...]

    @classmethod
    def of(cls, facts: Iterable[str]) -> "_Parsed":
        """Sorted, so that the same facts and the same random numbers give the same text."""
        parts = sorted(fact.split(":") for fact in facts)
        kinds: dict[str, list[list[str]]] = {}
        for kind, *rest in parts:
            kinds.setdefault(kind, []).append(rest)
        colours = _pairs(kinds.get("colour", []))
        motions = _pairs(kinds.get("motion", []))
        said = tuple(text for (text,) in kinds.get("said", []))
        return cls(
            heard=tuple(name for (name,) in kinds.get("heard", []) if not (said and name == "speech")),
            said=said,
            seen=tuple(sorted({name for (name,) in kinds.get("seen", [])} | set(colours) | set(motions))),
            colours=colours,
            motions=motions,
            place=next((name for (name,) in kinds.get("place", [])), None),
            concepts=tuple(name for (name,) in kinds.get("concept", [])),
        )


def _pairs(parts: Sequence[Sequence[str]]) -> dict[str, str]:
    return {part[0]: part[1] for part in parts}


def _text(facts: frozenset[str], rng: Rng) -> Text:
    senses = {"heard", "said", "seen"} & {fact.split(":")[0] for fact in facts}
    return Text(sample_text(facts, rng), facts, frozenset(senses))


def _told(visible: frozenset[str], rng: Rng) -> frozenset[str]:
    return frozenset(fact for fact in sorted(visible) if not fact.endswith(":still") or rng.random() < 0.5)


def _audio_part(parsed: _Parsed, rng: Rng) -> str:
    """Everything heard and said. With a picture, or in half of the texts, the text says that it is heard."""
    with_picture = bool(parsed.seen or parsed.place)
    said = [_said(text, rng, plain=not (with_picture or parsed.heard)) for text in parsed.said]
    heard = [_pick(HEARD_AS[name], rng) for name in parsed.heard]
    if not heard:
        return _join(said)
    if not with_picture and rng.random() < 0.4:
        return _join(_shuffled([*(bare(name) for name in heard), *said], rng))
    sentences = [sentence for sentence in HEARD_SENTENCES if sentence != "{}" or not with_picture]
    sentence = _pick(sentences, rng).format(_join(_shuffled(heard, rng)))
    return _join(_shuffled([sentence, *said], rng))


def _said(text: str, rng: Rng, plain: bool) -> str:
    return text if plain and rng.random() < 0.6 else _pick(SAID_SENTENCES, rng).format(text)


def _video_part(parsed: _Parsed, rng: Rng) -> str:
    """Everything seen, and where."""
    short = rng.random() < 0.4 and not (parsed.heard or parsed.said)
    things = _shuffled([_thing(parsed, name, short, rng) for name in parsed.seen], rng)
    if not things:
        return _pick(PLACE_ALONE[parsed.place], rng) if parsed.place else ""
    place = _pick(PLACE_AS[parsed.place], rng) if parsed.place else ""
    if place and rng.random() < 0.2:
        return f"{place}, {_join(things)}"
    sentence = "{}" if short else _pick(SEEN_SENTENCES, rng)
    return f"{sentence.format(_join(things))} {place}".strip()


def _thing(parsed: _Parsed, name: str, short: bool, rng: Rng) -> str:
    """An object with its colour and motion, such as "a red train moving left"."""
    noun = name if rng.random() < 0.4 else _pick(SEEN_AS[name], rng)
    if name in parsed.colours:
        noun = f"{parsed.colours[name]} {noun}"
    elif name in PLURALS and name not in parsed.motions and rng.random() < 0.1:
        return PLURALS[name]
    moving = f" {_pick(MOVING_AS[parsed.motions[name]], rng)}" if name in parsed.motions else ""
    return (noun if short else with_article(noun)) + moving


def _pick(choices: Sequence[str], rng: Rng) -> str:
    return choices[int(rng.integers(len(choices)))]


def _shuffled(parts: Sequence[str], rng: Rng) -> list[str]:
    return [parts[int(index)] for index in rng.permutation(len(parts))]


def _join(parts: Sequence[str]) -> str:
    """A list in words: a; a and b; a, b and c."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)
