"""Questions to a library of clips, sounds and a still: a shorter answer is the beginning of a longer one."""

from __future__ import annotations

from itertools import islice, product

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.search.query.request import SearchRequest
from pesearch.search.search import search
from pesearch.store.library import Library
from training.words import COLOURS, OBJECTS, PHRASES, SOUNDS

pytestmark = pytest.mark.slow

TEXTS = [
    *(f"a {thing}" for thing in OBJECTS),
    *(f"seen:({colour} {thing})" for colour, thing in islice(product(COLOURS, OBJECTS), 0, None, 4)),
    *(f"heard:{sound}" for sound in SOUNDS),
    *(f"said:({phrase})" for phrase in PHRASES[:10]),
    *(f"heard:{sound} seen:{thing}" for sound, thing in zip(SOUNDS, OBJECTS, strict=False)),
    *(f"heard:{one} THEN heard:{other}" for one, other in zip(SOUNDS, SOUNDS[3:], strict=False)),
    *(f"{thing} NOT heard:{sound}" for thing, sound in zip(OBJECTS, SOUNDS[5:], strict=False)),
    *(f"{one} OR 2:heard:{other}" for one, other in zip(OBJECTS, SOUNDS, strict=False)),
]


def test_there_are_a_hundred_questions() -> None:
    assert len(set(TEXTS)) == len(TEXTS) >= 100


@pytest.mark.parametrize("per_file", [None, 1])
def test_a_shorter_answer_is_the_beginning_of_a_longer_one(
    sample_library: Library, starter: ModelSet, per_file: int | None
) -> None:
    longest = 0
    for text in TEXTS if per_file is None else TEXTS[::5]:
        few, many = (
            search(sample_library, starter, SearchRequest(text, k=k, per_file=per_file, locate=False)).moments
            for k in (5, 50)
        )
        assert few == many[:5], text
        longest = max(longest, len(many))
    assert longest > 5
