"""What a crawl leaves out: hidden and system names, `.pesearchignore` files, the user's own patterns.

Patterns have the syntax and the precedence of gitignore: a file deeper down overrides those above it, the last
matching line of one file decides, and what lies in a folder that is left out cannot be taken back in.
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
"""Folders that systems keep for themselves: recycle bins, snapshots, thumbnails of network drives, packages."""


def is_hidden(name: str) -> bool:
    """Whether a crawl passes over anything of this name, whatever the patterns say."""
    return name.startswith(".") or name in SYSTEM_NAMES


@dataclass(frozen=True, slots=True)
class Patterns:
    """Compiled gitignore patterns, read relative to the folder `base`."""

    base: Path
    lines: tuple[GitIgnoreSpecPattern, ...]

    def verdict(self, path: Path, is_folder: bool) -> bool | None:
        """True: left out. False: taken back in by `!`. None: these patterns say nothing about it."""
        if path == self.base or not path.is_relative_to(self.base):
            return None
        relative = path.relative_to(self.base).as_posix() + "/" * is_folder
        return next((line.include for line in reversed(self.lines) if _meets(line, relative)), None)


def _meets(line: GitIgnoreSpecPattern, relative: str) -> bool:
    """Whether a line speaks of this very file or folder.

    pathspec also matches what lies below a match. Here that is the walk's concern, which does not enter a folder that
    is left out; taken for a match it would let `!folder` below take back single files that a line above leaves out.
    """
    if line.include is None or line.regex is None:  # a comment or an empty line
        return False
    if line.regex.groups:  # ends with the name, or with the slash after it
        return any(match.end() == len(relative) for match in line.regex.finditer(relative))
    match = line.regex.search(relative)  # `a/**`, which means all that is in a, but not a itself; or `*`
    return match is not None and not (match.group().endswith("/") and match.end() == len(relative))


def compile_patterns(base: Path, lines: Iterable[str], source: str) -> Patterns:
    """Patterns from gitignore lines. Raises PesearchError that names `source` when a line makes no sense."""
    try:
        return Patterns(base, tuple(GitIgnoreSpec.from_lines(lines, backend="simple").patterns))
    except ValueError as error:
        raise PesearchError(f"{source}: not a pattern that can be understood ({error})") from error


def patterns_of(folder: Path) -> tuple[Patterns, ...]:
    """The patterns that this very folder adds: its ignore file's, or none. Raises OSError, PesearchError."""
    source = folder / IGNORE_FILE
    try:
        text = os.fsdecode(source.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except FileNotFoundError:
        return ()
    return (compile_patterns(folder, text.splitlines(), str(source)),)


def is_left_out(path: Path, is_folder: bool, patterns: tuple[Patterns, ...]) -> bool:
    """Whether the patterns, given from the outermost to the innermost, leave the path out."""
    verdicts = (each.verdict(path, is_folder) for each in reversed(patterns))
    return next((verdict for verdict in verdicts if verdict is not None), False)
