"""Exclusion rules of a crawl: hidden and system names, `.pesearchignore` files, the user's `--exclude` patterns.

Patterns have the syntax and precedence of gitignore: an ignore file deeper in the tree overrides those above it, the
last matching line of a file decides, and files below an excluded folder cannot be re-included.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import PesearchError
from pesearch.indexer.ignore_pattern import IgnorePattern, compile_line

IGNORE_FILE = ".pesearchignore"
"""Name of the ignore file that a folder may have."""

_MAX_FILE_BYTES = 1_000_000
"""A larger ignore file is refused: each of its lines is compared with each file."""

SYSTEM_NAMES = frozenset(
    {
        "$RECYCLE.BIN",
        "System Volume Information",
        "lost+found",
        "#recycle",
        "#snapshot",
        "@eaDir",
        "@Recycle",
        "@Recently-Snapshot",
        "__MACOSX",
        "node_modules",
    }
)
"""Folders of operating systems and tools: recycle bins, snapshots, thumbnails of network drives, packages."""


def is_hidden(name: str) -> bool:
    """Whether a crawl skips everything of this name; no pattern can re-include it."""
    return name.startswith(".") or name in SYSTEM_NAMES


@dataclass(frozen=True, slots=True)
class Patterns:
    """Compiled gitignore patterns, relative to the folder `base`."""

    base: Path
    lines: tuple[IgnorePattern, ...]

    def excludes(self, path: Path, is_folder: bool) -> bool | None:
        """True: excluded. False: re-included by a `!` line. None: no line matches."""
        if path == self.base or not path.is_relative_to(self.base):
            return None
        relative = path.relative_to(self.base).as_posix()
        return next((line.excludes for line in reversed(self.lines) if line.matches(relative, is_folder)), None)


def compile_patterns(base: Path, lines: Iterable[str], source: str) -> Patterns:
    """Compiles gitignore lines. Raises PesearchError, naming `source`, for an invalid line."""
    try:
        compiled = [compile_line(line) for line in lines]
    except ValueError as error:
        raise PesearchError(f"{source}: not a valid gitignore pattern ({error})") from error
    return Patterns(base, tuple(each for each in compiled if each is not None))


def read_ignore_file(folder: Path) -> tuple[Patterns, ...]:
    """The patterns of the folder's ignore file, if it has one. Raises OSError, PesearchError."""
    source = folder / IGNORE_FILE
    try:
        with source.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return ()
    if len(content) > _MAX_FILE_BYTES:
        raise PesearchError(f"{source}: larger than {_MAX_FILE_BYTES / 1e6:.0f} MB, not an ignore file")
    lines = os.fsdecode(content.removeprefix(b"\xef\xbb\xbf")).split("\n")
    return (compile_patterns(folder, (line.removesuffix("\r") for line in lines), str(source)),)


def is_excluded(path: Path, is_folder: bool, patterns: tuple[Patterns, ...]) -> bool:
    """Whether the path is excluded by `patterns`, ordered from the outermost folder to the innermost."""
    decisions = (each.excludes(path, is_folder) for each in reversed(patterns))
    return next((decision for decision in decisions if decision is not None), False)
