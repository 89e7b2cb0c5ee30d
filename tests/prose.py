"""The worst words of a dialect that this repository has left: no document, docstring, comment or message uses them.

    python tests/prose.py

prints each place with the better word, and exits with 1 where there is one.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

BETTER = {
    r"(?<!right )(?<!straight )\baway\b": "offline, disconnected, missing, or another verb",
    r"\b(?:is|are|was|were|be|been) told\b": "is reported, is passed",
    r"\banew\b": "again, from scratch",
    r"\bas ever\b": "as usual, or nothing",
    r"\bof which (?:none|each|one)\b": "a clause of its own",
    r"\b[Tt]he face of the room\b": "public interface",
    r"\b(?:is|are) no answer\b": "hidden, below the threshold",
    r"\bwhat is (?:asked|there|here|held|meant|less|more)\b": "the noun: query, contents, limit",
    r"\bby themselves\b": "alone, on their own",
    r"\bgives? up (?:what|all)\b": "discards",
    r"\b[Ee]rrors:? as of\b": "raises the errors of",
    r"\bRaises as\b": "raises the errors of",
    r"\bfor ever\b": "forever",
    r"\b[Ll]ikeliest\b": "best, most likely",
    r"\bchoose of\b": "choose from",
}
"""A pattern for each habit, and what to write in its place."""

TEXT_SUFFIXES = frozenset({".md", ".html", ".css"})

EXEMPT = ("tests/prose.py", "tests/packaging/test_prose.py", "training/", "encoders/starter/")
"""This list and its test, and the generated world: its captions are data, made before these rules."""


def main() -> int:
    """Print every place; 1 where there is any."""
    found = [f"{path}:{line}: {words!r}: rather {better}" for path, line, words, better in places()]
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


def places() -> Iterator[tuple[str, int, str, str]]:
    """File, line, words and the better ones, of every tracked text."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_symlink() or not path.is_file() or name.startswith(EXEMPT):
            continue
        if path.suffix == ".py":
            pieces = prose_of(path.read_text(encoding="utf-8"))
        elif path.suffix in TEXT_SUFFIXES:
            pieces = [(1, path.read_text(encoding="utf-8"))]
        else:
            continue
        for first_line, text in pieces:
            for line, words, better in habits_in(text):
                yield name, first_line + line, words, better


def prose_of(source: str) -> Iterator[tuple[int, str]]:
    """The comments, strings and names of a Python file, each with its first line; a name as the words it is made of."""
    kinds = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in kinds:
            yield token.start[0], token.string
        elif token.type == tokenize.NAME:
            yield token.start[0], token.string.replace("_", " ")


def habits_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Each habit in a text: the line from 0, the words, and the better ones. A habit may run over a line's end."""
    for pattern, better in BETTER.items():
        for match in re.finditer(pattern.replace(" ", r"\s+") if "(?<!" not in pattern else pattern, text):
            yield text.count("\n", 0, match.start()), match[0], better


if __name__ == "__main__":
    sys.exit(main())
