"""The calibration file of a library: kept, replaced, removed, and refused when it is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from pesearch.errors import LibraryDamaged
from pesearch.matching import LogOdds, Recalibration
from pesearch.store.recalibration import CALIBRATION_FILE, read_recalibration, write_recalibration

STORED = Recalibration("queries.json: 40 judged scores", LogOdds(0.8, -1.25), LogOdds(1.5, 0.5))


def test_what_was_stored_is_read_until_it_is_removed(tmp_path: Path) -> None:
    assert read_recalibration(tmp_path) is None
    for stored in (STORED, Recalibration("other", LogOdds(2.0, 0.0))):
        write_recalibration(tmp_path, stored)
        assert read_recalibration(tmp_path) == stored
    for _ in range(2):
        write_recalibration(tmp_path, None)
        assert read_recalibration(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"names": 3}', b'{"names": {"slop": 1}, "sentences": {}, "measured_on": "x"}',
                b"\xff\xfe"],
)  # fmt: skip
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CALIBRATION_FILE).write_bytes(content)
    with pytest.raises(LibraryDamaged, match=CALIBRATION_FILE):
        read_recalibration(tmp_path)
