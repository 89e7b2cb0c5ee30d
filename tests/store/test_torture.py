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


def test_killed_writers_leave_the_library_whole(tmp_path: Path) -> None:
    torture, chance = Torture(tmp_path / "library"), random.Random(20)
    for _ in range(8):
        torture.kill_once(chance.uniform(0, LIFE_SECONDS / 2))
    for _ in range(20):  # a writer that lives longer, on a busy machine
        if torture.changes > 6 and open_library(torture.folder).rows(SpaceName.CUE):
            break
        torture.kill_once(LIFE_SECONDS)
    assert torture.changes > 6
    assert open_library(torture.folder).rows(SpaceName.CUE) > 0


def test_readers_during_writes_get_the_answers_of_one_generation(tmp_path: Path) -> None:
    figures = beside.run(tmp_path / "library", readers=4, seconds=1)
    assert figures.changes >= beside.ENOUGH
    assert figures.generations_seen >= beside.ENOUGH
