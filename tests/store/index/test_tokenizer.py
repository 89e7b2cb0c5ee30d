"""Splitting texts into words, and queries into terms."""

from __future__ import annotations

from itertools import pairwise
from string import ascii_letters

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.store.index.tokenizer import Term, loose_phrases, parse_terms, tokenize


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mind the Gap!", ["mind", "the", "gap"]),
        ("café CAFÉ cafe\u0301", ["cafe"] * 3),
        ("Straße STRASSE", ["strasse"] * 2),
        ("ﬁne ＷＩＤＥ", ["fine", "wide"]),
        ("don't l'amour dog's", ["dont", "l", "amour", "dog", "s"]),
        ("3.14 C3PO", ["3", "14", "c3po"]),
        ("Σίσυφος ΣΊΣΥΦΟΣ", ["σισυφοσ"] * 2),
        ("東京タワー 2号", ["東", "京", "タ", "ワ", "ー", "2", "号"]),
        ("สวัสดี", list("สวัสดี")),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("한국어 말", ["한국어", "말"]),
        ("♪ -- ...", []),
        ("Łódź København Đà ægir œuvre ısı", ["lodz", "kobenhavn", "da", "aegir", "oeuvre", "isi"]),
        ("שָׁלוֹם שלום", ["שלום"] * 2),
        ("مُحَمَّد محمد مـحـمد", ["محمد"] * 3),
        ("می\u200cخواهم", ["می", "خواهم"]),
        ("Eisen\u00adbahn Eisen\u200bbahn", ["eisenbahn"] * 2),
        ("か が ｶﾞ", ["か", "が", "ガ"]),
        ("ёлка елка й", ["елка"] * 2 + ["и"]),
        ("❤\ufe0f ok", ["ok"]),
    ],
)
def test_text_is_split_into_words(text: str, found: list[str]) -> None:
    assert tokenize(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mind the Gap!", [("mind",), ("the",), ("gap",)]),
        ("東京", [("東", "京")]),
        ("東京タワー, Tokyo", [("東", "京"), ("京", "タ"), ("タ", "ワ"), ("ワ", "ー"), ("tokyo",)]),
        ("東京、大阪", [("東", "京"), ("大", "阪")]),
        ("2号 東 C3PO京都", [("2",), ("号",), ("東",), ("c3po",), ("京", "都")]),
        ("...", []),
    ],
)
def test_unspaced_words_are_searched_by_pairs(text: str, found: list[tuple[str, ...]]) -> None:
    assert loose_phrases(text) == found


@given(st.text())
def test_loose_phrases_are_in_the_text(text: str) -> None:
    words = tokenize(text)
    neighbours = {*((word,) for word in words), *pairwise(words)}
    assert set(loose_phrases(text)) <= neighbours
    assert {word for phrase in loose_phrases(text) for word in phrase} == set(words)


@given(st.text(ascii_letters), st.sampled_from("'\u2018\u2019\u02bc\uff07"), st.sampled_from(["", ".", " you", "_"]))
def test_a_negation_needs_no_apostrophe(stem: str, apostrophe: str, after: str) -> None:
    """Whichever apostrophe there is, and in capitals: DON'T, don’t, dont."""
    for word in (f"{stem}n{apostrophe}t", f"{stem}N{apostrophe}T"):
        assert tokenize(word + after) == tokenize(f"{stem}nt{after}")
        assert tokenize(word + "e") != tokenize(f"{stem}nte"), "only at the end of a word"


@given(st.text())
def test_tokenizing_is_idempotent(text: str) -> None:
    """So a stored text as a query finds itself."""
    once = tokenize(text)
    assert tokenize(" ".join(once)) == once
    assert all(word and not word.isspace() for word in once)


@given(st.text(alphabet=st.characters(codec="latin-1")))
def test_case_makes_no_difference(text: str) -> None:
    assert tokenize(text.lower()) == tokenize(text.casefold())


def test_query_is_split_into_terms() -> None:
    assert parse_terms('Train "Mind the GAP" stat* "at the st*" well-known "-" * "') == [
        Term(("train",), False, False),
        Term(("mind", "the", "gap"), False, True),
        Term(("stat",), True, False),
        Term(("at", "the", "st"), True, True),
        Term(("well", "known"), False, False),
    ]


def test_unclosed_quote_extends_to_the_end() -> None:
    assert parse_terms('"mind the gap') == [Term(("mind", "the", "gap"), False, True)]


@given(st.text())
def test_any_query_is_parsed_into_terms_with_words(query: str) -> None:
    assert all(term.words for term in parse_terms(query))
