"""The cache of text vectors: read as it was kept, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pesearch.store.index.text_vectors import keep_text_vectors, read_text_vectors
from tests.store.contents import AUDIO, FRAME, SPACES

TEXTS = ["a bell", "a dog"]
VECTORS = {space.name: np.random.default_rng(2).standard_normal((2, space.dim)).astype(np.float32) for space in SPACES}


def test_vectors_are_read_as_they_were_kept(tmp_path: Path) -> None:
    keep_text_vectors(tmp_path, SPACES, TEXTS, VECTORS)
    found = read_text_vectors(tmp_path, SPACES, TEXTS)
    assert found.keys() == {AUDIO.name, FRAME.name}
    for space, vectors in found.items():
        np.testing.assert_array_equal(vectors, VECTORS[space])
        assert vectors.dtype == np.float32


def test_vectors_of_other_texts_or_models_are_not_read(tmp_path: Path) -> None:
    assert read_text_vectors(tmp_path, SPACES, TEXTS) == {}
    keep_text_vectors(tmp_path, SPACES, TEXTS, VECTORS)
    assert read_text_vectors(tmp_path, SPACES, ["a bell", "a cat"]) == {}
    assert read_text_vectors(tmp_path, (replace(AUDIO, revision="2"), FRAME), TEXTS) == {}


@pytest.mark.parametrize("at", [0, 3, 5, 60, 300, -1])
def test_a_flipped_bit_is_noticed(tmp_path: Path, at: int) -> None:
    keep_text_vectors(tmp_path, SPACES, TEXTS, VECTORS)
    (path,) = (tmp_path / "indexes").iterdir()
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    assert read_text_vectors(tmp_path, SPACES, TEXTS) == {}


@pytest.mark.parametrize("kept", [0, 1, 4, 100, -1])
def test_damaged_files_are_not_read(tmp_path: Path, kept: int) -> None:
    keep_text_vectors(tmp_path, SPACES, TEXTS, VECTORS)
    (path,) = (tmp_path / "indexes").iterdir()
    path.write_bytes(path.read_bytes()[:kept])
    assert read_text_vectors(tmp_path, SPACES, TEXTS) == {}


def test_a_library_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "indexes").write_text("in the way of the folder")
    keep_text_vectors(tmp_path, SPACES, TEXTS, VECTORS)
    assert read_text_vectors(tmp_path, SPACES, TEXTS) == {}
