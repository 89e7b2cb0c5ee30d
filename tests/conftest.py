"""Fixtures that the tests of several rooms share."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.indexer.progress_events import Failed
from pesearch.indexer.run import index
from pesearch.store.library import Library, create_library, open_library
from tests.small_disk import SmallDisk
from tests.worker_groups import pytest_collection_modifyitems, pytest_xdist_make_scheduler

__all__ = ["pytest_collection_modifyitems", "pytest_xdist_make_scheduler"]

SAMPLE_MEDIA = Path(__file__).parent.parent / "sample_media"

settings.register_profile("pesearch", deadline=None, max_examples=50, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=400)
settings.load_profile("pesearch")


def pytest_collection_finish() -> None:
    """What the imports have left is not looked through by the garbage collector again: a twentieth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def config_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the user has named is remembered for the tests only."""
    os.environ["XDG_CONFIG_HOME"] = str(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="session")
def sample_media() -> Path:
    """The folder of short clips with their truths.json."""
    return SAMPLE_MEDIA


@pytest.fixture(scope="session")
def starter() -> ModelSet:
    """The models that come with pesearch, on the CPU; nothing is loaded before it is used."""
    return open_model_set("starter", "cpu")


@pytest.fixture(scope="session")
def sample_library(starter: ModelSet, sample_media: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A library of all the sample media, made by the real indexer with the starter models, once for all workers.

    Tests that change it work on a copy.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, finished = shared / "sample_library", shared / "sample_library.finished"
    with (shared / "sample_library.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            library = create_library(folder, starter.name, starter.spaces)
            assert not [outcome for outcome in index([sample_media], library, starter) if isinstance(outcome, Failed)]
            finished.touch()
    return open_library(folder)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    disk = SmallDisk(tmp_path / "disk")
    disk.folder.mkdir()
    try:
        disk.mount("size=64m")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system may be mounted here: {error}; tests/store/test_faults.py limits the file size")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk.folder)], check=True)
