"""Chance scores of a library, and the probability that a score is a match."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.encoders.model_set import ModelSet
from pesearch.search.score.normalization import EVERYDAY_WORDS, ChanceStats, ScoreNormalizer, score_normalizers
from pesearch.store.library import Library
from pesearch.types import FloatArray, SpaceName
from tests.search.conftest import encoded
from tests.search.fake_models import FakeModels

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
def test_chance_scores_are_improbable_and_outliers_are_not(space: SpaceName) -> None:
    normalizer, query = noise(space), unit(1)
    by_chance = normalizer.chance_stats(query, is_text=True)
    chance = normalizer.probability(debias(normalizer, query[0], unit(1000)), by_chance)
    assert chance.max() < 0.3
    far = by_chance.median + 10 * by_chance.spread
    assert normalizer.probability(far[None], by_chance)[0] > 0.9


@pytest.mark.parametrize("space", [SpaceName.AUDIO, SpaceName.FRAME])
def test_a_batch_of_queries_equals_single_queries(space: SpaceName) -> None:
    normalizer, queries = noise(space), unit(3)
    together = normalizer.chance_stats(queries, is_text=True)
    for number, query in enumerate(queries):
        alone = normalizer.chance_stats(query[None], is_text=True)
        assert together.median[number] == pytest.approx(alone.median[0], abs=1e-5)
        assert together.spread[number] == pytest.approx(alone.spread[0], abs=1e-5)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=20))
def test_probability_is_monotonic_in_the_score(scores: list[float]) -> None:
    normalizer = noise()
    likely = normalizer.probability(np.sort(np.array(scores)), chance_stats(0.0, 0.3))
    assert (np.diff(likely) >= 0).all()
    assert ((likely >= 0) & (likely <= 1)).all()


def test_a_larger_library_needs_a_higher_score() -> None:
    score, by_chance = np.array([1.6]), chance_stats(0.0, 0.3)
    likely = [noise(rows=rows).probability(score, by_chance)[0] for rows in (10, 1000, 1_000_000)]
    assert likely == sorted(likely, reverse=True)
    assert likely[0] > 0.5 > likely[2]


def test_matches_in_the_sample_do_not_widen_the_spread() -> None:
    chance = RANDOM.standard_normal(1000)
    holding = np.concatenate([chance[:800], np.full(200, 9.0)])
    assert ChanceStats.of(chance).spread == pytest.approx(1.0, abs=0.1)
    assert ChanceStats.of(holding).spread == pytest.approx(1.0, abs=0.2)


def test_a_text_that_scores_low_on_everything_does_not_match() -> None:
    normalizer = noise()
    foreign = np.zeros((1, DIM), dtype=np.float32)
    foreign[0, 0] = 1e-3
    best = debias(normalizer, foreign[0], normalizer.sample).max(axis=0)
    assert normalizer.probability(best, normalizer.chance_stats(foreign, is_text=True))[0] < 0.05


def test_the_bias_of_a_frame_for_all_texts_is_removed() -> None:
    normalizer = noise(SpaceName.FRAME)
    biased = np.eye(DIM, dtype=np.float32)[-1]
    word_vectors = normalizer.word_vectors.copy()
    word_vectors[:, -1] = 0.5  # every text scores the same in the last direction
    normalizer, query = (
        replace(normalizer, word_vectors=word_vectors),
        word_vectors[0] + np.eye(DIM, dtype=np.float32)[0],
    )
    plain = unit(3)
    scores = [debias(normalizer, query, frames) for frames in (plain, plain + 2 * biased)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)


def test_rows_and_sample_of_a_library(make_library: MakeLibrary) -> None:
    library = make_library({f"{n}.wav": {SpaceName.AUDIO: [[1.0, n / 10]]} for n in range(10)})
    assert (library.rows(SpaceName.AUDIO), library.rows(SpaceName.FRAME)) == (10, 0)
    assert library.sample(SpaceName.AUDIO, 4)[:, 1] == pytest.approx([0.0, 0.3, 0.6, 0.9], abs=1e-3)
    assert len(library.sample(SpaceName.AUDIO, 4000)) == 10
    assert library.sample(SpaceName.FRAME, 4).shape == (0, 2)


@pytest.mark.slow
def test_a_normalizer_is_cached(sample_library: Library, starter: ModelSet) -> None:
    normalizers = score_normalizers(sample_library)
    normalizer = normalizers.of(sample_library, starter, SpaceName.AUDIO)
    assert normalizer is not None
    assert normalizer.rows == sample_library.rows(SpaceName.AUDIO) == len(normalizer.sample)
    assert normalizers.of(sample_library, starter, SpaceName.AUDIO) is normalizer
    assert score_normalizers(sample_library) is normalizers


def test_the_threshold_is_three_spreads_above_the_expected_maximum_of_chance() -> None:
    """sqrt(2 ln 1000) = 3.716922: the greatest of 1000 normal scores, approximately."""
    normalizer, stats = noise(rows=1000), chance_stats(0.2, 0.1)
    assert float(normalizer.threshold(stats)) == pytest.approx(0.2 + 0.1 * (3.716922 + 3.0), abs=1e-6)
    scores = np.array([0.7716922, 0.8716922, 0.9716922])  # one spread below the threshold, at it, one above
    assert normalizer.probability(scores, stats) == pytest.approx([0.231475, 0.5, 0.768525], abs=1e-5)


def test_a_normalizer_is_rebuilt_when_its_space_has_changed_by_more_than_a_twentieth(
    make_library: MakeLibrary, tmp_path: Path
) -> None:
    library = make_library({f"{n}.wav": {SpaceName.AUDIO: [[1.0, n / 40]]} for n in range(40)})
    normalizers, models = score_normalizers(library), FakeModels()

    def current() -> ScoreNormalizer:
        normalizer = normalizers.of(library, models, SpaceName.AUDIO)  # type: ignore[arg-type]
        assert normalizer is not None
        return normalizer

    def add(*names: str) -> None:
        with library.writer() as writer:
            writer.add([encoded(tmp_path / name, {SpaceName.AUDIO: [[5.0, 5.0]]}, 10.0) for name in names])

    first = current()
    add("a.wav", "b.wav")
    assert current() is first  # 42 rows: 5 % more
    add("c.wav")
    second = current()
    assert (second.rows, len(second.sample)) == (43, 43)
    assert current() is second
    with library.writer() as writer:
        writer.remove([file.id for file in library.files()[:10]])
    assert current().rows == 33
