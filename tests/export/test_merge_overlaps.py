"""Moments of a file that overlap once padded become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.export.clip_selection import Selection, merge_overlaps
from pesearch.types import Event
from tests.export.hostile import film, still


def test_moments_that_overlap_once_padded_are_merged() -> None:
    first, second, other = film(2, 4), replace(film(5, 6), label="bell", score=0.95), film(2, 4, name="other.mp4")
    chosen = [first.padded(1), other.padded(1), second.padded(1), film(20, 21).padded(1)]
    merged = merge_overlaps(chosen)
    assert [(each.path.name, each.start_seconds, each.end_seconds) for each in merged] == [
        ("film.mp4", 1, 7), ("other.mp4", 1, 5), ("film.mp4", 19, 22),
    ]  # fmt: skip
    assert (merged[0].label, merged[0].score) == ("siren, bell", 0.95)
    bridge = film(4, 19).padded(1)
    assert len(merge_overlaps([*chosen, bridge])) == 2


def merge_one_by_one(selections: Sequence[Selection]) -> list[tuple[int, float, float]]:
    """First rank, start and end of what is left, by comparing each with all others."""
    merged: list[tuple[int, float, float]] = []
    for rank, selection in enumerate(selections):
        start, end = selection.interval_seconds
        overlapping = [
            each
            for each in merged
            if selections[each[0]].path == selection.path
            and not selection.is_still
            and each[1] < end
            and start < each[2]
        ]
        joined = [*overlapping, (rank, start, end)]
        merged = [each for each in merged if each not in overlapping]
        merged.append((min(one[0] for one in joined), min(one[1] for one in joined), max(one[2] for one in joined)))
    return sorted(merged)


MOMENTS = st.lists(
    st.one_of(
        st.builds(
            lambda start, length, name: film(start, start + length, name=name),
            st.integers(0, 50),
            st.integers(1, 6),
            st.sampled_from(["film.mp4", "other.mp4"]),
        ),
        st.builds(still),
    ),
    max_size=14,
)


@given(MOMENTS)
def test_merged_moments_are_those_of_comparing_each_with_all(chosen: list[Selection]) -> None:
    named = [replace(each, label=str(rank), score=rank / 100) for rank, each in enumerate(chosen)]
    merged = merge_overlaps(named)
    expected = merge_one_by_one(named)
    assert [(int(each.label.split(", ")[0]), *each.interval_seconds) for each in merged] == expected
    labels = [each.label.split(", ") for each in merged]
    assert sorted(label for group in labels for label in group) == sorted(each.label for each in named)
    assert all(group == sorted(group, key=int) for group in labels)
    assert [each.score for each in merged] == [max(map(int, group)) / 100 for group in labels]


def test_a_merged_moment_has_the_distinct_labels_and_sounds_of_all() -> None:
    bell, horn = Event("bell", 5.0, 6.0, 0.8), Event("horn", 2.0, 3.0, 0.8)
    chosen = [replace(film(start, start + 3), events=(horn, bell)) for start in (4, 2)]
    chosen.insert(1, replace(film(3, 5), label="train", events=(bell,)))
    (merged,) = merge_overlaps(chosen)
    assert merged.label == "siren, train"
    assert merged.events == (horn, bell)


def test_merging_reads_each_interval_a_fixed_number_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [film(start, start + 1, seconds=10_000.0) for start in range(0, 2000, 2)]
    original, reads = Selection.interval_seconds.fget, count()
    assert original is not None

    def interval_seconds(selection: Selection) -> tuple[float, float]:
        next(reads)
        return original(selection)

    monkeypatch.setattr(Selection, "interval_seconds", property(interval_seconds))
    assert merge_overlaps(chosen) == chosen
    assert next(reads) <= 4 * len(chosen)
