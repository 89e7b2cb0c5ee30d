"""The WordPiece tokenizer: known words whole, everything else in letters, nothing unknown."""

from functools import partial
from pathlib import Path

import pytest

from training.tokenizer import build_tokenizer, kept_tokenizer
from training.words import HEARD_AS, OUTSIDE, PHRASES


def test_known_words_are_one_token_and_foreign_words_are_split() -> None:
    tokenizer = build_tokenizer(texts=6_000)
    for phrase in (*PHRASES, *(wording for wordings in HEARD_AS.values() for wording in wordings)):
        assert len(tokenizer.tokenize(phrase)) == len(phrase.split()), phrase
    for word in (*OUTSIDE, "ZEPPELIN", "r2d2"):
        pieces = tokenizer.tokenize(word)
        assert tokenizer.unk_token not in pieces
        assert len(pieces) > len(word.split())


def test_a_text_is_framed_by_its_first_and_last_token() -> None:
    tokenizer = build_tokenizer(texts=500)
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("A Siren, please!")["input_ids"])
    assert tokens[0] == "[CLS]"
    assert tokens[-1] == "[SEP]"
    assert "siren" in tokens


def test_tokenizer_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.tokenizer.build_tokenizer", partial(build_tokenizer, texts=500))
    first = kept_tokenizer(tmp_path, seed=1).get_vocab()
    assert kept_tokenizer(tmp_path, seed=2).get_vocab() == first
