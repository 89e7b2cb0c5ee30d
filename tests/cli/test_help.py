"""`pesearch --help` is quick because it loads nothing heavy, and every command explains itself."""

import json
import subprocess
import sys

import pytest
from typer.main import get_command

from pesearch.cli.main import app

HEAVY = (
    "torch", "transformers", "duckdb", "faiss", "streamlit", "pyarrow", "open_clip", "torchcodec", "numpy", "rich",
    "pymilvus", "ray",
)  # fmt: skip
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


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


def test_the_documented_commands_are_there() -> None:
    expected = {"index", "query", "events", "app", "status", "doctor", "models", "remove", "gc", "eval", "export"}
    assert expected == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_has_help(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help"


def test_version() -> None:
    result = subprocess.run([sys.executable, "-m", "pesearch", "--version"], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("pesearch 0.")
