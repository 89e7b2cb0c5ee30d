"""How a process ends: its exit code, one line on stderr, and everything registered with `atexit` run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "sample_media"

PROGRAM = """
import atexit, json, os, signal, sys, time
from pathlib import Path
from pesearch.cli.exit_codes import end_process, exit_on_error
from pesearch.errors import PesearchError

class Interrupting:
    def __set_name__(self, *_):
        signal.raise_signal(signal.SIGINT)

def make_class():
    class Made:
        field = Interrupting()  # up to 3.11 Python wraps it in a RuntimeError

def interrupted_in_a_library():
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        pass
    raise ImportError("no module datetime")  # as modules in C do, without a cause

class Interrupted:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)  # Python drops what is raised here

def interrupted_where_it_is_dropped():
    Interrupted()
    time.sleep(20)

def leave(code):
    print("the answer", end="")
    raise SystemExit(code)

def fail(error):
    raise error

atexit.register(lambda: Path("closed").touch())
"""
ONE_ENDING = "\nend_process(lambda: exit_on_error(lambda: {act}))\n"
EVERY_ENDING = """
ended = {}
for act in json.loads(sys.argv[1]):
    Path("closed").unlink(missing_ok=True)
    child = os.fork()
    if not child:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(stream.name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream.fileno())
        end_process(lambda: exit_on_error(lambda: eval(act)))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ended[act] = code, Path("<stdout>").read_text(), Path("<stderr>").read_text(), Path("closed").exists()
print(json.dumps(ended))
"""
"""Imports once and forks for each ending: importing takes far longer than all of them."""

ENDINGS = [
    ("None", 0, "", ""),
    ("leave(0)", 0, "the answer", ""),
    ("leave(None)", 0, "the answer", ""),
    ("leave(3)", 3, "the answer", ""),
    ("fail(PesearchError('no library'))", 2, "", "pesearch: no library\n"),
    (
        "fail(ValueError('a bug'))", 2, "",
        "pesearch: unexpected ValueError: a bug (PESEARCH_DEBUG=1 prints the traceback)\n",
    ),
    ("fail(KeyboardInterrupt())", 130, "", "pesearch: interrupted: "),
    ("make_class()", 130, "", "pesearch: interrupted: "),
    ("interrupted_in_a_library()", 130, "", "pesearch: interrupted: "),
    ("interrupted_where_it_is_dropped()", 130, "", "pesearch: interrupted: "),
]  # fmt: skip


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Exit code, stdout, stderr, and whether the atexit function ran, for each of ENDINGS."""
    acts = json.dumps([act for act, *_ in ENDINGS])
    command = [sys.executable, "-c", PROGRAM + EVERY_ENDING, acts]
    folder = tmp_path_factory.mktemp("endings")
    output = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True).stdout
    results: dict[str, Any] = json.loads(output)
    return results


@pytest.mark.parametrize(("act", "code", "output", "message"), ENDINGS)
def test_exit_code_and_message(ended: dict[str, Any], act: str, code: int, output: str, message: str) -> None:
    exit_code, stdout, stderr, is_closed = ended[act]
    assert (exit_code, stdout) == (code, output)
    assert stderr.startswith(message)
    assert stderr.count("\n") == (1 if message else 0)
    assert is_closed


def test_closed_pipe_and_full_disk(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    full = os.open("/dev/full", os.O_WRONLY)
    message = "pesearch: cannot write the output: No space left on device\n"
    for output, code, lines in ((writer, 141, ""), (full, 2, message)):
        command = [sys.executable, "-c", PROGRAM + ONE_ENDING.replace("{act}", "leave(0)")]
        ended = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        assert (ended.returncode, ended.stderr) == (code, lines)
    still = {"path": str(SAMPLES / "red_ball.png"), "start": 0.0, "end": 0.0}
    (tmp_path / "one.json").write_text(json.dumps([still]))
    for arguments, output, code, lines in (
        (["--help"], writer, 141, ""),
        (["--version"], writer, 141, ""),
        (["export", "one.json", "--as", "clips", "--to", "clips"], full, 2, message),
    ):
        command = [sys.executable, "-m", "pesearch", *arguments]
        ended = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        assert (ended.returncode, ended.stderr) == (code, lines), arguments
    os.close(writer)
    os.close(full)


def test_streams_that_are_closed_or_full(tmp_path: Path) -> None:
    """Data that cannot be written is an error, messages that cannot be are dropped; no file of the program gets the
    number of a closed stream."""
    program = (
        "import os, sys\n"
        "from pesearch.cli import main\n"
        "@main.app.command('lines')\n"
        "def lines(count: int) -> None:\n"
        "    file = open('data', 'w')\n"
        "    print('a message', file=sys.stderr)\n"
        "    for _ in range(count): print('line')\n"
        "    assert file.fileno() > 2\n"
        "sys.argv = ['pesearch', *sys.argv[1:]]\n"
        "main.main()\n"
    )
    (tmp_path / "program.py").write_text(program)
    run, message = f"{sys.executable} program.py", "a message\n"
    closed = "pesearch: cannot write the output: stdout is closed\n"
    for command, code, output, messages in (
        (f"{run} lines 100000 | head -1; exit ${{PIPESTATUS[0]}}", 141, "line\n", message),
        (f"{run} lines 1 >&- <&-", 2, "", message + closed),
        (f"{run} lines 0 >&- <&-", 0, "", message),
        (f"{run} lines 1 2>/dev/full", 0, "line\n", ""),
        (f"{run} lines 1 2>&-", 0, "line\n", ""),
        (f"{run} export - --as csv <&-", 2, "", "pesearch: cannot read stdin: it is closed\n"),
    ):
        ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path)
        assert (ended.returncode, ended.stdout, ended.stderr) == (code, output, messages), command
    assert (tmp_path / "data").read_text() == ""


def test_exit_at_once_runs_atexit_functions_as_python_does() -> None:
    """It leans on the private `atexit._run_exitfuncs`; a thread that goes on working must not delay it."""
    program = (
        "import atexit, sys, threading, time\n"
        "from pesearch.cli.exit_codes import exit_at_once\n"
        "for name in 'abc': atexit.register(print, name, end='')\n"
        "{end}"
    )
    working = "threading.Thread(target=time.sleep, args=(600,)).start(); exit_at_once(7)"
    for end in ("sys.exit(7)", working):
        command = [sys.executable, "-c", program.replace("{end}", end)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert (ended.returncode, ended.stdout, ended.stderr) == (7, "cba", "")
