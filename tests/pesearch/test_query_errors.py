"""Messages of query syntax errors: one line, and a caret under the mistake."""

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
def test_the_message_has_position_and_expectation(text: str, column: int, line: str) -> None:
    assert str(QuerySyntaxError(text, column, "a bell")) == line


@pytest.mark.parametrize(
    ("text", "mistake", "shown"),
    [
        ("siren AND OR", "OR", ("siren AND OR", "          ^")),
        ("日本語 OR", "OR", ("日本語 OR", "       ^")),  # two columns each
        ("ｆｕｌｌ OR", "OR", ("ｆｕｌｌ OR", "         ^")),
        ("cafe\u0301 OR", "OR", ("cafe\u0301 OR", "     ^")),  # a combining mark has no column
        ("\u1112\u1161\u11ab OR", "OR", ("\u1112\u1161\u11ab OR", "   ^")),  # three letters, one syllable
        ("🐶 OR", "OR", ("🐶 OR", "   ^")),
        ("a\tb\nOR", "OR", ("a b OR", "    ^")),
        ("\u202eab\u200b OR", "OR", ("?ab? OR", "     ^")),  # direction marks and invisible characters
        ("a" * 100 + "!" + "b" * 100, "!", ("..." + "a" * 36 + "!" + "b" * 35 + "...", " " * 39 + "^")),
        ("", "", ("", "^")),
    ],
)
def test_the_caret_is_under_the_mistake(text: str, mistake: str, shown: tuple[str, str]) -> None:
    assert QuerySyntaxError(text, text.index(mistake), "a bell").caret_lines() == shown


def test_errors_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(QuerySyntaxError("siren AND", 9, "a bell")))  # noqa: S301  # our own bytes
    assert (error.text, error.column, error.expected) == ("siren AND", 9, "a bell")
