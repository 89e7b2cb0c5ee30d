"""Checksums and parity of rows: what is restored, what is lost, and what is plausible without them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.store.shards.parity import PARITY_ROWS, RowGuard, are_plausible, restore

DIM = 6
ROWS = 11


@pytest.fixture
def columns() -> list[np.ndarray]:
    """Times and vectors, as in a shard of vectors."""
    return made_columns(ROWS)


def made_columns(rows: int) -> list[np.ndarray]:
    random = np.random.default_rng(rows)
    starts = np.arange(rows, dtype=np.float64)
    return [starts, starts + 1, random.standard_normal((rows, DIM)).astype(np.float16)]


def copied(columns: list[np.ndarray]) -> list[np.ndarray]:
    return [column.copy() for column in columns]


def flip(columns: list[np.ndarray], row: int, bit: int) -> None:
    """Flip a bit of the start, the end or the vector of a row."""
    column, at = (0, bit) if bit < 64 else (1, bit - 64) if bit < 128 else (2, bit - 128)
    columns[column][row : row + 1].view(np.uint8).reshape(-1)[at // 8] ^= 1 << at % 8


def equal(found: object, expected: list[np.ndarray]) -> bool:
    return all((a.view(np.uint8) == b.view(np.uint8)).all() for a, b in zip(found, expected, strict=True))  # type: ignore[call-overload]


@given(rows=st.integers(1, 9), data=st.data())
def test_one_damaged_row_of_each_parity_group_is_restored(rows: int, data: st.DataObject) -> None:
    written = made_columns(rows)
    guard, read = RowGuard.from_metadata(RowGuard.of(written).to_metadata(), rows), copied(written)
    damaged = data.draw(st.sets(st.integers(0, rows - 1), max_size=PARITY_ROWS).filter(
        lambda each: len({row % PARITY_ROWS for row in each}) == len(each)))  # fmt: skip
    for row in damaged:
        flip(read, row, data.draw(st.integers(0, 128 + 16 * DIM - 1)))
    found = restore(read, guard)
    assert equal(found.columns, written)
    assert (found.restored.tolist(), found.lost.tolist()) == (sorted(damaged), [])


@pytest.mark.parametrize("value", [np.nan, np.inf, 65504.0])
def test_two_damaged_rows_of_a_group_are_lost_and_the_others_kept(columns: list[np.ndarray], value: float) -> None:
    guard, read = RowGuard.of(columns), copied(columns)
    for row in (1, 1 + PARITY_ROWS, 2):
        read[2][row, 3] = value
    found = restore(read, guard)
    assert (found.restored.tolist(), found.lost.tolist()) == ([2], [1, 1 + PARITY_ROWS])
    others = np.setdiff1d(np.arange(ROWS), found.lost)
    assert equal([column[others] for column in found.columns], [column[others] for column in columns])


def test_a_lost_sector_of_adjacent_rows_is_restored(columns: list[np.ndarray]) -> None:
    guard, read = RowGuard.of(columns), copied(columns)
    read[2][3 : 3 + PARITY_ROWS] = 0
    assert equal(restore(read, guard).columns, columns)


def test_a_row_with_a_damaged_checksum_is_kept(columns: list[np.ndarray]) -> None:
    guard = RowGuard.of(columns)
    guard.rows[5] ^= 8
    found = restore(columns, guard)
    assert equal(found.columns, columns)
    assert (found.restored.tolist(), found.lost.tolist()) == ([5], [])


def test_damaged_parity_restores_nothing_wrong(columns: list[np.ndarray]) -> None:
    guard, read = RowGuard.of(columns), copied(columns)
    guard.parity[5 % PARITY_ROWS, 20] ^= 1
    flip(read, 5, 200)
    assert restore(read, guard).lost.tolist() == [5]


def test_any_flipped_bit_is_found_in_its_row(columns: list[np.ndarray]) -> None:
    guard = RowGuard.of(columns)
    for bit in range(128 + 16 * DIM):
        read = copied(columns)
        flip(read, 4, bit)
        assert guard.damaged_rows(read).tolist() == [4]


def test_times_are_checked_without_the_vectors(columns: list[np.ndarray]) -> None:
    guard, read = RowGuard.of(columns), copied(columns)
    flip(read, 4, 200)
    assert guard.fits_scalars(read)
    flip(read, 4, 70)
    assert not guard.fits_scalars(read)


@pytest.mark.parametrize("metadata", [None, {}, {b"row_crc32": b"12345678"}, {b"row_parity": b"1234"}])
def test_shards_of_older_programs_have_no_guard(metadata: dict[bytes, bytes] | None) -> None:
    assert RowGuard.from_metadata(metadata, 2) is None


def test_rows_without_checksums_are_plausible_if_they_are_finite_and_like_the_others() -> None:
    values = np.full((9, 4), 0.057, np.float16)
    values[1, 2], values[3, 0], values[5, 1] = np.nan, -np.inf, values[5, 1].view(np.uint16).__xor__(1 << 14).view("f2")
    values[7] = 0.0
    assert np.flatnonzero(~are_plausible(values)).tolist() == [1, 3, 5]
    assert restore([values], None).lost.tolist() == [1, 3, 5]
