"""Exclusion rules of a crawl: hidden and system names, `.pesearchignore` files, the user's `--exclude` patterns.

Patterns have the syntax and precedence of gitignore: an ignore file deeper in the tree overrides those above it, the
last matching line of a file decides, and files below an excluded folder cannot be re-included.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from pesearch.errors import PesearchError

IGNORE_FILE = ".pesearchignore"
"""Name of the ignore file that a folder may have."""

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
    lines: tuple[GitIgnoreSpecPattern, ...]

    def excludes(self, path: Path, is_folder: bool) -> bool | None:
        """True: excluded. False: re-included by a `!` line. None: no line matches."""
        if path == self.base or not path.is_relative_to(self.base):
            return None
        relative = path.relative_to(self.base).as_posix() + "/" * is_folder
        return next((line.include for line in reversed(self.lines) if _matches(line, relative)), None)


def _matches(line: GitIgnoreSpecPattern, relative: str) -> bool:
    """Whether a line matches the path itself.

    pathspec also matches every path below a match. The crawl does not enter excluded folders, so only the path itself
    counts here; otherwise `!folder` would re-include files in it that an earlier line excludes.
    """
    if line.include is None or line.regex is None:  # a comment or an empty line
        return False
    if line.regex.groups:  # ends with the name, or with the slash after it
        return any(match.end() == len(relative) for match in line.regex.finditer(relative))
    match = line.regex.search(relative)  # `a/**`, all that is in a but not a itself; or `*`
    return match is not None and not (match.group().endswith("/") and match.end() == len(relative))


def compile_patterns(base: Path, lines: Iterable[str], source: str) -> Patterns:
    """Compiles gitignore lines. Raises PesearchError, naming `source`, for an invalid line."""
    try:
        return Patterns(base, tuple(GitIgnoreSpec.from_lines(lines, backend="simple").patterns))
    except ValueError as error:
        raise PesearchError(f"{source}: not a valid gitignore pattern ({error})") from error


def read_ignore_file(folder: Path) -> tuple[Patterns, ...]:
    """The patterns of the folder's ignore file, if it has one. Raises OSError, PesearchError."""
    source = folder / IGNORE_FILE
    try:
        text = os.fsdecode(source.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except FileNotFoundError:
        return ()
    return (compile_patterns(folder, text.splitlines(), str(source)),)


def is_excluded(path: Path, is_folder: bool, patterns: tuple[Patterns, ...]) -> bool:
    """Whether the path is excluded by `patterns`, ordered from the outermost folder to the innermost."""
    decisions = (each.excludes(path, is_folder) for each in reversed(patterns))
    return next((decision for decision in decisions if decision is not None), False)
