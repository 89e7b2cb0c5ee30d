"""Indexes in a process of its own, to be stopped: `python -m tests.indexer.worker FOLDER LIBRARY MODELS BATCH_FILES`.

Each line of stdin starts a run. Prints the type of each outcome, and at the end of a run "ended", or "ended by" and the
error.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch

from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.errors import PesearchError
from pesearch.indexer import commit
from pesearch.indexer.run import index
from pesearch.store.library import open_library


def main(folder: str, library: str, models: str, batch_files: str) -> None:
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
    commit.BATCH_FILES = int(batch_files)
    opened = open_model_set("starter", "cpu", Path(models))
    for _ in sys.stdin:
        run(Path(folder), Path(library), opened)


def run(folder: Path, library: Path, models: ModelSet) -> None:
    try:
        for outcome in index([folder], open_library(library), models):
            say(type(outcome).__name__)
    except (PesearchError, KeyboardInterrupt) as error:
        say(f"ended by {type(error).__name__}")
    else:
        say("ended")


def say(line: str) -> None:
    """One write per line, so that an interruption cannot separate a line from its newline."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
