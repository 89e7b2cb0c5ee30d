"""Training texts with the facts that they state: captions, short queries, and unknown things."""

from dataclasses import dataclass

import numpy as np

from training.directions import UNKNOWN, implied, joint_facts
from training.scene import TRAINING_SEEDS, Scene, facts_of, sample_scene
from training.texts import audio_caption, caption, concept_noun, sample_text, video_caption, with_article
from training.words import COLOURS, CONCEPTS, HEARD_AS, OUTSIDE_TRAIN, PHRASES, SEEN_AS, gibberish

Rng = np.random.Generator
ABOUT_UNKNOWN = ("{}", "{}", "a {}", "the sound of a {}", "a {} can be heard", "a video of a {}", "{colour} {}", "{}s")
ASKED = ("find {}", "show me {}", "a clip with {}", "where is {}", "{} please")


@dataclass(frozen=True, slots=True)
class Question:
    """A text and the facts that it states; UNKNOWN is among them when it names something that no clip contains."""

    text: str
    facts: frozenset[str]


def sample_question(rng: Rng) -> Question:
    """A random text: a caption, part of one, bare nouns, a phrase, or something outside the world."""
    scene = sample_scene(int(rng.integers(TRAINING_SEEDS)))
    kind = rng.random()
    if kind < 0.22:
        written = (audio_caption, video_caption, caption)[rng.integers(3)](scene, rng)
        return _asked(Question(written.text, joint_facts(implied(written.facts))), rng, 0.0)
    if kind < 0.55:
        return _asked(_part(scene, rng), rng, 0.1)
    if kind < 0.72:
        return _asked(_nouns(scene, rng), rng, 0.1)
    if kind < 0.84:
        return _stated(frozenset({f"said:{PHRASES[rng.integers(len(PHRASES))]}"}), rng)
    return _unknown(scene, rng)


def sample_questions(rng: Rng, count: int) -> list[Question]:
    """`count` random texts."""
    return [sample_question(rng) for _ in range(count)]


def image_question(rng: Rng) -> Question:
    """A text about a picture, as image-text models are asked; every third is bare nouns."""
    scene = sample_scene(int(rng.integers(TRAINING_SEEDS)))
    kind = rng.random()
    if kind < 0.35:
        written = video_caption(scene, rng)
        return Question(written.text, implied(written.facts))
    if kind < 0.6:
        return _stated(_some(facts_of(scene).visible(), rng), rng)
    if kind < 0.88:
        name = sorted(SEEN_AS)[rng.integers(len(SEEN_AS))]
        noun = concept_noun(name, rng)
        forms = (noun, with_article(noun), f"a photo of {with_article(noun)}", f"a picture of {with_article(noun)}")
        return Question(forms[rng.integers(len(forms))], frozenset({f"seen:{name}"}))
    return _unknown(scene, rng)


def _part(scene: Scene, rng: Rng) -> Question:
    """One to three facts of one sense, or of all senses."""
    facts = facts_of(scene)
    names = (facts.audible(), facts.visible(), facts.audible() | facts.visible())[rng.integers(3)]
    return _stated(_some(names, rng), rng)


def _some(names: frozenset[str], rng: Rng) -> frozenset[str]:
    count = min(len(names), int(rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2])))
    return frozenset(rng.permutation(sorted(names))[:count].tolist())


def _nouns(scene: Scene, rng: Rng) -> Question:
    """One or two concepts, seen or heard: of the scene, or any."""
    names = sorted(facts_of(scene).concepts()) if rng.random() < 0.3 else list(CONCEPTS)
    count = min(len(names), int(rng.choice([1, 2, 3], p=[0.4, 0.5, 0.1])))
    return _stated(frozenset(f"concept:{name}" for name in rng.permutation(names)[:count]), rng)


def wording(facts: frozenset[str], rng: Rng) -> str:
    """A text for the facts; a single sound is sometimes named plainly, such as "bark"."""
    kind, _, name = next(iter(facts)).partition(":")
    plain = len(facts) == 1 and kind in ("heard", "seen", "said") and rng.random() < 0.25
    return name if plain else sample_text(facts, rng)


def _stated(facts: frozenset[str], rng: Rng) -> Question:
    return Question(wording(facts, rng), joint_facts(implied(facts)))


def _asked(question: Question, rng: Rng, share: float) -> Question:
    """The text within a request, such as "find ...", for some of the questions."""
    if rng.random() >= share:
        return question
    return Question(ASKED[rng.integers(len(ASKED))].format(question.text), question.facts)


def _unknown(scene: Scene, rng: Rng) -> Question:
    """A foreign noun or a nonsense word, alone or with something known."""
    word = OUTSIDE_TRAIN[rng.integers(len(OUTSIDE_TRAIN))] if rng.random() < 0.5 else _nonsense(rng)
    if rng.random() < 0.2:
        known = _part(scene, rng)
        return Question(f"{known.text} and {word}", known.facts | {UNKNOWN})
    form = ABOUT_UNKNOWN[rng.integers(len(ABOUT_UNKNOWN))]
    return Question(form.format(word, colour=COLOURS[rng.integers(len(COLOURS))]), frozenset({UNKNOWN}))


def _nonsense(rng: Rng) -> str:
    """A meaningless word: syllables, random letters, or a known word with letters added."""
    kind = rng.random()
    if kind < 0.4:
        return gibberish(rng)
    letters = "".join(rng.choice(list("aeioubcdfghklmnprstvwy"), rng.integers(3, 9)))
    if kind < 0.7:
        return letters
    known = sorted({*HEARD_AS, *SEEN_AS})
    return known[rng.integers(len(known))] + letters[: rng.integers(2, 5)]
