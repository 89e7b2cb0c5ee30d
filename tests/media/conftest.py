"""Sample files, made on demand and once per test run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.media import samples


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function from the name of a sample to its path. The files are shared: do not change them."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # shared by all processes of the run
        folder = folder.parent
    folder = folder / "media_samples"
    folder.mkdir(exist_ok=True)
    return lambda name: samples.make(name, folder)
