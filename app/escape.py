"""Escapes names and texts from media, so that nothing in them acts as markup."""

from __future__ import annotations

import re

from pesearch import formatting

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&])")


def escape_markdown(text: str) -> str:
    """The `printable` text with every special character of Streamlit's Markdown escaped."""
    return _MARKUP.sub(r"\\\1", printable(text))


def printable(text: str) -> str:
    """The text with each control character and undecodable byte replaced by U+FFFD; its length stays the same."""
    return formatting.printable(text, "\N{REPLACEMENT CHARACTER}")
