"""The limit of OpenBLAS to one thread while any search runs, and what it needs of threadpoolctl."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

SEVERAL_THREADS = """
import threading

import numpy
from threadpoolctl import ThreadpoolController

from pesearch.blas_threads import on_one_core

def cores():
    return [each["num_threads"] for each in ThreadpoolController().select(internal_api="openblas").info()]

def first():
    with on_one_core():
        print(cores())
        is_in.set()
        assert goes_out.wait(20)
    is_out.set()
    assert lives_on.wait(20)

is_in, goes_out, is_out, lives_on = (threading.Event() for _ in range(4))
print(cores())
thread = threading.Thread(target=first)
thread.start()
assert is_in.wait(20)
with on_one_core():
    goes_out.set()
    assert is_out.wait(20)
    print(cores())
print(cores())
lives_on.set()
thread.join()
with on_one_core():
    print(cores())
print(cores())
"""


def test_the_limit_lasts_from_the_first_search_to_the_last_in_any_threads() -> None:
    """Fails if threadpoolctl no longer finds NumPy's OpenBLAS, or cannot lift a limit that an ended thread has set."""
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", SEVERAL_THREADS], env=environment, capture_output=True, text=True, check=True
    )
    blas = str(np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"])
    expected = ["[2]", "[1]", "[1]", "[2]", "[1]", "[2]"] if "openblas" in blas else ["[]"] * 6
    assert done.stdout.splitlines() == expected
