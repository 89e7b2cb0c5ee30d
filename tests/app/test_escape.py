"""Text from media is never markup."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pesearch.app.escape import escape_markdown, printable


def test_markdown_and_control_characters_are_escaped() -> None:
    assert escape_markdown("<b>[x](y) $a$ :smile: `c`</b>") == r"\<b\>\[x\]\(y\) \$a\$ \:smile\: \`c\`\</b\>"
    assert escape_markdown("a\nb\x1b") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"


@settings(max_examples=30)
@given(st.text())
def test_printable_text_keeps_its_length_and_can_be_encoded(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert shown.isprintable()
    shown.encode()
