"""The lint of prose finds what it looks for, in every place where it could stand."""

from __future__ import annotations

import pytest

from tests.prose import habits_in, prose_of


@pytest.mark.parametrize(
    "source",
    [
        '"""Files on a drive that is away."""',
        "x = 1  # the user is told of it",
        "message = 'the list is\\\\n made anew'",
        'message = f"{x} is as ever"',
        "def test_what_is_away(): ...",
    ],
)
def test_habits_are_found_in_docstrings_comments_messages_and_names(source: str) -> None:
    assert [words for _, text in prose_of(source) for _, words, _ in habits_in(text)]


def test_the_place_is_the_line_in_the_text() -> None:
    assert [(line, words) for line, words, _ in habits_in("one\ntwo\nis away")] == [(2, "away")]


def test_a_habit_may_run_over_the_end_of_a_line() -> None:
    assert [words for _, words, _ in habits_in("the user is\n    told")] == ["is\n    told"]


def test_plain_english_passes() -> None:
    assert not list(habits_in("Files on a disconnected drive start right away when it is mounted again."))
