"""Work on several cores: a batch of texts or a window of sound each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from pesearch.blas_threads import on_one_core
from pesearch.encoders.preprocess import batches_by_key
from pesearch.types import FloatArray

MAX_BATCH = 64
"""Texts computed at once, as many as torch computes."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def on_cores(compute: Callable[[Item], Result], items: Sequence[Item], threads: int) -> list[Result]:
    """The result for each item, in order. Each is computed on one core, and `threads` at a time."""
    with on_one_core():
        if threads == 1 or len(items) == 1:
            return [compute(item) for item in items]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(compute, items))


def embed_in_batches(
    texts: Sequence[Sequence[int]], compute: Callable[[npt.NDArray[np.int64]], FloatArray], width: int, threads: int
) -> FloatArray:
    """The vectors [texts, width] that `compute` gives for token numbers [texts, tokens].

    Texts of a batch have the same number of tokens, so that nothing is padded.
    """
    batches = list(batches_by_key([len(tokens) for tokens in texts], MAX_BATCH))
    tokens = [np.array([texts[position] for position in positions], dtype=np.int64) for positions in batches]
    vectors = np.empty((len(texts), width), dtype=np.float32)
    for positions, embedded in zip(batches, on_cores(compute, tokens, threads), strict=True):
        vectors[positions] = embedded
    return vectors
