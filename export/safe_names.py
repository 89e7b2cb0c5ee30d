"""Names and texts as the forms of export can hold them: one line, valid Unicode, safe as part of a file's name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

REEL_CHARACTERS = 8
"""What CMX3600 has room for."""

_TAKEN_REELS = {"AX", "BL", "NONE"}
"""They say auxiliary source and black in an EDL."""

_LONGEST_STEM_BYTES = 160
"""File systems take 255 bytes: there must be room for times, a number and an ending."""


_JOINERS = "\u200c\u200d"
"""They are part of words (Persian) and of emoji."""


def one_line(text: str) -> str:
    """On one line, of characters that every form can hold: others become spaces, lone bytes the replacement mark."""
    return " ".join("".join(map(_plain, text)).split())


def _plain(char: str) -> str:
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"
    return char if char.isprintable() or char in _JOINERS else " "


def file_name(path: Path) -> str:
    """The name of a file, for people."""
    return one_line(path.name) or "unnamed"


def file_url(path: Path) -> str:
    """`file:///...`, its bytes percent-encoded: ASCII whatever the name is."""
    return path.absolute().as_uri()


def safe_stem(path: Path) -> str:
    """The beginning of a new file's name, from that of another: without what some file system refuses."""
    stem = re.sub(r'[\ufffd\\/:*?"<>|]', "_", one_line(path.stem)).strip(". ") or "clip"
    while len(os.fsencode(stem)) > _LONGEST_STEM_BYTES:
        stem = stem[:-1]
    return stem


def reels(paths: Iterable[Path]) -> dict[Path, str]:
    """A reel name for each file: capital letters and digits from its name, at most 8, no two the same."""
    names: dict[Path, str] = {}
    taken = set(_TAKEN_REELS)
    for path in dict.fromkeys(paths):
        wanted = re.sub(r"[^A-Z0-9]", "", path.stem.upper())[:REEL_CHARACTERS] or "CLIP"
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted[: REEL_CHARACTERS - len(str(number))]}{number}"
        taken.add(name)
        names[path] = name
    return names
