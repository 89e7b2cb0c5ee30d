"""Clicks of components: each is handled once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pesearch.app import components
from pesearch.app.components import Click, last_handled, new_clicks


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    state: dict[str, Any] = {}
    monkeypatch.setattr(components, "st", SimpleNamespace(session_state=state))
    return state


def click(number: int) -> dict[str, Any]:
    return {"number": number, "action": "tray", "file": 3, "start": 1.5, "end": 2.5}


def test_a_click_is_handled_once() -> None:
    assert new_clicks("results", []) == ()
    first, second = (Click(number, "tray", 3, 1.5, 2.5) for number in (10, 11))
    assert new_clicks("results", [click(10)]) == (first,)
    assert last_handled("results") == 10
    assert new_clicks("results", [click(10)]) == ()
    assert new_clicks("results", [click(10), click(11)]) == (second,)
    assert last_handled("results") == 11


def test_clicks_before_the_first_run_of_a_session_belong_to_the_session_before() -> None:
    assert new_clicks("results", [click(10)]) == ()
    assert last_handled("results") == 10


def test_components_have_clicks_of_their_own() -> None:
    new_clicks("results", [click(10)])
    assert last_handled("moment") == 0


def test_an_unknown_action_is_an_error() -> None:
    with pytest.raises(ValueError, match="action"):
        new_clicks("results", [click(10) | {"action": "delete"}])
