"""A short run of each fuzzer, always of the same inputs. `python -m tests.fuzz` searches on."""

from __future__ import annotations

import pytest

from tests.fuzz.fuzzer import fuzz, try_input
from tests.fuzz.targets import TARGETS, Target

INPUTS = {"judged": 150, "query": 250, "subtitles": 150, "export": 60}


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks_a_law(name: str) -> None:
    findings = [finding for finding in fuzz(name, 1, max_inputs=INPUTS.get(name, 400)) if finding is not None]
    assert not findings, findings[0]


def test_a_broken_law_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(data: bytes) -> None:
        assert b"\xff" not in data, "broken"

    monkeypatch.setitem(TARGETS, "query", Target(check, (b"abc",)))
    assert any(fuzz("query", 1, max_inputs=2000))
    assert try_input("query", b"abc") is None
