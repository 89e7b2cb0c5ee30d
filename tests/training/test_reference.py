"""The reference windows of a set are those of a library of generated clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.encoders.reference_windows import find_reference
from pesearch.store.library import Library
from pesearch.types import SpaceName
from training import reference


@pytest.mark.slow
def test_they_are_all_vectors_of_a_library_clip_by_clip(sample_library: Library, starter: ModelSet) -> None:
    found, files = reference.reference_of(sample_library, starter), sample_library.files()
    for space in starter.spaces:
        stored = [sample_library.vectors(file.id, space.name).vectors for file in files]
        assert found.counts[space.name].tolist() == [len(vectors) for vectors in stored]
        assert np.array_equal(found.vectors[space.name], np.concatenate(stored))
    by_name = dict(zip((file.path.name for file in files), found.counts[SpaceName.AUDIO].tolist(), strict=True))
    assert (by_name["siren_train.mp4"], by_name["red_ball.png"]) == (1, 0)


@pytest.mark.slow
def test_the_command_writes_them_into_the_folder_of_a_set(
    starter: ModelSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "CLIPS", 2)
    monkeypatch.setattr(reference, "open_model_set", lambda *_: starter)
    reference.main(["--set", str(tmp_path), "--seed", "91"])
    found = find_reference(tmp_path, starter.spaces)
    assert found is not None
    assert {len(counts) for counts in found.counts.values()} == {2}
    assert found.counts[SpaceName.AUDIO].tolist() == [1, 1]
