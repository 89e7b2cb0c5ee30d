"""Fixtures that the tests of several rooms share."""

from __future__ import annotations

import fcntl
import gc
import math
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings

from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.indexer import commit
from pesearch.indexer.progress_events import Failed
from pesearch.indexer.run import index
from pesearch.store.library import Library, create_library, open_library
from tests.encoders.checkpoints import TINY, save_pe_a_frame, save_pe_av, save_pe_core
from tests.media import samples
from tests.preloaded_ffmpeg import write_programs
from tests.small_disk import SmallDisk
from tests.worker_groups import pytest_collect_directory, pytest_collection_modifyitems, pytest_xdist_make_scheduler

__all__ = ["pytest_collect_directory", "pytest_collection_modifyitems", "pytest_xdist_make_scheduler"]

os.environ["PESEARCH_PRECISION"] = "float32"  # tests compare with plain calls, on any CPU

SAMPLE_MEDIA = Path(__file__).parent.parent / "sample_media"

settings.register_profile("pesearch", deadline=None, max_examples=50, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=400)
settings.load_profile("pesearch")


gc.disable()  # until all modules are imported: an eighth of the time that takes


def pytest_collection_finish() -> None:
    """What the imports have left is not looked through by the garbage collector again: a twentieth of the time."""
    gc.enable()
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
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run for all workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """The folder, which the first worker that needs it makes; the others wait for it."""
    finished = folder.with_suffix(".finished")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            finished.touch()
    return folder


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Syncs only check their descriptor in this process, not in those that tests start. Their order is tested in
    `tests/store/disk/test_durable.py`, and what a power cut leaves in `tests/faults`."""
    with patch.object(os, "fsync", os.fstat):
        yield


@pytest.fixture(scope="session", autouse=True)
def preloaded_ffmpeg(shared_folder: Path) -> None:
    """FFmpeg starts sooner where a whole suite runs; a few tests would not repay the preparation."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = made_once(shared_folder / "programs", write_programs)
        os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture(scope="session")
def sample_library(starter: ModelSet, sample_media: Path, shared_folder: Path) -> Library:
    """A library of all the sample media, made by the real indexer with the starter models, once for all workers.

    Its files are committed together, however busy the machine is. Tests that change it work on a copy.
    """

    def make(folder: Path) -> None:
        library = create_library(folder, starter.name, starter.spaces)
        with patch.object(commit, "BATCH_SECONDS", math.inf):
            outcomes = list(index([sample_media], library, starter))
        assert not [outcome for outcome in outcomes if isinstance(outcome, Failed)]

    return open_library(made_once(shared_folder / "sample_library", make))


@pytest.fixture(scope="session")
def sample(shared_folder: Path) -> Callable[[str], Path]:
    """A function from the name of a sample of 4 s to its path. The files are shared: do not change them."""
    folder = shared_folder / "media_samples"
    folder.mkdir(exist_ok=True)
    return lambda name: samples.make(name, folder)


@pytest.fixture(scope="session")
def tiny_set(shared_folder: Path) -> Path:
    """A models folder with pe_core/, pe_av/ and pe_a_frame/, tiny, random. It is shared: do not change it."""

    def make(folder: Path) -> None:
        save_pe_core(folder / "pe_core")
        save_pe_av(TINY, folder / "pe_av")
        save_pe_a_frame(TINY, folder / "pe_a_frame")

    return made_once(shared_folder / "tiny_set", make)


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
