"""The garbage collector stands still inside, and is afterwards as it was before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from pesearch.gc_pause import pause_collection


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The collector is on after each test, whatever happened."""
    yield
    gc.enable()


def test_no_garbage_is_collected_inside() -> None:
    with pause_collection():
        assert not gc.isenabled()
        with pause_collection():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_ends_the_pause() -> None:
    with pytest.raises(ImportError), pause_collection():
        raise ImportError
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    with pause_collection():
        pass
    assert not gc.isenabled()
