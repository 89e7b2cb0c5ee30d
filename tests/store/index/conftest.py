"""Libraries that tests copy, which is faster than making each from scratch."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.store.library import Library, create_library, open_library
from tests.store.contents import SPACES, encoded
from tests.store.policies import compress_without_loss

FILES = 40
ROWS = 5
"""Rows of each file in each space."""


@pytest.fixture(scope="session")
def unindexed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty files in four shards per space, without compressed indexes. Not to be changed."""
    library = create_library(tmp_path_factory.mktemp("unindexed") / "library", "made-up", SPACES)
    with library.writer() as writer:
        for first in range(0, FILES, 10):
            files = range(first, first + 10)
            writer.add([encoded(f"/{number}", f"content {number}", rows=ROWS) for number in files])
    return library.folder


@pytest.fixture(scope="session")
def indexed_folder(unindexed_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with compressed indexes over all rows. Not to be changed."""
    folder = tmp_path_factory.mktemp("indexed") / "library"
    shutil.copytree(unindexed_folder, folder)
    with pytest.MonkeyPatch.context() as patch:
        compress_without_loss(patch)
        with open_library(folder).writer():
            pass
    return folder


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Library]:
    """Opens a copy of a library, for one test."""

    def copy(folder: Path) -> Library:
        shutil.copytree(folder, tmp_path / "library")
        return open_library(tmp_path / "library")

    return copy
