"""Validation of requests, and splitting of a text into terms."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.errors import QueryError
from pesearch.search.query.request import MAX_SPLIT_TERMS, SearchRequest, split_terms

WORDS = st.sampled_from(["siren", "a train", "red ball", "sand", "Andes", "the band", "thenar"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("siren and train", ("siren", "train")),
        ("a siren, a train and a bell", ("a siren", "a train", "a bell")),
        ("a siren, and a train", ("a siren", "a train")),
        ("siren + train & bell; drum", ("siren", "train", "bell", "drum")),
        ("a dog barks then a bell rings", ("a dog barks", "a bell rings")),
        ("siren AND Train", ("siren", "Train")),
        ("sandy island", ("sandy island",)),
        ("  a   red ball ", ("a red ball",)),
        ("siren and siren", ("siren",)),
        ("and", ()),
        ("", ()),
    ],
)
def test_terms_of_a_text(text: str, expected: tuple[str, ...]) -> None:
    assert split_terms(text) == expected


def test_a_text_of_too_many_parts_is_one_term() -> None:
    sentence = " and ".join(f"thing {number}" for number in range(MAX_SPLIT_TERMS + 1))
    assert split_terms(sentence) == (sentence,)


@given(st.lists(WORDS, min_size=1, max_size=5, unique=True), st.sampled_from([" and ", ", ", " + ", " then ", ";"]))
def test_joined_terms_are_split_again(parts: list[str], between: str) -> None:
    assert split_terms(between.join(parts)) == tuple(parts)


@given(st.text(max_size=40))
def test_terms_are_parts_of_the_text_that_do_not_split(text: str) -> None:
    whole = " ".join(text.split())
    found = split_terms(text)
    assert all(term and term in whole for term in found)
    assert len(found) in (0, 1) or all(split_terms(term) == (term,) for term in found)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"text": "  "},
        {"speech": True, "audio": Path("a.wav")},
        {"text": "siren", "k": 0},
    ],
)
def test_invalid_requests(fields: dict[str, object]) -> None:
    with pytest.raises(QueryError) as caught:
        SearchRequest(**fields)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_str_shows_text_and_examples() -> None:
    assert str(SearchRequest(" siren ")) == "siren"
    assert str(SearchRequest("siren", image=Path("/x/train.png"))) == "siren + train.png"
    assert str(SearchRequest(audio=Path("/x/siren.wav"))) == "siren.wav"
