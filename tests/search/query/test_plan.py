"""A question taken apart: which terms it has, and how they are combined."""

from __future__ import annotations

from pathlib import Path

import pytest

from pesearch.errors import QueryError
from pesearch.search.query.language.nodes import Sense, Words
from pesearch.search.query.operators import All, AtOnce, Either, InOrder
from pesearch.search.query.plan import JointTerm, compile_query
from pesearch.search.query.request import SearchRequest
from pesearch.types import MediaKind


def texts(request: str) -> list[str]:
    return [str(term) for term in compile_query(SearchRequest(request)).terms]


def test_one_thing_is_one_term() -> None:
    plan = compile_query(SearchRequest("a dog barking"))
    assert plan.root == 0
    assert plan.terms == (Words("a dog barking"),)
    assert plan.phrases == {"a dog barking": 0}


def test_words_that_name_several_things_ask_for_the_whole_and_for_each() -> None:
    plan = compile_query(SearchRequest("siren and train"))
    assert plan.terms == (Words("siren and train"), Words("siren"), Words("train"))
    assert plan.root == AtOnce((0, All((1, 2))))
    assert plan.phrases == {"siren": 1, "train": 2}


def test_operators_become_the_plan() -> None:
    assert compile_query(SearchRequest("heard:siren THEN seen:train WITHIN 5s")).root == InOrder((0, 1), 5.0)
    assert compile_query(SearchRequest("heard:siren OR heard:bell")).root == Either((0, 1))
    plan = compile_query(SearchRequest("heard:siren -seen:car"))
    assert plan.root == All((0,), (1,))
    assert plan.is_positive == (True, False)


def test_the_same_term_twice_is_asked_once() -> None:
    plan = compile_query(SearchRequest("heard:siren THEN heard:siren"))
    assert plan.root == InOrder((0, 0))
    assert plan.terms == (Words("siren", Sense.HEARD),)


def test_only_named_sounds_are_listened_for() -> None:
    assert compile_query(SearchRequest("seen:train said:hello heard:bell")).phrases == {"bell": 2}


def test_speech_is_taken_as_it_is() -> None:
    plan = compile_query(SearchRequest("mind AND the gap", speech=True))
    assert plan.terms == (Words("mind AND the gap", Sense.SAID),)


def test_examples_are_asked_by_the_side_that_is_named(sample_media: Path) -> None:
    clip = sample_media / "siren_train.mp4"
    by_option = compile_query(SearchRequest("a train", audio=clip))
    assert by_option.root == AtOnce((AtOnce((0, 1)), Either((AtOnce((0, 1)), 2))))
    assert [getattr(term, "kind", None) for term in by_option.terms[:2]] == [None, MediaKind.AUDIO]
    (sample,) = compile_query(SearchRequest(f"heard:{clip}@1-2")).terms
    assert getattr(sample, "kind", None) is MediaKind.AUDIO
    (whole,) = compile_query(SearchRequest(str(clip))).terms
    assert getattr(whole, "kind", None) is MediaKind.VIDEO


def test_an_example_and_the_words_beside_it_are_asked_as_one_too(sample_media: Path) -> None:
    clip = sample_media / "siren_train.mp4"
    plan = compile_query(SearchRequest(f"{clip} at night"))
    sample, words, joint = plan.terms
    assert plan.root == AtOnce((AtOnce((0, 1)), Either((AtOnce((0, 1)), 2))))
    assert joint == JointTerm(sample, "at night", 2.0)
    assert words == Words("at night")
    for text in (
        f"heard:({clip} at night)",
        f"{clip} AND night",
        f"{sample_media / 'red_ball.png'} at night",
    ):
        assert not any(isinstance(term, JointTerm) for term in compile_query(SearchRequest(text)).terms)


def test_an_example_that_is_no_media_is_an_error(sample_media: Path) -> None:
    with pytest.raises(QueryError, match=r"cannot use .* as an example"):
        compile_query(SearchRequest(f"{sample_media / 'nothing.wav'}"))
