"""A small part of `python -m tests.faults`: a kill, an error and two power cuts for each operation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.interposer import reason_for_skipping
from tests.faults.operations import OPERATIONS

pytestmark = pytest.mark.skipif(reason_for_skipping() is not None, reason=str(reason_for_skipping()))

ROOT = Path(__file__).parents[2]

TESTED = [each.name for each in OPERATIONS if each.name not in ("stream", "remove", "gc")]
"""The others write as `add` and `merge` do."""


@pytest.fixture(scope="module")
def outcomes() -> list[dict[str, Any]]:
    """What is left after each case. One process runs them all: it loads DuckDB and FAISS once."""
    command = [sys.executable, "-m", "tests.faults", "--cases", "2", "--json", "--operation", *TESTED]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ | {"PYTHONPATH": "."}
    )
    assert result.returncode in (0, 1), result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("operation", TESTED)
def test_a_library_is_as_before_or_as_after(outcomes: list[dict[str, Any]], operation: str) -> None:
    cases = [each for each in outcomes if each["operation"] == operation]
    assert len(cases) == 4
    assert [(each["fault"], each["wrong"]) for each in cases if each["wrong"]] == []
    assert {each["state"] for each in cases} <= {"before", "after"}


def test_faults_come_at_all_stages(outcomes: list[dict[str, Any]]) -> None:
    assert {each["state"] for each in outcomes} == {"before", "after"}
    assert len({each["kind"] for each in outcomes}) > 4
