"""The texts that the text towers learn from."""

import numpy as np

from training.directions import UNKNOWN
from training.questions import Question, image_question, sample_questions, wording
from training.words import OUTSIDE, OUTSIDE_TRAIN


def questions() -> list[Question]:
    return sample_questions(np.random.default_rng(8), 800)


def test_each_text_states_something() -> None:
    for question in questions():
        assert question.text.strip()
        assert question.facts


def test_coloured_objects_are_seen_and_phrases_are_heard() -> None:
    for question in questions():
        for fact in question.facts:
            kind, *names = fact.split(":")
            if kind in ("colour", "motion"):
                assert f"seen:{names[0]}" in question.facts
            if kind == "said":
                assert "heard:speech" in question.facts


def test_some_texts_are_unknown_and_none_use_words_for_evaluation() -> None:
    asked = questions()
    foreign = [question for question in asked if UNKNOWN in question.facts]
    assert 0.1 < len(foreign) / len(asked) < 0.25
    assert any(word in question.text for question in foreign for word in OUTSIDE_TRAIN)
    for word in OUTSIDE:
        assert not any(word in question.text.split() for question in asked), word


def test_sound_is_sometimes_named_plainly() -> None:
    rng = np.random.default_rng(0)
    texts = {wording(frozenset({"heard:bark"}), rng) for _ in range(60)}
    assert {"bark", "barking"} <= texts


def test_picture_questions_never_mention_sounds() -> None:
    rng = np.random.default_rng(9)
    asked = [image_question(rng) for _ in range(300)]
    for question in asked:
        senses = {fact.partition(":")[0] for fact in question.facts}
        assert UNKNOWN in question.facts or not senses & {"heard", "said"}
