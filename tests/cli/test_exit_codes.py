"""How a command ends, whatever happened in it: one line, its exit code, and everything closed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import atexit
from pesearch.cli.exit_codes import end_process, run_to_its_end
from pesearch.errors import PesearchError

class Interrupting:
    def __set_name__(self, *_):
        raise KeyboardInterrupt

def make_class():
    class Made:
        field = Interrupting()  # Python gives a RuntimeError

def interrupted_in_a_library():
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as error:
        raise PesearchError("the models cannot be loaded") from error

def fail_in_a_circle():
    one, other = ValueError("one"), PesearchError("other")
    one.__cause__, other.__cause__ = other, one
    raise other

def leave(code):
    print("the answer", end="")
    raise SystemExit(code)

def fail(error):
    raise error

atexit.register(lambda: open("closed", "w").close())
end_process(lambda: run_to_its_end(lambda: {act}))
"""


@pytest.mark.parametrize(
    ("act", "code", "output", "says"),
    [
        ("None", 0, "", ""),
        ("leave(0)", 0, "the answer", ""),
        ("leave(None)", 0, "the answer", ""),
        ("leave(3)", 3, "the answer", ""),
        ("fail(PesearchError('no library'))", 2, "", "pesearch: no library\n"),
        ("fail(ValueError('a bug'))", 2, "", "pesearch: unexpected ValueError: a bug (PESEARCH_DEBUG=1 shows where)\n"),
        ("fail_in_a_circle()", 2, "", "pesearch: other\n"),
        ("fail(KeyboardInterrupt())", 130, "", "pesearch: interrupted: "),
        ("make_class()", 130, "", "pesearch: interrupted: "),
        ("interrupted_in_a_library()", 130, "", "pesearch: interrupted: "),
    ],
)
def test_a_command_ends_in_one_line_and_its_code(act: str, code: int, output: str, says: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{act}", act)], capture_output=True, text=True, cwd=tmp_path
    )
    assert (ended.returncode, ended.stdout) == (code, output)
    assert ended.stderr.startswith(says)
    assert ended.stderr.count("\n") == (1 if says else 0)
    assert (tmp_path / "closed").exists()


def test_a_reader_that_leaves_and_a_full_disk(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    for output, says in ((writer, ""), (os.open("/dev/full", os.O_WRONLY), "No space left")):
        command = [sys.executable, "-c", PROGRAM.replace("{act}", "leave(0)")]
        ended = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        os.close(output)
        assert ended.returncode == 2
        assert says in ended.stderr
        assert "Traceback" not in ended.stderr
