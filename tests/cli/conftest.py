"""The command line as a user meets it: a process of its own.

Processes are forked from one that has imported what takes the longest to import, and has done nothing else.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

LONGEST_SECONDS = 240
SLOW_TO_IMPORT = ["torch", "duckdb", "faiss", "pyarrow", "numpy", "tests.cli.slow_imports"]

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(SLOW_TO_IMPORT)


@pytest.fixture
def pesearch(tmp_path: Path) -> Run:
    """Runs `pesearch ARGUMENT...` away from the user's own library and cache of models, and without network."""
    return runner("pesearch", tmp_path)


@pytest.fixture
def compressing(tmp_path: Path) -> Run:
    """As `pesearch`, where every space is searched as a large one."""
    return runner("tests.cli.compressing", tmp_path)


@pytest.fixture
def new_process(tmp_path: Path) -> Run:
    """As `pesearch`, in a process that imports everything itself, and says what it says meanwhile."""
    command, environment = [sys.executable, "-m", "pesearch"], _environment(tmp_path)

    def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        words = [*command, *map(str, arguments)]
        return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=LONGEST_SECONDS)

    return run


def runner(module: str, tmp_path: Path) -> Run:
    """Runs a module as `python -m` does."""
    environment = _environment(tmp_path)
    outputs = (tmp_path / ".stdout", tmp_path / ".stderr")

    def run(*arguments: str | Path, **extra: str) -> "subprocess.CompletedProcess[str]":
        command = [module, *(str(argument) for argument in arguments)]
        process = PROCESSES.Process(target=_run, args=(command, environment | extra, outputs))
        process.start()
        process.join(LONGEST_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(command, LONGEST_SECONDS)
        told = (path.read_text("utf-8", "surrogateescape") for path in outputs)
        return subprocess.CompletedProcess(command, process.exitcode, *told)

    return run


def _environment(tmp_path: Path) -> dict[str, str]:
    environment = os.environ | {
        "HF_HOME": str(tmp_path / "models"),
        "HF_HUB_OFFLINE": "1",
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "COLUMNS": "200",
    }
    environment.pop("PESEARCH_LIBRARY", None)
    return environment


def _run(command: Sequence[str], environment: Mapping[str, str], outputs: Sequence[Path]) -> None:
    """In the new process: standard output and error go to files."""
    os.environ.clear()
    os.environ.update(environment)
    for stream, path in zip((sys.stdout, sys.stderr), outputs, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream.fileno())
    sys.argv = list(command)
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
