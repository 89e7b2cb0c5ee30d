"""When memory runs out during a run: smaller batches, the same library, and a warning at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.indexer.progress_events import RunTimings
from pesearch.store.library import Library, create_library
from pesearch.types import MEDIA_SPACES
from tests.indexer.runs import names_by_kind, of, run


def limited_to(max_size: int, compute: Callable[[torch.Tensor], Any]) -> Callable[[torch.Tensor], Any]:
    """Raises torch's exception for batches of more than `max_size`."""

    def limited(batch: torch.Tensor) -> Any:
        if len(batch) > max_size:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.")
        return compute(batch)

    return limited


def test_batches_are_halved_when_memory_runs_out(
    tmp_path: Path,
    media: Path,
    library: Library,
    models: ModelSet,
    tiny_set: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run(media, library, models)
    narrow = open_model_set("starter", "cpu", tiny_set)
    narrow.load()
    tower = narrow._models.pe_core.tower
    tower.batches.size = tower.batches.initial_size = 16
    monkeypatch.setattr(tower, "_compute", limited_to(1, tower._compute))
    again = create_library(tmp_path / "narrow", narrow.name, narrow.spaces)
    outcomes = run(media, again, narrow)
    assert names_by_kind(outcomes) == {"Indexed": ["both.mp4", "cover.png", "tone.wav"]}
    (timings,) = of(RunTimings, outcomes)
    assert timings.warnings == ("memory ran out: batches of frames were reduced from 16 to 1",)
    files = {file.path: file.id for file in again.files()}
    for file in library.files():
        for space in MEDIA_SPACES:
            one, other = library.vectors(file.id, space), again.vectors(files[file.path], space)
            np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-3)
