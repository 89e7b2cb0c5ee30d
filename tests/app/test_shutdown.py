"""The ways to end a process while its threads are working, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

PATIENCE_SECONDS = 120

BUSY_THREAD = """
import os, sys, threading, time
from pesearch.app import shutdown

def work():
    time.sleep(30)
    os._exit(99)  # the process waited for this thread

threading.Thread(target=work).start()
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BUSY_THREAD + code], capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )


def test_exit_now_does_not_wait_for_threads_and_flushes_the_output() -> None:
    ended = run("sys.stdout.write('last words')\nshutdown.exit_now(7)")
    assert (ended.returncode, ended.stdout) == (7, "last words")


def test_a_process_that_does_not_end_is_ended_after_the_grace_time() -> None:
    ended = run("shutdown.GRACE_SECONDS = 0.3\nshutdown.exit_after_grace(7, 'interrupted')\nraise SystemExit(3)")
    assert (ended.returncode, ended.stderr) == (7, "interrupted\n")


def test_a_process_that_ends_in_time_keeps_its_own_exit_status() -> None:
    code = "from pesearch.app import shutdown\nshutdown.exit_after_grace(7)\nraise SystemExit(3)"
    assert subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_SECONDS).returncode == 3
