"""Sees every call of this process that touches a file below a folder, in Python and in the C++ of DuckDB and Arrow.

A small library in C, which the system loads before the C library (LD_PRELOAD), asks a hook before each call. A seam in
Python would need no compiler, but would see neither the catalogue and its log nor the mapping of shards.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

SOURCE = Path(__file__).with_name("interposer.c")


class Kind(IntEnum):
    """What a call does, numbered as in interposer.c. CREATE opens a file that it may create or empty, OPEN any other
    file, or lists a folder; WRITE includes ftruncate, UNLINK rmdir, STAT access, LOCK flock and fcntl."""

    OPEN = 0
    CREATE = 1
    READ = 2
    WRITE = 3
    SYNC = 4
    RENAME = 5
    UNLINK = 6
    MKDIR = 7
    STAT = 8
    MMAP = 9
    LOCK = 10


Hook = Callable[[Kind, Path], int]
"""Called before a call, with its path (of a rename the new one). Returns 0, or the errno with which the call fails."""

_HOOK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p)


def reason_for_skipping() -> str | None:
    """Why calls cannot be interposed on this machine; None if they can."""
    if sys.platform != "linux":
        return "calls are interposed on Linux only"
    return None if shutil.which("cc") else "there is no C compiler, `cc`, to build tests/faults/interposer.c"


def interposed_environment(folder: Path) -> dict[str, str]:
    """The environment for a process whose calls can be watched. The library is compiled into `folder`."""
    library = folder / "interposer.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl"], check=True)
    return {**os.environ, "LD_PRELOAD": str(library)}


def is_interposed() -> bool:
    """Whether this process was started with `interposed_environment`."""
    return hasattr(ctypes.CDLL(None), "interposer_watch")


@contextmanager
def watching(folder: Path, hook: Hook) -> Iterator[None]:
    """Ask the hook before each call that touches a file below a folder, which is an absolute path without links."""
    interposer = ctypes.CDLL(None)

    def called(kind: int, path: bytes) -> int:
        return hook(Kind(kind), Path(os.fsdecode(path)))

    callback = _HOOK(called)
    interposer.interposer_watch(os.fsencode(folder), callback)
    try:
        yield
    finally:
        interposer.interposer_watch(b"", _HOOK())
