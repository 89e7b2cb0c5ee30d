"""File names and labels made safe for documents and new files: one line, valid Unicode, no reserved characters."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

MAX_REEL_CHARACTERS = 8
"""Length of a CMX3600 reel name."""

_RESERVED_REELS = {"AX", "BL", "NONE"}
"""Reserved reel names: auxiliary source and black."""

_MAX_STEM_BYTES = 160
"""File names are limited to 255 bytes: this leaves room for times, a number and a suffix."""

_JOINERS = "\u200c\u200d"
"""Zero-width joiners are not printable, but they are part of Persian words and of emoji."""


def one_line(text: str) -> str:
    """The text on one line: unprintable characters become spaces, undecodable bytes U+FFFD. Idempotent."""
    return " ".join("".join(map(_printable, text)).split())


def _printable(char: str) -> str:
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"
    return char if char.isprintable() or char in _JOINERS else " "


def file_name(path: Path) -> str:
    """The file's name for display; "unnamed" if nothing of it is printable."""
    return one_line(path.name) or "unnamed"


def file_url(path: Path) -> str:
    """A `file:///` URL in ASCII, all other bytes percent-encoded."""
    return path.absolute().as_uri()


def safe_stem(path: Path) -> str:
    """The stem without the characters that some file systems refuse; never empty, at most 160 bytes."""
    stem = re.sub(r'[\ufffd\\/:*?"<>|]', "_", one_line(path.stem)).strip(". ") or "clip"
    while len(os.fsencode(stem)) > _MAX_STEM_BYTES:
        stem = stem[:-1]
    return stem


def reel_names(paths: Iterable[Path]) -> dict[Path, str]:
    """A unique reel name for each file: up to 8 capital letters and digits from its name."""
    names: dict[Path, str] = {}
    taken = set(_RESERVED_REELS)
    for path in dict.fromkeys(paths):
        wanted = re.sub(r"[^A-Z0-9]", "", path.stem.upper())[:MAX_REEL_CHARACTERS] or "CLIP"
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted[: MAX_REEL_CHARACTERS - len(str(number))]}{number}"
        taken.add(name)
        names[path] = name
    return names
