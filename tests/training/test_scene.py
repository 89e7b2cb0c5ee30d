"""Scenes: the same for a seed, within their bounds, balanced, and true to their facts."""

import itertools
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from training.scene import TRAINING_SEEDS, Facts, Heard, Said, Scene, Seen, facts_of, sample_scene
from training.words import (
    COLOURED,
    COLOURS,
    FIXED,
    HEARD_AS,
    MADE_BY,
    MOTIONS,
    OBJECTS,
    OUTSIDE,
    OUTSIDE_TRAIN,
    PHRASES,
    PLACES,
    SEEN_AS,
    SOUNDS,
)

seeds = st.integers(0, 10**12)


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_scene_is_determined_by_its_seed(seed: int) -> None:
    assert sample_scene(seed) == sample_scene(seed)


@given(seeds, st.sampled_from([3.0, 4.0, 8.0]))
@settings(max_examples=100, deadline=None)
def test_events_are_inside_the_clip_and_hardly_overlap(seed: int, seconds: float) -> None:
    scene = sample_scene(seed, seconds)
    events = sorted((event.start_seconds, event.end_seconds) for event in (*scene.heard, *scene.said))
    assert 1 <= len(events) <= 3
    assert all(0 <= start < end <= seconds for start, end in events)
    assert all(end - start <= 0.42 for (_, end), (start, _) in itertools.pairwise(events))
    assert len({sound.what for sound in scene.heard}) == len(scene.heard)


@given(seeds)
@settings(max_examples=100, deadline=None)
def test_objects_are_of_the_world(seed: int) -> None:
    scene = sample_scene(seed)
    assert scene.place in PLACES
    assert 1 <= len({seen.what for seen in scene.seen}) == len(scene.seen) <= 2
    for seen in scene.seen:
        assert seen.motion in MOTIONS
        assert (seen.colour in COLOURS) == (seen.what in COLOURED)
        assert seen.motion == "still" or seen.what not in FIXED
    assert not (scene.place == "night" and any(seen.what == "sun" for seen in scene.seen))


def test_the_world_is_balanced() -> None:
    facts = [facts_of(sample_scene(seed)) for seed in range(600)]
    heard = Counter(name for fact in facts for name in fact.heard)
    seen = Counter(name for fact in facts for name in fact.seen)
    assert set(heard) == set(SOUNDS)
    assert min(heard.values()) > 35
    assert set(seen) == set(OBJECTS)
    assert min(seen.values()) > 20
    assert 0.2 < sum(bool(fact.said) for fact in facts) / 600 < 0.3
    matching = sum(any(MADE_BY.get(name) in fact.seen for name in fact.heard) for fact in facts)
    assert 0.68 < matching / 600 < 0.85


def test_requested_phrase_is_spoken() -> None:
    assert [said.text for said in sample_scene(5, phrase="mind the gap").said] == ["mind the gap"]
    assert all(not sample_scene(seed, phrase="").said for seed in range(20))


def test_facts_of_a_scene() -> None:
    scene = Scene(
        seed=TRAINING_SEEDS,
        duration_seconds=4.0,
        place="night",
        heard=(Heard("siren", 0.0, 1.0, -3.0, 1), Heard("bark", 1.0, 2.0, -3.0, 1)),
        said=(Said("mind the gap", 2.0, 3.0, "en-gb", 160, 50),),
        seen=(
            Seen("train", "red", "moving left", 0.0, 4.0, 0.5, 0.5, 0.5),
            Seen("sun", None, "still", 0.0, 4.0, 0.5, 0.2, 0.3),
        ),
        noise_db=-40.0,
    )
    facts = facts_of(scene)
    assert facts == Facts(
        heard=frozenset({"siren", "bark", "speech"}),
        said=frozenset({"mind the gap"}),
        seen=frozenset({"train", "sun"}),
        coloured=frozenset({("train", "red")}),
        moving=frozenset({("train", "moving left")}),
        place="night",
    )
    assert facts.concepts() == {"siren", "dog", "speech", "train", "sun"}
    assert facts.names() >= {"said:mind the gap", "colour:train:red", "motion:train:moving left", "concept:dog"}
    assert facts.audible() | facts.visible() <= facts.names()


def test_words_outside_the_world_are_outside() -> None:
    inside = {word for names in (*HEARD_AS.values(), *SEEN_AS.values(), PHRASES, COLOURS) for word in names}
    words = {part for text in inside for part in text.split()}
    assert not words & set(OUTSIDE)
    assert not words & set(OUTSIDE_TRAIN)
    assert not set(OUTSIDE) & set(OUTSIDE_TRAIN)
    assert len(set(OUTSIDE)) >= 40
    assert len(set(OUTSIDE_TRAIN)) >= 60
    assert len(set(PHRASES)) == len(PHRASES) >= 40
