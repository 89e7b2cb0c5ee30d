"""Compilation of requests: terms and operators of the plan."""

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


def test_a_text_of_one_thing_is_one_term() -> None:
    plan = compile_query(SearchRequest("a dog barking"))
    assert plan.root == 0
    assert plan.terms == (Words("a dog barking"),)
    assert plan.phrases == {"a dog barking": 0}


def test_a_text_of_several_things_is_searched_whole_and_by_parts() -> None:
    plan = compile_query(SearchRequest("siren and train"))
    assert plan.terms == (Words("siren and train"), Words("siren"), Words("train"))
    assert plan.root == AtOnce((0, All((1, 2))))
    assert plan.phrases == {"siren": 1, "train": 2}


def test_operators_of_the_query_language() -> None:
    assert compile_query(SearchRequest("heard:siren THEN seen:train WITHIN 5s")).root == InOrder((0, 1), 5.0)
    assert compile_query(SearchRequest("heard:siren OR heard:bell")).root == Either((0, 1))
    plan = compile_query(SearchRequest("heard:siren -seen:car"))
    assert plan.root == All((0,), (1,))
    assert plan.is_positive == (True, False)


def test_equal_terms_share_a_number() -> None:
    plan = compile_query(SearchRequest("heard:siren THEN heard:siren"))
    assert plan.root == InOrder((0, 0))
    assert plan.terms == (Words("siren", Sense.HEARD),)


def test_phrases_are_the_named_sounds() -> None:
    assert compile_query(SearchRequest("seen:train said:hello heard:bell")).phrases == {"bell": 2}


def test_speech_is_not_parsed() -> None:
    plan = compile_query(SearchRequest("mind AND the gap", speech=True))
    assert plan.terms == (Words("mind AND the gap", Sense.SAID),)


def test_the_option_or_prefix_decides_the_kind_of_an_example(sample_media: Path) -> None:
    clip = sample_media / "siren_train.mp4"
    by_option = compile_query(SearchRequest("a train", audio=clip))
    assert by_option.root == AtOnce((AtOnce((0, 1)), Either((AtOnce((0, 1)), 2))))
    assert [getattr(term, "kind", None) for term in by_option.terms[:2]] == [None, MediaKind.AUDIO]
    (sample,) = compile_query(SearchRequest(f"heard:{clip}@1-2")).terms
    assert getattr(sample, "kind", None) is MediaKind.AUDIO
    (whole,) = compile_query(SearchRequest(str(clip))).terms
    assert getattr(whole, "kind", None) is MediaKind.VIDEO


def test_an_example_with_words_has_a_joint_term(sample_media: Path) -> None:
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


def test_a_missing_example_is_an_error(sample_media: Path) -> None:
    with pytest.raises(QueryError, match=r"cannot use .* as an example"):
        compile_query(SearchRequest(f"{sample_media / 'nothing.wav'}"))
