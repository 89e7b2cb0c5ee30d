"""Models with random weights, empty libraries for them, a folder of small media files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.store.library import Library, create_library, open_library
from tests.indexer.runs import IndexedFolder, run
from tests.store.templates import copy_library


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def models(tiny_set: Path) -> ModelSet:
    return open_model_set("starter", "cpu", tiny_set)


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory, models: ModelSet) -> Path:
    """The folder of an empty library, to be copied."""
    return create_library(tmp_path_factory.mktemp("template") / "library", models.name, models.spaces).folder


@pytest.fixture
def library(tmp_path: Path, empty_library: Path) -> Library:
    return copy_library(empty_library, tmp_path / "library")


@pytest.fixture
def media(tmp_path: Path, sample: Callable[[str], Path]) -> Path:
    """A folder with a video, a sound and a still in sub-folders, and a file that is not media."""
    return copy_media(tmp_path / "media", sample)


@pytest.fixture(scope="session")
def indexed_media(
    tmp_path_factory: pytest.TempPathFactory, sample: Callable[[str], Path], models: ModelSet
) -> IndexedFolder:
    """The files of `media`, indexed once. They are shared: tests that change the library work on a copy."""
    base = tmp_path_factory.mktemp("indexed")
    folder = copy_media(base / "media", sample)
    library = create_library(base / "library", models.name, models.spaces)
    return IndexedFolder(folder, library, run(folder, library, models))


@pytest.fixture
def indexed_copy(tmp_path: Path, indexed_media: IndexedFolder) -> Library:
    """A copy of the library of `indexed_media`."""
    return open_library(Path(shutil.copytree(indexed_media.library.folder, tmp_path / "library")))


def copy_media(folder: Path, sample: Callable[[str], Path]) -> Path:
    for name in ("film/both.mp4", "sound/tone.wav", "cover.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sample(path.name), path)
    (folder / "notes.txt").write_text("No media at all.\n")
    return folder
