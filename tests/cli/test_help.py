"""`pesearch --help`: loads nothing heavy, and every command explains itself with an example."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from pesearch.cli.main import app
from tests.packaging.test_layout import ROOT, SETTINGS
from tests.prose import habits_in

HEAVY = (
    "torch", "transformers", "duckdb", "faiss", "streamlit", "pyarrow", "open_clip", "torchcodec", "numpy", "rich",
    "pymilvus", "ray",
)  # fmt: skip
GROUP: Any = get_command(app)
MIN_WORDS = 3


def commands(group: Any, *names: str) -> Iterator[tuple[str, Any]]:
    """Every command below a group, with the words that call it."""
    for name, command in group.commands.items():
        yield " ".join([*names, name]), command
        if hasattr(command, "commands"):
            yield from commands(command, *names, name)


COMMANDS = dict(commands(GROUP))


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, json\n"
        "sys.argv = ['pesearch', '--help']\n"
        "from pesearch.cli.main import command_line\n"
        "try: command_line()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name.partition(".")[0] for name in json.loads(output.splitlines()[-1])}
    assert "pesearch" in loaded
    assert not loaded & set(HEAVY)


def test_the_documented_commands_exist() -> None:
    expected = {
        "demo",
        "index",
        "query",
        "events",
        "app",
        "status",
        "doctor",
        "models",
        "remove",
        "gc",
        "eval",
        "export",
        "calibrate",
        "serve",
        "mcp",
    }
    assert set(COMMANDS) == expected | {"models pull"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_has_a_help_text(name: str) -> None:
    command = COMMANDS[name]
    texts = {name: command.help} | {
        f"{name} {parameter.name}": getattr(parameter, "help", None) for parameter in command.params
    }
    for place, text in texts.items():
        assert text and len(text.split()) >= MIN_WORDS, f"{place}: {text}"
        assert not list(habits_in(text)), f"{place}: {text}"
    examples = command.help.partition("Example")[2]
    assert f"  pesearch {name}" in examples, f"{name} shows no example"


def test_options_of_the_program_have_a_help_text() -> None:
    for text in (GROUP.help, GROUP.epilog, *(parameter.help for parameter in GROUP.params)):
        assert len(text.split()) >= MIN_WORDS
        assert not list(habits_in(text))


def test_nothing_that_is_printed_names_a_file_of_docs() -> None:
    """An installed package has none."""
    sources = [path for package in SETTINGS["package-dir"].values() for path in (ROOT / package).glob("*.py")]
    pattern = re.compile(r"docs/\w+\.md")
    named = [f"{path.name}: {text}" for path in sources for text in printed_texts(path) if pattern.search(text)]
    assert named == []
    texts = [text for command in COMMANDS.values() for text in (command.help, *(each.help for each in command.params))]
    assert [text for text in texts if text and "docs/" in text] == []


def printed_texts(path: Path) -> Iterator[str]:
    """The strings of a module that names files of docs/, without those that only document it."""
    text = path.read_text(encoding="utf-8")
    if "docs/" not in text:
        return
    tree = ast.parse(text)
    documenting = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documenting:
            yield node.value


def test_the_list_of_commands_is_not_truncated() -> None:
    """The first sentence of each help text fits into a terminal of 80 columns."""
    for name, command in COMMANDS.items():
        assert not command.get_short_help_str(80 - 10).endswith("..."), name


def test_version() -> None:
    result = subprocess.run([sys.executable, "-m", "pesearch", "--version"], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("pesearch 0.")


def test_a_shell_completes_commands() -> None:
    environment = {**os.environ, "_PESEARCH_COMPLETE": "complete_bash", "COMP_WORDS": "pesearch qu", "COMP_CWORD": "1"}
    code = "import sys; sys.argv = ['pesearch']; from pesearch.cli.main import main; main()"
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["query"]
