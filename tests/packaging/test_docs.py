"""Every `pesearch` command in the documentation parses, and every file, module and link that it names exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from pesearch.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = "|".join(sorted(path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()))
"""Top-level packages: a code span that begins with one of them names a path of the repository."""

MODULE = r"python -m ((?:benchmarks|training)(?:\.\w+)+)"


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """(where, arguments) of each `pesearch` command, without pipes, redirections, variables and comments.

    Where is "block", for fenced and indented blocks, or "span" for inline code, which may leave arguments out.
    """
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [("block", line) for block in blocks for line in block.splitlines()]
    lines += [("block", line) for line in text.splitlines() if line.startswith("    ")]
    lines += [("span", span) for span in re.findall(r"`(pesearch [^`]+)`", re.sub(r"\s*\n\s*", " ", text))]
    for where, line in lines:
        for command in split_pipeline(line.strip().removeprefix("$ ")):
            while command and re.fullmatch(r"[A-Z_]+=\S+", command[0]):
                command.pop(0)
            if command[:1] == ["pesearch"]:
                yield where, command[1:]


def split_pipeline(line: str) -> Iterator[list[str]]:
    """The words of each command in a line of shell; nothing for lines of output that are not valid shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|<>;")
    lexer.commenters, lexer.whitespace_split = "#", True
    try:
        words = list(lexer)
    except ValueError:
        return
    command: list[str] = []
    for word in [*words, ";"]:
        if set(word) <= set("|<>;"):
            yield command
            command = []
        else:
            command.append(word)


def problem(where: str, arguments: list[str]) -> str | None:
    """Parse a command line without running it; the message of the error, if there is one."""
    line, words = " ".join(["pesearch", *arguments]), list(arguments)
    command: Any = typer.main.get_command(app)
    context = typer.Context(command, info_name="pesearch")
    while hasattr(command, "get_command") and words and not words[0].startswith("-"):
        command = command.get_command(context, words.pop(0))
        if command is None:
            return f"no such command: {line}"
        context = typer.Context(command, parent=context)
    try:
        if where == "block" and not hasattr(command, "get_command"):
            command.make_context(context.info_name, words)
        else:
            command.make_parser(context).parse_args(words)
    except Exception as error:  # Typer brings a click of its own, whose errors are known by this method alone
        if not hasattr(error, "format_message"):
            raise
        return f"{error.format_message()}: {line}"
    return None


def named_paths(text: str) -> Iterator[str]:
    """Code spans that look like files or folders of this repository, and the modules that are run."""
    for span in re.findall(r"`([^`\n]+)`", text):
        if re.fullmatch(rf"(?:(?:{FOLDERS}|docs|requirements|sample_media|tests)/[\w./-]*|[A-Z]+\.md)", span):
            yield span
    for module in re.findall(MODULE, re.sub(r"\s*\n\s*", " ", text)):
        yield module.replace(".", "/") + ".py"


def module_exists(name: str) -> bool:
    path = ROOT / name
    return path.exists() or path.with_suffix("").is_dir()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_exist_with_their_options(path: Path) -> None:
    found = list(commands(path.read_text(encoding="utf-8")))
    assert found, "no command was found"
    assert [message for where, command in found if (message := problem(where, command))] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_and_modules_exist(path: Path) -> None:
    assert [name for name in named_paths(path.read_text(encoding="utf-8")) if not module_exists(name)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_mistakes_are_found() -> None:
    text = (
        "Run `pesearch find x`, `store/missing.py`, `python -m benchmarks.missing`.\n\n"
        "    $ pesearch query x --fast | pesearch export - --to a.edl\n"
        "    $ pesearch export --to a.edl   # without its argument\n"
        "    $ pesearch query x -k 0\n"
    )
    messages = [problem(where, command) for where, command in commands(text)]
    assert [message and message.split(":")[0] for message in messages] == [
        "No such option",
        None,
        "Missing argument 'MOMENTS'.",
        "Invalid value for '-k'",
        "no such command",
    ]
    assert [name for name in named_paths(text) if not module_exists(name)] == [
        "store/missing.py",
        "benchmarks/missing.py",
    ]
