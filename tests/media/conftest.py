"""Sample files, made once a test run and only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.media import samples


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function from the name of a sample to its path. The files are shared: do not change them."""
    folder = tmp_path_factory.mktemp("samples")
    return lambda name: samples.make(name, folder)
