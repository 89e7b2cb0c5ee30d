"""Targets in the embedding spaces: a clip scores higher, the more of a text is true of it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.directions import UNKNOWN, audio_space, image_space, joint_facts, joint_space, video_space
from training.scene import facts_of, sample_scene
from training.words import MADE_BY, PHRASES, SOUNDS

SPACES = (audio_space(), video_space(), image_space(), joint_space())


def test_texts_and_clips_have_length_one() -> None:
    facts = facts_of(sample_scene(3)).names()
    for space in SPACES:
        assert np.isclose(np.linalg.norm(space.text(facts)), 1)
        assert np.isclose(np.linalg.norm(space.media(facts)), 1)


@given(st.permutations(SOUNDS))
def test_a_clip_with_both_sounds_beats_a_clip_with_one(names: list[str]) -> None:
    first, second, third = (f"heard:{name}" for name in names[:3])
    space = audio_space()
    text = space.text({first, second})
    both, one, other = space.media({first, second}), space.media({first}), space.media({first, third})
    assert text @ both > max(text @ one, text @ other) + 0.05


def test_unknown_words_score_under_every_known_one() -> None:
    clips = [facts_of(sample_scene(seed)) for seed in range(60)]
    for space in SPACES:
        foreign = [space.text({UNKNOWN}) @ space.media(joint_facts(facts.names())) for facts in clips]
        assert max(foreign) < 0
    place = audio_space().text({"place:night"})  # a place makes no sound
    assert np.allclose(place, audio_space().text({UNKNOWN}), atol=1e-3)


def test_a_sound_matches_pictures_of_its_source() -> None:
    for sound, maker in MADE_BY.items():
        heard = audio_space().media({f"heard:{sound}"})
        shown = {name: heard @ video_space().media({f"seen:{name}"}) for name in set(MADE_BY.values())}
        assert max(shown, key=lambda name: shown[name]) == maker


def test_bare_noun_matches_pictures_and_sounds() -> None:
    text = joint_space().text({"concept:train"})
    seen, heard = joint_facts({"seen:train"}), joint_facts({"heard:train"})
    other = joint_space().media(joint_facts({"seen:car", "heard:engine"}))
    for facts in (seen, heard):
        assert text @ joint_space().media(facts) > text @ other + 0.5


def test_phrase_matches_its_words_and_not_any_speech() -> None:
    text = audio_space().text({"said:mind the gap", "heard:speech"})
    beside_rain = audio_space().media({"said:mind the gap", "heard:speech", "heard:rain"})
    assert text @ beside_rain > text @ audio_space().media({"said:keep it simple", "heard:speech"}) + 0.5


def test_each_phrase_is_nearest_to_itself() -> None:
    texts = np.stack([audio_space().text({f"said:{phrase}", "heard:speech"}) for phrase in PHRASES])
    clips = np.stack([audio_space().media({f"said:{phrase}", "heard:speech", "heard:rain"}) for phrase in PHRASES])
    assert ((texts @ clips.T).argmax(axis=1) == np.arange(len(PHRASES))).all()
