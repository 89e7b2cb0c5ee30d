"""Writers killed at random points, and readers while a writer works."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pesearch.store.library import open_library
from pesearch.types import SpaceName
from tests.store import beside
from tests.store.torture import LIFE_SECONDS, Torture

pytestmark = pytest.mark.slow


def test_twenty_killed_writers(tmp_path: Path) -> None:
    torture, chance = Torture(tmp_path / "library"), random.Random(20)
    for _ in range(20):
        torture.kill_once(chance.uniform(0, LIFE_SECONDS / 2))
    assert torture.changes > 10
    assert open_library(torture.folder).rows(SpaceName.CUE) > 0


def test_a_writer_and_eight_readers(tmp_path: Path) -> None:
    figures = beside.run(tmp_path / "library", readers=8, seconds=8)
    assert figures.changes > 0
    assert figures.generations_seen > 1
