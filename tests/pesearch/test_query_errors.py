"""A mistake in a query as the user sees it: one line, and a caret under the place."""

import pickle

import pytest

from pesearch.errors import QuerySyntaxError


@pytest.mark.parametrize(
    ("text", "column", "line"),
    [
        ("siren AND", 9, "at the end: expected a bell"),
        ("siren AND OR train", 10, "at 'OR' (character 11): expected a bell"),
        ("a \x1b[31m", 2, "at '?[31m' (character 3): expected a bell"),
    ],
)
def test_the_line_names_the_place_and_what_was_expected(text: str, column: int, line: str) -> None:
    assert str(QuerySyntaxError(text, column, "a bell")) == line


@pytest.mark.parametrize(
    ("text", "mistake", "shown"),
    [
        ("siren AND OR", "OR", ("siren AND OR", "          ^")),
        ("日本語 OR", "OR", ("日本語 OR", "       ^")),  # two cells each
        ("ｆｕｌｌ OR", "OR", ("ｆｕｌｌ OR", "         ^")),
        ("cafe\u0301 OR", "OR", ("cafe\u0301 OR", "     ^")),  # a mark has no cell of its own
        ("\u1112\u1161\u11ab OR", "OR", ("\u1112\u1161\u11ab OR", "   ^")),  # three letters, one syllable
        ("🐶 OR", "OR", ("🐶 OR", "   ^")),
        ("a\tb\nOR", "OR", ("a b OR", "    ^")),
        ("\u202eab\u200b OR", "OR", ("?ab? OR", "     ^")),  # what would turn the line around, or cannot be seen
        ("a" * 100 + "!" + "b" * 100, "!", ("..." + "a" * 36 + "!" + "b" * 35 + "...", " " * 39 + "^")),
        ("", "", ("", "^")),
    ],
)
def test_the_caret_stands_under_the_mistake(text: str, mistake: str, shown: tuple[str, str]) -> None:
    assert QuerySyntaxError(text, text.index(mistake), "a bell").caret_lines() == shown


def test_it_passes_between_processes() -> None:
    error = pickle.loads(pickle.dumps(QuerySyntaxError("siren AND", 9, "a bell")))  # noqa: S301  # our own bytes
    assert (error.text, error.column, error.expected) == ("siren AND", 9, "a bell")
