"""The command line: `pesearch` in this process, and `new_process` as a user starts it."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from huggingface_hub import constants

from pesearch.cli.main import command_line
from pesearch.encoders import model_set
from pesearch.indexer import opening as indexer_opening
from pesearch.search import opening as search_opening
from tests.store.policies import compress

Run = Callable[..., "subprocess.CompletedProcess[str]"]

TIMEOUT_SECONDS = 240

UNUSED = frozenset(
    {"torch._dynamo.utils", "torch._inductor", "torch.distributed.tensor", "sympy", "torchcodec", "pandas", "streamlit"}
    | {"ray", "pymilvus"}
)
"""What libraries would import and a query does not use."""


open_once = functools.cache(model_set.open_model_set)
"""Loads the models of a set and device once for all tests; errors are raised each time."""


@pytest.fixture
def pesearch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `pesearch ARGUMENT...` in this process: no network, and neither the user's library nor their models.

    Standard output and error are captured as file descriptors, so that what C libraries write counts too.
    """
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "models" / "hub"))  # read from the environment once
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for module in (model_set, indexer_opening, search_opening):
        monkeypatch.setattr(module, "open_model_set", open_once)
    outputs = (tmp_path / ".stdout", tmp_path / ".stderr")

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        words = ["pesearch", *map(str, arguments)]
        with (
            patch.dict(os.environ, _environment(tmp_path), clear=True),
            patch.object(sys, "argv", words),
            _redirected("stdout", outputs[0]),
            _redirected("stderr", outputs[1]),
        ):
            try:
                command_line()
                code = 0
            except SystemExit as end:
                code = end.code or 0
        return subprocess.CompletedProcess(
            words, code, *(path.read_bytes().decode("utf-8", "surrogateescape") for path in outputs)
        )

    return run


@pytest.fixture
def compressing(pesearch: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """As `pesearch`, with a compressed search index for every space, whatever its size."""
    compress(monkeypatch)
    return pesearch


@pytest.fixture
def new_process(tmp_path: Path) -> Run:
    """Runs `python -m pesearch ARGUMENT...`: for exit codes, what imports print, and `imports_of` stderr."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pesearch", *map(str, arguments)],
            env=_environment(tmp_path) | {"PYTHONPROFILEIMPORTTIME": "1"},
            capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
        )  # fmt: skip

    return run


def imports_of(stderr: str) -> set[str]:
    """The modules that a new process has imported by statements, not by importlib: stand-ins have no entry."""
    return {line.rpartition("|")[2].strip() for line in stderr.splitlines() if line.startswith("import time:")}


def one_line(stderr: str) -> str:
    """The only line with an error message; there is no traceback."""
    lines = [line for line in stderr.splitlines() if line.startswith("pesearch: ")]
    assert len(lines) == 1
    assert "Traceback" not in stderr
    return lines[0]


def _environment(tmp_path: Path) -> dict[str, str]:
    environment = os.environ | {
        "HF_HOME": str(tmp_path / "models"),
        "HF_HUB_OFFLINE": "1",
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "COLUMNS": "200",
    }
    environment.pop("PESEARCH_LIBRARY", None)
    return environment


@contextmanager
def _redirected(name: str, path: Path) -> Iterator[None]:
    """Standard output or error goes to a file, written by Python or by C."""
    number = {"stdout": 1, "stderr": 2}[name]
    saved = os.dup(number)
    getattr(sys, name).flush()
    with path.open("w", encoding="utf-8") as stream:
        os.dup2(stream.fileno(), number)
        try:
            with patch.object(sys, name, stream):
                yield
                stream.flush()
        finally:
            os.dup2(saved, number)
            os.close(saved)
