"""The query language: the tree of each form, round trips through text, and the column of every syntax error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pesearch.errors import QuerySyntaxError
from pesearch.search.query.language.nodes import And, Example, Literal, Node, Not, Or, Sense, Then, Together, Words
from pesearch.search.query.language.parser import MAX_DEPTH, MAX_QUERY_TERMS, parse
from tests.search.query.language.queries import TOKEN_TEXTS, TREES

SEEN, HEARD, SAID, TEXT = Sense.SEEN, Sense.HEARD, Sense.SAID, Sense.TEXT
A, B, C = Words("a"), Words("b"), Words("c")
CLIP, FRAME = Example(Path("clip.wav")), Example(Path("frame.jpg"))


@pytest.mark.parametrize(
    "text",
    [
        "siren and train",
        "rock and roll, then home",
        "it's 5 o'clock (noon)?",
        "the Band (1968) :-)",
        "a well-known face - at 2:30, 16:9",
        "warning: rain",
        "music:loud",
        '7" single of 12" records',
        "-5 degrees -- cold",
        "e.g. a dog/cat on/off and ... more",
        "me@home within 5s",
        "AC\\DC",
        "don’t",
        "猫が鳴く",
        "Android, ORDER, NOTE",
    ],
)
def test_plain_words(text: str) -> None:
    assert parse(text) == Words(text)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        # senses
        ("heard:siren", Words("siren", HEARD)),
        ("Heard: loud siren", Words("loud siren", HEARD)),
        ("heard:siren seen:train", And((Words("siren", HEARD), Words("train", SEEN)))),
        ("night heard:siren", And((Words("night"), Words("siren", HEARD)))),
        ("heard:(siren OR bell)", Or((Words("siren", HEARD), Words("bell", HEARD)))),
        ("heard:(siren OR seen:bell)", Or((Words("siren", HEARD), Words("bell", SEEN)))),
        # literal text
        ('"mind the gap"', Literal("mind the gap")),
        ("“mind  the gap”", Literal("mind the gap")),
        ("„Vorsicht an der Tür“", Literal("Vorsicht an der Tür")),
        ('said:"mind the gap"', Literal("mind the gap", SAID)),
        (r'text:"he said \"no\""', Literal('he said "no"', TEXT)),
        ('train "mind the gap"', And((Words("train"), Literal("mind the gap")))),
        # combined in time
        ("a AND b AND c", And((A, B, C))),
        ("a OR b THEN c", Or((A, Then((B, C))))),
        ("a THEN b AND c", Then((A, And((B, C))))),
        ("(a OR b) AND c", And((Or((A, B)), C))),
        ("(a AND b) AND c", And((A, B, C))),
        ("(a) OR (b OR c)", Or((A, B, C))),
        ("a NOT b", And((A, Not(B)))),
        ("a AND (NOT b AND NOT c)", And((A, Not(B), Not(C)))),
        ("a NOT (b OR c)", And((A, Not(Or((B, C)))))),
        # limits in time
        ("a WITHIN 5s b", And((A, B), 5.0)),
        ("a AND b WITHIN 1:30", And((A, B), 90.0)),
        ("a WITHIN 2.5 b", And((A, B), 2.5)),
        ("a WITHIN 5 seconds b", And((A, B), 5.0)),
        ("(a AND b) WITHIN 1h30m", And((A, B), 5400.0)),
        ("a THEN b WITHIN 5s", Then((A, B), 5.0)),
        ("a THEN (b AND c) WITHIN 5s", Then((A, And((B, C))), 5.0)),
        ("a THEN (b AND c WITHIN 5s)", Then((A, And((B, C), 5.0)))),
        ("a THEN b WITHIN 5s c", Then((A, And((B, C), 5.0)))),
        ("a THEN b WITHIN 5s THEN c WITHIN 9s", Then((Then((A, B), 5.0), C), 9.0)),
        ("(a THEN b) THEN c", Then((A, B, C))),
        ("(a AND b) AND c WITHIN 5s", And((And((A, B)), C), 5.0)),
        ("a WITHIN 5s NOT b", And((A, Not(B)), 5.0)),
        # exclusions: the hyphen takes one word, NOT all words that follow
        ("siren -dog barking", And((Words("siren"), Not(Words("dog")), Words("barking")))),
        ("siren NOT dog barking", And((Words("siren"), Not(Words("dog barking"))))),
        ('siren -"mind the gap"', And((Words("siren"), Not(Literal("mind the gap"))))),
        ("-heard:music siren", And((Not(Words("music", HEARD)), Words("siren")))),
        ("siren -(a OR b)", And((Words("siren"), Not(Or((A, B)))))),
        # weights
        ("2:siren 0.5:heard:rain", And((Words("siren", None, 2.0), Words("rain", HEARD, 0.5)))),
        ("heard:2:rain", Words("rain", HEARD, 2.0)),
        ('2:(a OR 3:"b")', Or((Words("a", None, 2.0), Literal("b", None, 6.0)))),
        # examples
        ("./clip.wav", CLIP),
        ("clip.wav", CLIP),
        ("/films/one", Example(Path("/films/one"))),
        ("~/clip.wav", Example(Path.home() / "clip.wav")),
        ("film.mp4@12.5-15", Example(Path("film.mp4"), 12.5, 15.0)),
        ("film.mp4@1:02-1:10", Example(Path("film.mp4"), 62.0, 70.0)),
        ("film.mp4@12-", Example(Path("film.mp4"), 12.0)),
        ("film.mp4@-12", Example(Path("film.mp4"), None, 12.0)),
        ("heard:film.mp4", Example(Path("film.mp4"), sense=HEARD)),
        ("2:clip.wav", Example(Path("clip.wav"), weight=2.0)),
        ('file:"./my clip.wav"', Example(Path("my clip.wav"))),
        ('file:"my clip.wav"@1-2', Example(Path("my clip.wav"), 1.0, 2.0)),
        (r"./my\ clip\(1\).wav", Example(Path("my clip(1).wav"))),
        ("clip(1).wav", Example(Path("clip(1).wav"))),
        ("file:notes", Example(Path("notes"))),
        ("siren -clip.wav", And((Words("siren"), Not(CLIP)))),
        # examples with words
        ("./frame.jpg at night", Together((FRAME, Words("at night")))),
        ("at night ./frame.jpg", Together((Words("at night"), FRAME))),
        ("clip.wav frame.jpg", Together((CLIP, FRAME))),
        ("./frame.jpg AND at night", And((FRAME, Words("at night")))),
        ("./frame.jpg heard:rain", And((FRAME, Words("rain", HEARD)))),
        ("heard:(clip.wav rain)", Together((Example(Path("clip.wav"), sense=HEARD), Words("rain", HEARD)))),
        # operators are upper case; a backslash escapes them
        ("SIREN AND TRAIN", And((Words("SIREN"), Words("TRAIN")))),
        (r"rock \AND roll \heard:loud \-x \(y\)", Words("rock AND roll heard:loud -x (y)")),
    ],
)
def test_the_tree_of_a_query(text: str, tree: Node) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("", 0, "something to look for"),
        ("siren AND", 9, "something to look for after AND"),
        ("siren AND OR train", 10, r"something to look for after AND (write \OR for the word itself)"),
        ("OR train", 0, r"something to look for (write \OR for the word itself)"),
        ("siren NOT", 9, "something to exclude after NOT"),
        ("-siren", 0, "something to look for besides what is excluded"),
        ("siren OR -train", 9, "something to look for besides what is excluded"),
        ("siren THEN NOT train", 11, "something to look for besides what is excluded"),
        ("siren NOT (NOT a)", 10, "something to look for besides what is excluded"),
        ("(siren AND train", 16, "a closing parenthesis for the one at character 1"),
        ("siren AND train) bell", 15, r"no closing parenthesis here: none is open (write \) for a literal one)"),
        ("siren AND ()", 11, "something to look for"),
        ('siren ""', 6, "words between the quotation marks"),
        ('siren "mind', 6, "a closing quotation mark for this one"),
        ("heard:", 6, "something to look for after heard:"),
        ("heard:seen:x", 6, "something to look for after heard:"),
        ("a herad:dog", 2, r"heard: (write herad\: for the word itself)"),
        ('music:"loud"', 0, "seen:, heard:, said:, text: or file: before a quotation mark"),
        ("said:clip.wav", 0, "seen: or heard: before an example"),
        ("a WITHIN 5 b WITHIN 6 c", 13, "parentheses around the part that the first WITHIN limits"),
        ("a AND b WITHIN 5 AND c", 17, "parentheses around the part that the first WITHIN limits"),
        ("a THEN b AND c WITHIN 5", 7, "parentheses: WITHIN could limit this AND or the whole THEN before it"),
        ("a WITHIN 5s", 2, "two terms joined by AND or THEN before WITHIN, or a second term after it"),
        ("(a OR b) WITHIN 5s", 9, "two terms joined by AND or THEN before WITHIN, or a second term after it"),
        ("a WITHIN 5apples b", 9, "a time such as 5s, 2m, 1h30m or 1:30"),
        ("a AND b WITHIN", 14, "a time such as 5s, 2m, 1h30m or 1:30"),
        ("a AND b WITHIN 999h", 15, "a time of at most 1000000 s"),
        ("film.mp4@15-12", 9, "an end that is later than the start"),
        ("film.mp4@soon", 9, "a time range such as 12.5-15 or 1:02-1:10"),
        ('x file:"" y', 2, "a file name"),
        ("0:a", 0, "a weight from 0.001 to 1000"),
        ("a 9:(999:b)", 2, "a weight from 0.001 to 1000"),
        ("-" + "(" * (MAX_DEPTH + 1), MAX_DEPTH + 1, f"at most {MAX_DEPTH} nested parentheses"),
        (
            "a OR " * MAX_QUERY_TERMS + "b",
            5 * MAX_QUERY_TERMS,
            f"at most {MAX_QUERY_TERMS} words, quotes and examples in a query",
        ),
    ],
)
def test_the_column_and_the_message_of_a_syntax_error(text: str, column: int, expected: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert (caught.value.text, caught.value.column, caught.value.expected) == (text, column, expected)


@given(TREES)
def test_trees_round_trip_through_text(tree: Node) -> None:
    assert parse(str(tree)) == tree


@given(st.text() | TOKEN_TEXTS)
@example("a AND \\")
@example("\\ ")
def test_any_text_is_a_tree_or_a_syntax_error(text: str) -> None:
    try:
        tree = parse(text)
    except QuerySyntaxError as error:
        assert error.text == text
        assert 0 <= error.column <= len(text)
        assert len(str(error).splitlines()) == 1
    else:
        assert parse(str(tree)) == tree
        assert str(parse(str(tree))) == str(tree)
