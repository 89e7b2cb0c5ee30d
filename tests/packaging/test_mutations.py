"""The deliberate faults that `python -m tests.mutate` tries still fit the code and the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import mutate

MUTATIONS = list(mutate.mutations())


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.name)
def test_it_applies_and_its_tests_exist(mutation: mutate.Mutation) -> None:
    assert (mutate.ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.before) == 1
    assert mutation.before != mutation.after
    assert mutation.tests
    assert all((mutate.ROOT / test.partition("::")[0]).exists() for test in mutation.tests)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "room.py").write_text("LIMIT = 3\n\n\ndef over(count):\n    return count > LIMIT\n")
    (tmp_path / "test_room.py").write_text("from room import over\n\n\ndef test_over():\n    assert over(4)\n")
    (tmp_path / "test_blind.py").write_text("import room\n\n\ndef test_nothing():\n    assert room\n")
    return tmp_path


def test_a_fault_is_killed_by_a_test_that_sees_it_and_survives_one_that_does_not(tree: Path) -> None:
    seen = mutate.Mutation("limit", "room.py", "LIMIT = 3", "LIMIT = 4", ("test_room.py",))
    blind = mutate.Mutation("limit", "room.py", "LIMIT = 3", "LIMIT = 4", ("test_blind.py",))
    gone = mutate.Mutation("limit", "room.py", "LIMIT = 9", "LIMIT = 4", ("test_room.py",))
    assert [mutate.report(each, tree) for each in (seen, blind, gone)] == ["killed", "SURVIVED", "does not apply"]
    assert (tree / "room.py").read_text().startswith("LIMIT = 3\n")
