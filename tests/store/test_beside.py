"""Readers while a writer works."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store import beside

pytestmark = pytest.mark.slow


def test_readers_during_writes_get_the_answers_of_one_generation(tmp_path: Path) -> None:
    figures = beside.run(tmp_path / "library", readers=4, seconds=1)
    assert figures.changes >= beside.ENOUGH
    assert figures.generations_seen >= beside.ENOUGH
