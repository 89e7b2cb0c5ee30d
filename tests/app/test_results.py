"""The data of the list of moments, without a browser."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pesearch.app import results
from pesearch.search.result import CONFIDENT


@pytest.mark.parametrize(
    ("parameter", "threshold"),
    [
        ("0", 0.0), ("0.35", 0.35), ("1", 1.0),
        ("much", CONFIDENT), ("nan", CONFIDENT), ("-1", CONFIDENT), ("7", CONFIDENT), ("", CONFIDENT),
    ],
)  # fmt: skip
def test_the_threshold_comes_from_the_url_when_it_is_valid(
    parameter: str, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "st", SimpleNamespace(query_params={"level": parameter}))
    assert results._threshold() == threshold


def test_without_the_parameter_the_threshold_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "st", SimpleNamespace(query_params={}))
    assert results._threshold() == CONFIDENT
