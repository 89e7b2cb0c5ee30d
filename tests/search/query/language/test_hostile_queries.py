"""Five hundred hostile texts: each is parsed, or is a syntax error with a column, and neither takes long."""

from __future__ import annotations

import re

import pytest

from pesearch.errors import QuerySyntaxError
from pesearch.search.query.language.parser import parse

PAYLOADS = {
    "nothing": "",
    "space": " ",
    "spaces of all kinds": "\u00a0\u2003\u3000\t\r\n\x0b\x1c\u2028",
    "NUL": "a\x00b",
    "control": "\x1b[31mred\x07\x08",
    "lone surrogate": "\ud800",
    "undecodable byte": "caf\udce9",
    "right to left": "\u202esiren\u202c \u05e9\u05dc\u05d5\u05dd",
    "zero width": "si\u200bren\ufeff\u2060",
    "marks on marks": "z\u0351\u036b\u0343\u036a\u0302\u036f" * 20,
    "family": "👨\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 🇩🇪",
    "beyond the first plane": "𝔖𝔦𝔯𝔢𝔫 𠜎",
    "Chinese": "警笛和火车",
    "Thai": "เสียงไซเรน",
    "full width": "（ＡＮＤ） ＂ｘ＂ －ｙ",
    "noncharacter": "\uffff\U0010ffff",
    "SQL": "'; DROP TABLE moments; --",
    "SQL comment": "/* */ UNION SELECT * FROM x WHERE 1=1 OR 'a'='a'",
    "shell": "$(rm -rf ~) `id` | cat /etc/passwd && echo > /dev/null",
    "format": "%s%n{0.__class__}${jndi:ldap://x}",
    "markup": "<script>alert('x')</script> [bold]red[/bold]",
    "regex": "(a+)+$ [[:alpha:]] ^.*(?=x){1,99999}",
    "path": "../../../../etc/passwd ~root/x //host/share C:\\clip.wav",
    "address": "https://example.org/a.mp4?x=1&y=2 file:///x/y.wav",
    "JSON": '{"a": ["b", null, 1e999]}',
    "unclosed quote": '"mind the gap',
    "unclosed curly": "“mind the „gap",
    "quotes": '"""" "" "',
    "backslashes": "\\" * 99,
    "escaped end": 'a \\"',
    "operators": "AND OR NOT THEN WITHIN",
    "operators in a row": "NOT NOT NOT NOT a",
    "prefixes": "heard:seen:said:text:file:2:3:x",
    "weights": "99999999999999999999.9:x 0.00000000000000000001:y 1e9:z ٣:w",
    "colons": ":::: a::b ::1 x: :y",
    "hyphens": "- -- --- -a -- --b a- -(-(-c))",
    "times": "1:2:3:4 9999999999999999999999h ٣s -5s NaN inf 0x10",
    "long time": "9" * 5000 + "h",
    "stretches": "a.wav@- a.wav@1-1 a.wav@9999999h-2 a.wav@1--2 a.wav@@1-2",
    "parentheses": ")(",
    "open": "(" * 1000,
    "closed": ")" * 1000,
    "nested": "(" * 1000 + "a" + ")" * 1000,
    "nested with operators": "(a OR " * 1000 + "b" + ")" * 1000,
    "nested weights": "1:(" * 1000 + "a" + ")" * 1000,
    "many terms": "a OR " * 4_000 + "b",
    "many quotes": '"a" ' * 4_000,
    "many files": "a.wav " * 3_000,
    "many exclusions": "-a " * 6_000,
    "hundred thousand letters": "a" * 100_000,
    "hundred thousand digits": "1" * 100_000,
    "thousands of words": "a " * 10_000,
    "half parentheses": "a( " * 6_000,
    "escaped spaces": "\\ " * 10_000,
}
TEMPLATES = ("{}", "siren AND {}", "({} OR x", "heard:{}", "siren -{} x", '"{}" THEN b', "./{}.wav night", "2:{} AND b",
             'file:"{}"@1-2', "a WITHIN {} b")  # fmt: skip

TOKEN_NAMES = re.compile(r"[A-Z]{2,}|\$END|Token|UnexpectedT")


def test_there_are_500_hostile_texts() -> None:
    texts = {template.replace("{}", text) for template in TEMPLATES for text in PAYLOADS.values()}
    assert len(texts) >= 500


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_hostile_text_is_parsed_or_is_a_syntax_error_with_a_column(name: str) -> None:
    for template in TEMPLATES:
        text = template.replace("{}", PAYLOADS[name])
        try:
            tree = parse(text)
        except QuerySyntaxError as error:
            shown, caret = error.caret_lines()
            assert 0 <= error.column <= len(text), template
            assert set(TOKEN_NAMES.findall(error.expected)) <= {"AND", "OR", "NOT", "THEN", "WITHIN", "UTF"}, template
            assert all(line.isprintable() for line in (shown, caret, str(error))), template
            assert len(shown) <= 80, template
            assert caret.strip() == "^", template
            (str(error) + shown + caret).encode()  # a terminal can show it
        else:
            assert parse(str(tree)) == tree, template
