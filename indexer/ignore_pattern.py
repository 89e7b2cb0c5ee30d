"""One line of an ignore file as a regular expression: gitignore(5), and the wildcards of git's wildmatch.c.

`?` and brackets match a character, as in a shell and ripgrep; in git a byte, so that `?.mp4` is not `é.mp4` there.

Ignore files come with downloads and shares, so a search must end in time: `*` and `**` are atomic groups, which take
the first match of what follows and never try another one. What follows a star may begin at any later place, so no other
one is needed; the time grows with the length of the pattern times that of the path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_PATTERN_CHARACTERS = 4096
"""As long as a path may be."""

_MANY, _SLASH = "*", "/"
"""Tokens of a pattern, beside regular expressions of one character. A series of stars is one token of this length."""

_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "blank": " \t", "cntrl": "\0-\x1f\x7f", "digit": "0-9", "graph": "!-~",
    "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": " \t-\r", "upper": "A-Z", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
"""Classes of POSIX in brackets, as ranges of a regular expression."""


@dataclass(frozen=True, slots=True)
class IgnorePattern:
    """A compiled line. `excludes` is False for one that re-includes (`!`), `is_for_folders` for a trailing slash;
    `is_for_names` if the last part of a path alone is compared, whatever the folder."""

    regex: re.Pattern[str]
    excludes: bool
    is_for_folders: bool
    is_for_names: bool

    def matches(self, relative: str, is_folder: bool) -> bool:
        """Whether a path itself matches, relative to the folder of the ignore file and without a trailing slash."""
        if self.is_for_folders and not is_folder:
            return False
        return self.regex.match(relative.rpartition("/")[2] if self.is_for_names else relative) is not None


def compile_line(line: str) -> IgnorePattern | None:
    """The pattern of a line; None for a comment, an empty line, a `!` alone, and what can match nothing.

    Errors: ValueError with the reason for a pattern that is longer than a path.
    """
    text = _without_trailing_spaces(line)
    if not text or text.startswith("#"):
        return None
    is_negated = text.startswith("!")
    text = text[is_negated:]
    if not text:
        return None
    if len(text) > MAX_PATTERN_CHARACTERS:
        raise ValueError(f"longer than {MAX_PATTERN_CHARACTERS} characters")
    is_for_folders = text.endswith("/")
    text = text.removesuffix("/")
    is_for_names = "/" not in text
    tokens = _tokens(text.removeprefix("/"))
    if tokens is None:
        return None
    parts = _split(tokens, _SLASH)
    regex = _segment(parts[0]) if is_for_names else _path(parts)
    return IgnorePattern(re.compile(rf"{regex}\Z", re.DOTALL), not is_negated, is_for_folders, is_for_names)


def _without_trailing_spaces(line: str) -> str:
    """Spaces at the end do not count unless a backslash precedes them."""
    text = line.rstrip(" ")
    backslashes = len(text) - len(text.rstrip("\\"))
    return text + " " if backslashes % 2 and len(text) < len(line) else text


def _tokens(text: str) -> list[str] | None:
    """The tokens of a pattern; None if it ends within brackets or an escape, when it matches nothing."""
    tokens: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "*":
            end = at + len(text[at:]) - len(text[at:].lstrip("*"))
            tokens.append("*" * min(end - at + 1, 2))
            at = end
        elif char == "[":
            found = _bracket(text, at)
            if found is None:
                return None
            token, at = found
            tokens.append(token)
        elif char == "\\":
            if at == len(text):
                return None
            tokens.append(_SLASH if text[at] == "/" else re.escape(text[at]))
            at += 1
        else:
            tokens.append("[^/]" if char == "?" else _SLASH if char == "/" else re.escape(char))
    return tokens


def _bracket(text: str, at: int) -> tuple[str, int] | None:
    """The expression of a set of characters that begins after its `[`, and where it ends; None if it does not."""
    is_negated = text[at : at + 1] in ("!", "^")
    at += is_negated
    ranges: list[str] = []
    previous, is_first = "", True
    while at < len(text) and (is_first or text[at] != "]"):
        is_first = False
        if text.startswith("[:", at) and (end := text.find("]", at + 2)) != -1 and text[end - 1 : end] == ":":
            if end - 1 < at + 2 or text[at + 2 : end - 1] not in _CLASSES:
                return None
            ranges.append(_CLASSES[text[at + 2 : end - 1]])
            previous, at = "", end + 1
            continue
        is_range = bool(previous) and text[at] == "-" and text[at + 1 : at + 2] not in ("", "]")
        at += is_range
        at += text[at] == "\\"
        if at >= len(text):
            return None
        char = text[at]
        at += 1
        if not is_range:
            ranges.append(re.escape(char))
        elif previous <= char:
            ranges.append(f"{re.escape(previous)}-{re.escape(char)}")
        previous = "" if is_range else char
    if at >= len(text):
        return None
    content = "".join(ranges)
    if is_negated:
        return f"[^/{content}]", at + 1
    return (f"(?!/)[{content}]" if content else "(?!)"), at + 1


def _path(parts: Sequence[Sequence[str]]) -> str:
    """The expression of a path; a part `**` stands for any number of folders, at the end for all that is in one."""
    groups: list[list[str]] = [[]]
    for part in parts:
        if list(part) == ["**"]:
            groups.append([])
        else:
            groups[-1].append(_segment(part))
    first, *others = groups
    if not others:
        return "/".join(first)
    *middle, last = others
    start = "/".join([*first, ""])
    between = "".join(rf"(?>(?:[^/]++/)*?{'/'.join(group)}/)" for group in middle if group)
    return start + between + (rf"(?:[^/]++/)*{'/'.join(last)}" if last else ".+")


def _segment(tokens: Sequence[str]) -> str:
    """The expression of one part of a path, up to its end."""
    first, *others = ("".join(part) for part in _split(tokens, "*", "**"))
    if not others:
        return first
    *middle, last = others
    return rf"(?>{first}{''.join(f'(?>[^/]*?{part})' for part in middle)}[^/]*{last}(?=/|\Z))"


def _split(tokens: Sequence[str], *separators: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token in separators:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
