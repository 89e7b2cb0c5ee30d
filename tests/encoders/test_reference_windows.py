"""The reference windows beside the models of a set."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.encoders.reference_windows import REFERENCE_FILE, find_reference, write_reference
from pesearch.errors import ModelDamaged
from pesearch.matching import ReferenceWindows
from pesearch.types import MEDIA_SPACES, Space, SpaceName

SPACES = (Space(SpaceName.FRAME, "core", "1", 2), Space(SpaceName.AUDIO, "av", "1", 3))

REFERENCE = ReferenceWindows(
    {
        SpaceName.FRAME: np.array([[0.5, -1.0], [0.1, 2.0], [3.0, 0.0]], dtype=np.float32),
        SpaceName.AUDIO: np.array([[1.0, 2.0, 3.0]], dtype=np.float32),
    },
    {SpaceName.FRAME: np.array([2, 0, 1]), SpaceName.AUDIO: np.array([0, 1, 0])},
)


def test_written_windows_are_read_in_half_precision(tmp_path: Path) -> None:
    assert write_reference(tmp_path, REFERENCE) == tmp_path / REFERENCE_FILE
    read = find_reference(tmp_path, SPACES)
    assert read is not None
    assert read.vectors.keys() == read.counts.keys() == {SpaceName.FRAME, SpaceName.AUDIO}
    for space, vectors in REFERENCE.vectors.items():
        assert read.vectors[space].dtype == np.float32
        assert np.array_equal(read.vectors[space], vectors.astype(np.float16))
        assert read.counts[space].tolist() == REFERENCE.counts[space].tolist()


def test_a_set_needs_none_and_reads_only_its_own_spaces(tmp_path: Path) -> None:
    assert find_reference(tmp_path, SPACES) is None
    write_reference(tmp_path, REFERENCE)
    read = find_reference(tmp_path, SPACES[1:])
    assert read is not None
    assert read.vectors.keys() == {SpaceName.AUDIO}


def test_a_file_that_cannot_be_read_is_an_error_of_one_line(tmp_path: Path) -> None:
    written = write_reference(tmp_path, REFERENCE)
    with pytest.raises(ModelDamaged, match="fetch the model set again") as caught:
        find_reference(tmp_path, (*SPACES, Space(SpaceName.VIDEO, "av", "1", 3)))
    assert str(written) in str(caught.value)
    written.write_bytes(written.read_bytes()[:-5])
    with pytest.raises(ModelDamaged, match=REFERENCE_FILE):
        find_reference(tmp_path, SPACES)
    written.write_bytes(b"")
    with pytest.raises(ModelDamaged, match=REFERENCE_FILE):
        find_reference(tmp_path, SPACES)


def test_the_starter_set_has_windows_of_all_its_spaces(starter: ModelSet) -> None:
    reference = starter.reference
    assert reference is not None
    assert starter.reference is reference
    for space in starter.spaces:
        vectors, counts = reference.vectors[space.name], reference.counts[space.name]
        assert vectors.shape == (counts.sum(), space.dim)
        assert np.isfinite(vectors).all()
        assert len(counts) == 48
        assert (counts > 0).sum() >= 40
    assert reference.vectors.keys() == set(MEDIA_SPACES)


def test_a_set_without_the_file_has_no_windows(tiny_set: Path, tmp_path: Path) -> None:
    assert open_model_set("starter", "cpu", tiny_set).reference is None
    shutil.copytree(tiny_set, tmp_path / "set")
    reference = ReferenceWindows(
        {space: np.ones((1, 32), np.float32) for space in MEDIA_SPACES},
        dict.fromkeys(MEDIA_SPACES, np.array([1])),
    )
    write_reference(tmp_path / "set", reference)
    found = open_model_set("starter", "cpu", tmp_path / "set").reference
    assert found is not None
    assert found.vectors[SpaceName.VIDEO].shape == (1, 32)
