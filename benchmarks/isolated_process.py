"""Work in a process of its own, so that its peak memory and its page cache are those of that work alone."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn, TypeVar

Result = TypeVar("Result")


def run_isolated(
    work: Callable[[Path, str], Result], folder: Path, name: str, limit: float | None = None
) -> Result | None:
    """The result of some work in a separate process; None when it takes longer than `limit` seconds."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, work, folder, name))
    process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(limit) else None
    except EOFError:
        exit_died(name)
    finally:
        process.kill()
        process.join()


def _send(sender: Connection, work: Callable[[Path, str], object], folder: Path, name: str) -> None:
    sender.send(work(folder, name))


def exit_died(name: str) -> NoReturn:
    """End the benchmark because the process of `name` ended without a result."""
    sys.exit(f"{name} ended with an error; its output is above")


def peak_bytes() -> int:
    """The largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def drop_from_page_cache(folder: Path) -> None:
    """Drop the files of a folder from the page cache."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
