"""Writers killed at random points. More of them: python -m benchmarks.torture --points 200."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.store.torture import LIFE_SECONDS, Torture

pytestmark = pytest.mark.slow


def test_twenty_killed_writers(tmp_path: Path) -> None:
    torture, chance = Torture(tmp_path / "library"), random.Random(20)
    for _ in range(20):
        torture.kill_once(chance.uniform(0, LIFE_SECONDS))
    assert torture.changes > 20
