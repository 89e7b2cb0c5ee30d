"""Content fingerprints."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.errors import MediaError
from pesearch.media.fingerprint import fingerprint

_MIB = 1 << 20


@given(st.binary(min_size=1, max_size=2000), st.binary(min_size=1, max_size=2000))
def test_equal_exactly_when_small_contents_are_equal(
    tmp_path_factory: pytest.TempPathFactory, one: bytes, other: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "one.mp4").write_bytes(one)
    (folder / "other").write_bytes(other)
    assert (fingerprint(folder / "one.mp4") == fingerprint(folder / "other")) == (one == other)


@pytest.mark.parametrize("at", [0, 1 * _MIB, 3 * _MIB - 1, 5 * _MIB - 1])
def test_changes_in_head_middle_and_tail_are_detected(tmp_path: Path, at: int) -> None:
    content = bytearray(5 * _MIB)
    path = tmp_path / "large"
    path.write_bytes(content)
    before = fingerprint(path)
    if at == 1 * _MIB:  # between head and middle: undetected, as documented
        content[at] = 1
        path.write_bytes(content)
        assert fingerprint(path) == before
    else:
        content[at if at != 3 * _MIB - 1 else 2 * _MIB + _MIB // 2] = 1
        path.write_bytes(content)
        assert fingerprint(path) != before


def test_files_of_different_size_differ(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(bytes(6 * _MIB))
    other.write_bytes(bytes(6 * _MIB + 1))
    assert fingerprint(one) != fingerprint(other)


def test_empty_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name, reason in (("empty", "empty"), ("gone", "no such file")):
        with pytest.raises(MediaError, match=reason):
            fingerprint(tmp_path / name)
