"""Runs commands of pesearch in this process as if it were on another system, and reports them as JSON lines.

python -m tests.cli.other_platform darwin|win32 COMMAND..., each command a JSON list of its arguments.

`sys.platform` is the other system's, and what its Python lacks is missing: modules, functions and constants. What stays
of Linux: paths with slashes, the libraries in C, and Python's own modules, which were imported before.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import importlib
import io
import json
import mmap
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback
from types import ModuleType
from typing import Any

import threadpoolctl

IMPORTED_BEFORE = (
    "asyncio", "chardet", "concurrent.futures", "ctypes.util", "duckdb", "faiss", "huggingface_hub.file_download",
    "lark", "msgspec", "multiprocessing.connection", "numpy", "pathlib", "platform", "pyarrow.ipc", "pydantic",
    "rich.progress", "tantivy", "tempfile", "tokenizers", "typer._adapters", "urllib.request",
    "uuid", "zoneinfo",
)  # fmt: skip
"""What looks at `sys.platform` when it is imported, and is not ours."""

LACKS: dict[str, dict[Any, tuple[str, ...]]] = {
    "darwin": {
        os: (
            "O_DIRECT", "O_PATH", "O_TMPFILE", "memfd_create", "posix_fadvise", "sched_getaffinity",
            "sched_setaffinity", "setresuid", "copy_file_range", "eventfd", "getrandom",
        ),
        socket: ("SO_PEERCRED", "SCM_CREDENTIALS", "SOCK_CLOEXEC", "SOCK_NONBLOCK"),
        select: ("epoll",),
        mmap: ("MADV_HUGEPAGE", "MADV_DONTFORK", "MADV_REMOVE"),
        signal: ("SIGPWR", "SIGRTMIN", "SIGRTMAX", "sigtimedwait", "sigwaitinfo"),
    },
    "win32": {
        os: (
            "O_CLOEXEC", "O_DIRECT", "O_DIRECTORY", "O_DSYNC", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "O_PATH",
            "O_SYNC", "O_TMPFILE", "chown", "fchmod", "fchown", "fork", "forkpty", "fstatvfs", "getegid", "geteuid",
            "getgid", "getloadavg", "getpgid", "getpriority", "getuid", "killpg", "lchown", "memfd_create", "mkfifo",
            "mknod", "nice", "openpty", "posix_fadvise", "posix_fallocate", "posix_spawn", "pread", "preadv", "pwrite",
            "pwritev", "register_at_fork", "sched_getaffinity", "sched_setaffinity", "sendfile", "set_blocking",
            "setsid", "statvfs", "sync", "sysconf", "uname", "wait", "wait4",
        ),
        socket: ("AF_UNIX", "SO_PEERCRED", "SCM_RIGHTS"),
        select: ("poll", "epoll"),
        mmap: tuple(name for name in dir(mmap) if name.startswith("MADV_")),
        signal: ("SIGALRM", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "alarm", "pthread_kill", "pthread_sigmask"),
        time: ("tzset",),
    },
}  # fmt: skip

MISSING_MODULES = {
    "darwin": (),
    "win32": ("_posixsubprocess", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"),
}


def become(platform: str) -> None:
    """Let this process look like one on another system."""
    for name in IMPORTED_BEFORE:
        importlib.import_module(name)
    keep_numpys_library()
    add_counterparts(platform)
    for module, names in LACKS[platform].items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for missing in MISSING_MODULES[platform]:
        sys.modules[missing] = None  # type: ignore[assignment]  # what makes `import` fail
    sys.platform = platform


def keep_numpys_library() -> None:
    """Let threadpoolctl look for shared libraries now, as it does on Linux."""
    found = threadpoolctl.ThreadpoolController().lib_controllers
    threadpoolctl.ThreadpoolController._load_libraries = lambda self: self.lib_controllers.extend(found)


def add_counterparts(platform: str) -> None:
    """What only the other system has, as far as the commands need it: no volume has a name there."""
    if platform == "darwin":
        fcntl.F_FULLFSYNC = -1  # type: ignore[attr-defined]  # an invalid command here: fsync is used
        ctypes.CDLL = _SystemLibrary  # type: ignore[assignment,misc]  # that of macOS has getattrlist
    else:
        os.O_BINARY = os.O_NOINHERIT = 0  # type: ignore[attr-defined]
        shutil._use_fd_functions = False  # type: ignore[attr-defined]  # as it is where os has no such functions
        subprocess.CREATE_NEW_PROCESS_GROUP = 0  # type: ignore[attr-defined]
        ctypes.WinDLL = _Kernel  # type: ignore[attr-defined]
        sys.modules["msvcrt"] = posix_msvcrt()


class _SystemLibrary:
    def __init__(self, name: str | None) -> None:
        if name is not None:
            raise OSError(f"{name}: not found")

        def getattrlist(*_: Any) -> int:
            return -1

        self.getattrlist = getattrlist


class _Kernel:
    def __init__(self, name: str) -> None:
        assert name == "kernel32"

    def GetLogicalDrives(self) -> int:
        return 0


def posix_msvcrt() -> ModuleType:
    """Locks of bytes, as _locking of Microsoft's C library, with those of POSIX."""
    lock, exclusive, unlocked = fcntl.lockf, fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_UN
    module = ModuleType("msvcrt")

    def locking(descriptor: int, mode: int, count: int) -> None:
        try:
            lock(descriptor, unlocked if mode == module.LK_UNLCK else exclusive, count, 0, os.SEEK_CUR)
        except BlockingIOError as error:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from error

    module.LK_UNLCK, module.LK_LOCK, module.LK_NBLCK, module.locking = 0, 1, 2, locking  # type: ignore[attr-defined]
    return module


def run(arguments: list[str]) -> dict[str, object]:
    """Exit code and output of a command, and the traceback if it ended with one."""
    from pesearch.cli.main import command_line

    sys.argv = ["pesearch", *arguments]
    before, streams = (sys.stdout, sys.stderr), [io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2)]
    sys.stdout, sys.stderr = streams
    code: object = 0
    trace = ""
    try:
        command_line()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - whatever it is, it is reported
        trace = traceback.format_exc()
    finally:
        sys.stdout, sys.stderr = before
    output, errors = (_written(stream) for stream in streams)
    return {"code": code or 0, "stdout": output, "stderr": errors, "traceback": trace}


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8", "replace")


if __name__ == "__main__":
    become(sys.argv[1])
    for command in sys.argv[2:]:
        print(json.dumps(run(json.loads(command))), flush=True)
