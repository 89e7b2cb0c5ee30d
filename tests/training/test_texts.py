"""Texts: they say the facts given, all of them and nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.scene import facts_of, sample_scene
from training.texts import audio_caption, bare, caption, sample_text, video_caption, with_article
from training.words import (
    COLOURS,
    HEARD_AS,
    MOVING_AS,
    OBJECTS,
    OUTSIDE,
    PLACE_ALONE,
    PLACE_AS,
    PLURALS,
    SEEN_AS,
    SOUNDS,
)


def written(fact: str) -> list[str]:
    """The ways in which a text may state a fact."""
    kind, name, *rest = fact.split(":")
    if kind == "heard":
        return [bare(phrase) for phrase in HEARD_AS[name]] + (
            ["says", "spoken", "speaking"] if name == "speech" else []
        )
    if kind == "seen":
        return [name, *SEEN_AS[name], *([PLURALS[name]] if name in PLURALS else [])]
    if kind == "place":
        return [*PLACE_AS[name], *PLACE_ALONE[name]]
    if kind == "motion":
        return list(MOVING_AS[rest[0]])
    return [rest[0] if kind == "colour" else name]


def words(text: str) -> set[str]:
    return set(text.replace(",", " ").replace('"', " ").split())


@given(st.integers(0, 10**9), st.integers(0, 10**9))
@settings(max_examples=80, deadline=None)
def test_captions_state_their_facts(seed: int, text_seed: int) -> None:
    scene = sample_scene(seed)
    facts = facts_of(scene)
    for make, wanted in (
        (audio_caption, facts.audible()),
        (video_caption, facts.visible()),
        (caption, facts.audible() | facts.visible()),
    ):
        made = make(scene, np.random.default_rng(text_seed))
        assert made.facts <= wanted
        assert all(fact.endswith(":still") for fact in wanted - made.facts)
        if not facts.said:
            assert made.text.strip() == made.text
        for fact in made.facts - ({"heard:speech"} if made.text in facts.said else set()):
            assert any(way in made.text for way in written(fact)), (fact, made.text)


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_captions_add_nothing(seed: int) -> None:
    scene = sample_scene(seed, phrase="")
    text = words(video_caption(scene, np.random.default_rng(seed)).text)
    facts = facts_of(scene)
    assert text & set(COLOURS) <= {colour for _, colour in facts.coloured}
    assert text & set(OBJECTS) <= facts.seen
    assert not words(audio_caption(scene, np.random.default_rng(seed)).text) & set(COLOURS)
    assert not text & set(OUTSIDE)


def test_text_is_determined_by_the_random_numbers() -> None:
    facts = facts_of(sample_scene(3)).audible()
    assert sample_text(facts, np.random.default_rng(1)) == sample_text(facts, np.random.default_rng(1))


def test_a_phrase_is_its_transcript_or_quoted() -> None:
    rng = np.random.default_rng(1)
    texts = {sample_text(frozenset({"said:mind the gap"}), rng) for _ in range(40)}
    assert "mind the gap" in texts
    assert 'a voice says "mind the gap"' in texts


def test_concepts_are_bare_nouns() -> None:
    rng = np.random.default_rng(1)
    texts = {sample_text(frozenset({"concept:siren", "concept:train"}), rng) for _ in range(80)}
    assert {"siren and train", "train and siren"} <= texts
    assert not any("heard" in text or "sound" in text or "see" in text for text in texts)


def test_short_queries_and_sentences_both_occur() -> None:
    rng = np.random.default_rng(1)
    texts = {sample_text(frozenset({"colour:train:red", "place:night"}), rng) for _ in range(200)}
    assert "red train at night" in texts
    assert any(text.startswith("we see a red train") for text in texts)
    assert "we hear a siren" in {sample_text(frozenset({"heard:siren"}), rng) for _ in range(100)}


def test_text_with_a_picture_says_that_a_sound_is_heard() -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        text = sample_text(frozenset({"heard:train", "seen:train"}), rng)
        assert any(word in text for word in ("hear", "sound")), text


def test_every_name_has_words() -> None:
    assert set(HEARD_AS) == set(SOUNDS)
    assert set(SEEN_AS) == set(OBJECTS)
    assert all(len(set(forms)) >= 3 for forms in (*HEARD_AS.values(), *SEEN_AS.values()))


def test_articles() -> None:
    assert [with_article(noun) for noun in ("train", "automobile", "two people", "bright sun", "rain")] == [
        "a train",
        "an automobile",
        "two people",
        "the bright sun",
        "rain",
    ]
    assert bare("a siren") == "siren"
    assert bare("rain falling") == "rain falling"


def test_no_facts_are_refused() -> None:
    with pytest.raises(ValueError, match="no facts"):
        sample_text(frozenset(), np.random.default_rng(1))
