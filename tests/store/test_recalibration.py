"""The calibration file of a library: kept, replaced, removed, and refused when it is damaged."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pesearch.errors import LibraryDamaged
from pesearch.matching import LogOdds, Recalibration
from pesearch.store.recalibration import CALIBRATION_FILE, read_recalibration, write_recalibration

STORED = Recalibration("queries.json: 40 judged scores", LogOdds(0.8, -1.25), LogOdds(1.5, 0.5))


def without_checksum(content: str) -> str:
    """As older programs wrote it."""
    return re.sub(r',\s*"crc32": "[0-9a-f]{8}"', "", content)


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
                b"\xff\xfe", b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CALIBRATION_FILE).write_bytes(content)
    with pytest.raises(LibraryDamaged, match=CALIBRATION_FILE):
        read_recalibration(tmp_path)


@pytest.mark.parametrize("slope", ["0", "-1", "NaN", "Infinity", "1e308", "null", '"a"', "9" * 400])
@pytest.mark.parametrize("name", ["slope", "offset"])
def test_numbers_that_no_fit_gives_are_refused(tmp_path: Path, name: str, slope: str) -> None:
    if (name, slope) in (("offset", "0"), ("offset", "-1")):
        return
    write_recalibration(tmp_path, STORED)
    path = tmp_path / CALIBRATION_FILE
    known = "0.8" if name == "slope" else "-1.25"
    path.write_text(without_checksum(path.read_text()).replace(f'"{name}": {known}', f'"{name}": {slope}', 1))
    with pytest.raises(LibraryDamaged, match=CALIBRATION_FILE):
        read_recalibration(tmp_path)


def test_many_processes_may_write_at_once(tmp_path: Path) -> None:
    def write(number: int) -> None:
        for _ in range(20):
            write_recalibration(tmp_path, Recalibration(str(number), LogOdds(1.0 + number, 0.0)))
            assert read_recalibration(tmp_path) is not None

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    assert [path.name for path in tmp_path.iterdir()] == [CALIBRATION_FILE]


def test_a_changed_digit_is_damage_but_a_file_without_a_checksum_is_read(tmp_path: Path) -> None:
    write_recalibration(tmp_path, STORED)
    path = tmp_path / CALIBRATION_FILE
    changed = path.read_text().replace("0.8", "0.9")
    path.write_text(changed)
    with pytest.raises(LibraryDamaged, match="pesearch calibrate"):
        read_recalibration(tmp_path)
    path.write_text(without_checksum(changed))
    found = read_recalibration(tmp_path)
    assert found is not None and found.names == LogOdds(0.9, -1.25)
