"""Names and words on the page are shown as text: nothing in them is taken as markup."""

from __future__ import annotations

import re

from pesearch import formatting

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")


def safe(text: str) -> str:
    """The text with every sign of Markdown escaped and every control character replaced."""
    return _MARKUP.sub(r"\\\1", printable(text))


def printable(text: str) -> str:
    """The text with every control character and undecodable byte replaced."""
    return formatting.printable(text, "\N{REPLACEMENT CHARACTER}")
