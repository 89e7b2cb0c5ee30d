"""The tokenizer gives the numbers of open_clip's."""

from functools import cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pesearch.encoders.lazy_imports import load_open_clip
from pesearch.encoders.numpy_models import clip_tokenizer
from pesearch.encoders.numpy_models.clip_tokenizer import ClipTokenizer
from pesearch.encoders.numpy_models.unsupported import UnsupportedModel

CONTEXT = 16

PIECES = (
    "siren", "The Train", "'s", "don't", " ", "\t", "\n", "123", "!!", "&amp;", "&amp;lt;", "&AMP;", "<start_of_text>",
    "<END_OF_TEXT>", "naïve", "Ã©", "’", "日本", "ﬁ", "🙂", "\x1b[36m", "\x00", "İ", "ſ", "\u200b", "\ufeff",
)  # fmt: skip


@cache
def theirs() -> Any:
    return load_open_clip().tokenizer.SimpleTokenizer(context_length=CONTEXT)


@cache
def ours() -> ClipTokenizer:
    return ClipTokenizer(CONTEXT)


@given(st.one_of(st.text(max_size=20), st.lists(st.sampled_from(PIECES), max_size=12).map("".join)))
@example("")
@example("a siren in the distance, and a train that rattles over a long iron bridge at night")
@example("<start_of_text>")
@example("x &lt; y &amp;amp; z")
@example("aaaaaaaaaa")
def test_numbers_equal_those_of_open_clip(text: str) -> None:
    (numbers,) = ours()([text])
    assert [*numbers, *[0] * (CONTEXT - len(numbers))] == theirs()([text])[0].tolist()


def test_each_merge_makes_another_symbol() -> None:
    """Their number is that of the merge: open_clip looks symbols up, and a second merge would take over the first."""
    merges = clip_tokenizer._merge_ranks()
    assert len({merge.replace(" ", "") for merge in merges}) == len(merges) == clip_tokenizer.MERGE_COUNT


def test_without_the_list_of_merges_torch_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_tokenizer, "find_spec", lambda name: None)
    clip_tokenizer._merge_ranks.cache_clear()
    with pytest.raises(UnsupportedModel, match="open_clip is not installed"):
        ClipTokenizer(CONTEXT)
