"""Names and words on the page are text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pesearch.app.escape import printable, safe


def test_names_are_never_markup() -> None:
    assert safe("<b>[x](y) $a$ :smile: `c`</b>") == r"\<b\>\[x\]\(y\) \$a\$ \:smile\: \`c\`\</b\>"
    assert safe("a\nb\x1b") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"


@given(st.text())
def test_what_is_printable_stays_as_long_and_can_be_written(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert shown.isprintable()
    shown.encode()
