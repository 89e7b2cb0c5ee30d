"""The command line as a user meets it: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def pesearch(tmp_path: Path) -> Run:
    """Runs `pesearch ARGUMENT...` away from the user's own library and cache of models, and without network."""
    return runner("pesearch", tmp_path)


@pytest.fixture
def compressing(tmp_path: Path) -> Run:
    """As `pesearch`, where every space is searched as a large one."""
    return runner("tests.cli.compressing", tmp_path)


def runner(module: str, tmp_path: Path) -> Run:
    """Runs a module as `pesearch` is run."""
    environment = os.environ | {
        "HF_HOME": str(tmp_path / "models"),
        "HF_HUB_OFFLINE": "1",
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "COLUMNS": "200",
    }
    environment.pop("PESEARCH_LIBRARY", None)

    def run(*arguments: str | Path, **extra: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", module, *(str(argument) for argument in arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment | extra, timeout=240)

    return run
