"""Locks on open files: one holder at a time, in one process and in several, until the file is closed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pesearch.file_lock import LOCKED_POSITION, lock_file

TRY = "import os, sys; from pesearch.file_lock import lock_file; lock_file(os.open(sys.argv[1], os.O_RDWR))"

ON_WINDOWS = """
import os, sys
from tests.cli.other_platform import posix_msvcrt
sys.modules["msvcrt"], sys.platform = posix_msvcrt(), "win32"
from pesearch.file_lock import lock_file
held = os.open(sys.argv[1], os.O_RDWR)
lock_file(held)
print(os.read(held, 100).decode(), end="")  # the position is where it was
if os.fork() == 0:
    try:
        lock_file(os.open(sys.argv[1], os.O_RDWR))
    except BlockingIOError:
        os._exit(7)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(-1, 0)[1]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "lock"
    path.write_text("holder\n")
    return path


def test_a_lock_is_held_until_the_file_is_closed(path: Path) -> None:
    held, other = os.open(path, os.O_RDWR), os.open(path, os.O_RDWR)
    lock_file(held)
    with pytest.raises(BlockingIOError):
        lock_file(other)
    refused = subprocess.run([sys.executable, "-c", TRY, str(path)], capture_output=True, text=True)
    assert "BlockingIOError" in refused.stderr
    os.close(held)
    lock_file(other)
    os.close(other)


def test_a_shared_lock_has_several_holders(path: Path) -> None:
    first, second, third = (os.open(path, os.O_RDWR) for _ in range(3))
    lock_file(first, shared=True)
    lock_file(second, shared=True)
    with pytest.raises(BlockingIOError):
        lock_file(third)
    for descriptor in (first, second, third):
        os.close(descriptor)


def test_on_windows_a_byte_behind_the_content_is_locked(path: Path) -> None:
    """What is locked cannot be read by others there. By a substituted system: locks are those of POSIX."""
    ended = subprocess.run([sys.executable, "-c", ON_WINDOWS, str(path)], capture_output=True, text=True, check=True)
    assert ended.stdout == "holder\n7\n"
    assert path.stat().st_size < LOCKED_POSITION
