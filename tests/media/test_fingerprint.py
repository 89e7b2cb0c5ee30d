"""Content fingerprints."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.errors import MediaError
from pesearch.media.fingerprint import (
    fingerprint,
    has_fingerprint,
    same_content,
    sampled_fingerprint,
    whole_fingerprint,
)

_MIB = 1 << 20


@given(st.binary(min_size=1, max_size=2000), st.binary(min_size=1, max_size=2000))
def test_equal_exactly_when_small_contents_are_equal(
    tmp_path_factory: pytest.TempPathFactory, one: bytes, other: bytes
) -> None:
    first, second = (tmp_path_factory.getbasetemp() / name for name in ("one.mp4", "other"))
    first.write_bytes(one)
    second.write_bytes(other)
    assert (fingerprint(first) == fingerprint(second)) == same_content(first, second) == (one == other)
    assert fingerprint(first).is_whole


def written(path: Path, head: bytes, middle: bytes = b"", at: int | None = None) -> Path:
    """A file of 5 MiB: zeros after `head`, `middle` from its second MiB on, and one other byte `at` a place."""
    content = bytearray(head.ljust(5 * _MIB, b"\0"))
    content[2 * _MIB : 2 * _MIB + len(middle)] = middle
    if at is not None:
        content[at] ^= 1
    path.write_bytes(content)
    return path


NOISE = random.Random(0).randbytes(_MIB)


@pytest.mark.parametrize(
    ("head", "middle", "is_whole"),
    [
        (b"\0\0\0\x18ftypmp42", NOISE, False),
        (b"\x1aE\xdf\xa3", NOISE, False),
        (b"\0\0\0\x18ftypmp42", b"", True),  # black or silence at its half
        (b"RIFF\0\0\0\0WAVEfmt ", NOISE, True),
        (b"RIFF\0\0\0\0AVI LIST", NOISE, False),
        (b"FORM\0\0\0\0AIFFCOMM", NOISE, True),
        (b"II*\0", NOISE, True),
        (b"BM", NOISE, True),
    ],
)
def test_what_may_differ_in_a_few_bytes_is_read_whole(
    tmp_path: Path, head: bytes, middle: bytes, is_whole: bool
) -> None:
    one = written(tmp_path / "one", head, middle)
    found = fingerprint(one)
    assert found.is_whole == is_whole
    assert found.digest == (whole_fingerprint if is_whole else sampled_fingerprint)(one)
    for at, is_sampled in ((100, True), (_MIB, False), (2 * _MIB + _MIB // 2, True), (4 * _MIB - 1, False), (-1, True)):
        other = written(tmp_path / "other", head, middle, at)
        assert all(has_fingerprint(one, digest) for digest in (found.digest, whole_fingerprint(one)))
        assert not has_fingerprint(other, whole_fingerprint(one))
        assert (fingerprint(other).digest != found.digest) == (is_whole or is_sampled), at
        assert whole_fingerprint(other) != whole_fingerprint(one)
        assert not same_content(one, other)


def test_stems_of_one_length_have_different_fingerprints(tmp_path: Path) -> None:
    """Digital silence but for half a second of each, at different places: a session of 60 tracks."""
    found = set()
    for track in range(60):
        path = tmp_path / f"{track}.wav"
        with path.open("wb") as file:  # with holes, which cost no room
            file.write(b"RIFF\0\0\0\0WAVEfmt ")
            file.seek(1_100_000 + 7000 * track)
            file.write(NOISE[:44_100])
            file.truncate(4 * _MIB)
        found.add(fingerprint(path).digest)
    assert len(found) == 60


def test_files_of_different_size_differ(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(bytes(6 * _MIB))
    other.write_bytes(bytes(6 * _MIB + 1))
    assert fingerprint(one) != fingerprint(other)
    assert not same_content(one, other)


def test_empty_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name, reason in (("empty", "empty"), ("gone", "no such file")):
        with pytest.raises(MediaError, match=reason):
            fingerprint(tmp_path / name)
