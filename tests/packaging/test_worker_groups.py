"""The tests of a file, and all tests of the page, run in one worker process each."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]

TESTS = """
import os, pathlib, time

def run():
    with open("{log}", "a") as log:
        log.write("{name} " + os.environ["PYTEST_XDIST_WORKER"] + "\\n")
    time.sleep(0.05)

def test_first(): run()
def test_second(): run()
def test_third(): run()
def test_fourth(): run()
"""


def test_groups_stay_in_one_worker(tmp_path: Path) -> None:
    names = ("tests/app/test_a.py", "tests/app/test_b.py", "tests/store/test_a.py", "tests/store/test_b.py")
    log = tmp_path / "workers"
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TESTS.format(log=log, name=name))
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "tests.worker_groups", "--rootdir", tmp_path]
    subprocess.run(
        [*command, "--import-mode=importlib", "tests"],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""}, check=True, capture_output=True,
    )  # fmt: skip
    workers = defaultdict(set)
    for line in log.read_text().splitlines():
        name, worker = line.split()
        workers[name].add(worker)
    assert {name: len(of) for name, of in workers.items()} == dict.fromkeys(names, 1)
    assert workers["tests/app/test_a.py"] == workers["tests/app/test_b.py"]
    assert len(set().union(*workers.values())) == 2
