"""What chance scores in a library, and how likely a score is that of a match."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.encoders.model_set import ModelSet
from pesearch.search.score.normalization import EVERYDAY_WORDS, ChanceStats, ScoreNormalizer, score_normalizers
from pesearch.store.library import Library
from pesearch.types import FloatArray, SpaceName

MakeLibrary = Callable[..., Library]

RANDOM = np.random.default_rng(4)
DIM = 16


def unit(count: int) -> FloatArray:
    vectors = RANDOM.standard_normal((count, DIM)).astype(np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def noise(space: SpaceName = SpaceName.AUDIO, rows: int = 1000) -> ScoreNormalizer:
    return ScoreNormalizer.of(space, unit(1000), rows, unit(len(EVERYDAY_WORDS)))


def debias(normalizer: ScoreNormalizer, query: FloatArray, vectors: FloatArray) -> FloatArray:
    return normalizer.debias(vectors @ query[:, None], vectors, is_text=True)


def chance_stats(median: float, spread: float) -> ChanceStats:
    return ChanceStats(np.array(median), np.array(spread))


@pytest.mark.parametrize("space", [SpaceName.AUDIO, SpaceName.FRAME])
def test_chance_is_no_match_and_what_stands_far_out_is(space: SpaceName) -> None:
    normalizer, query = noise(space), unit(1)
    by_chance = normalizer.chance_stats(query, is_text=True)
    chance = normalizer.probability(debias(normalizer, query[0], unit(1000)), by_chance)
    assert chance.max() < 0.3
    far = by_chance.median + 10 * by_chance.spread
    assert normalizer.probability(far[None], by_chance)[0] > 0.9


@pytest.mark.parametrize("space", [SpaceName.AUDIO, SpaceName.FRAME])
def test_several_queries_at_once_are_as_each_alone(space: SpaceName) -> None:
    normalizer, queries = noise(space), unit(3)
    together = normalizer.chance_stats(queries, is_text=True)
    for number, query in enumerate(queries):
        alone = normalizer.chance_stats(query[None], is_text=True)
        assert together.median[number] == pytest.approx(alone.median[0], abs=1e-5)
        assert together.spread[number] == pytest.approx(alone.spread[0], abs=1e-5)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=20))
def test_a_higher_score_is_never_less_likely(scores: list[float]) -> None:
    normalizer = noise()
    likely = normalizer.probability(np.sort(np.array(scores)), chance_stats(0.0, 0.3))
    assert (np.diff(likely) >= 0).all()
    assert ((likely >= 0) & (likely <= 1)).all()


def test_the_more_a_library_holds_the_higher_a_score_must_be() -> None:
    score, by_chance = np.array([1.6]), chance_stats(0.0, 0.3)
    likely = [noise(rows=rows).probability(score, by_chance)[0] for rows in (10, 1000, 1_000_000)]
    assert likely == sorted(likely, reverse=True)
    assert likely[0] > 0.5 > likely[2]


def test_matches_in_the_sample_do_not_widen_what_is_usual() -> None:
    chance = RANDOM.standard_normal(1000)
    holding = np.concatenate([chance[:800], np.full(200, 9.0)])
    assert ChanceStats.of(chance).spread == pytest.approx(1.0, abs=0.1)
    assert ChanceStats.of(holding).spread == pytest.approx(1.0, abs=0.2)


def test_a_text_that_scores_little_on_everything_is_not_there_for_that() -> None:
    normalizer = noise()
    foreign = np.zeros((1, DIM), dtype=np.float32)
    foreign[0, 0] = 1e-3
    best = debias(normalizer, foreign[0], normalizer.sample).max(axis=0)
    assert normalizer.probability(best, normalizer.chance_stats(foreign, is_text=True))[0] < 0.05


def test_what_any_text_scores_on_a_frame_does_not_matter() -> None:
    normalizer = noise(SpaceName.FRAME)
    liked = np.eye(DIM, dtype=np.float32)[-1]
    word_vectors = normalizer.word_vectors.copy()
    word_vectors[:, -1] = 0.5  # every text likes the last direction equally
    normalizer, query = (
        replace(normalizer, word_vectors=word_vectors),
        word_vectors[0] + np.eye(DIM, dtype=np.float32)[0],
    )
    plain = unit(3)
    scores = [debias(normalizer, query, frames) for frames in (plain, plain + 2 * liked)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)


def test_a_library_tells_how_much_it_holds_and_gives_a_sample(make_library: MakeLibrary) -> None:
    library = make_library({f"{n}.wav": {SpaceName.AUDIO: [[1.0, n / 10]]} for n in range(10)})
    assert (library.rows(SpaceName.AUDIO), library.rows(SpaceName.FRAME)) == (10, 0)
    assert library.sample(SpaceName.AUDIO, 4)[:, 1] == pytest.approx([0.0, 0.3, 0.6, 0.9], abs=1e-3)
    assert len(library.sample(SpaceName.AUDIO, 4000)) == 10
    assert library.sample(SpaceName.FRAME, 4).shape == (0, 2)


@pytest.mark.slow
def test_a_background_is_made_once(sample_library: Library, starter: ModelSet) -> None:
    held = score_normalizers(sample_library)
    made = held.of(sample_library, starter, SpaceName.AUDIO)
    assert made is not None
    assert made.rows == sample_library.rows(SpaceName.AUDIO) == len(made.sample)
    assert held.of(sample_library, starter, SpaceName.AUDIO) is made
    assert score_normalizers(sample_library) is held
