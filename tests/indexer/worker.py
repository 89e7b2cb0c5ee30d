"""Indexes in a process of its own, to be killed: `python -m tests.indexer.worker FOLDER LIBRARY MODELS BATCH_FILES`.

Prints the type of each outcome; the last line is the error that ended the run, or "done".
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch

from pesearch.encoders.model_set import open_model_set
from pesearch.errors import PesearchError
from pesearch.indexer import commit
from pesearch.indexer.run import index
from pesearch.store.library import open_library


def main(folder: str, library: str, models: str, batch_files: str) -> None:
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
    commit.BATCH_FILES = int(batch_files)
    try:
        for outcome in index(
            [Path(folder)], open_library(Path(library)), open_model_set("starter", "cpu", Path(models))
        ):
            say(type(outcome).__name__)
    except (PesearchError, KeyboardInterrupt) as error:
        say(type(error).__name__)
    else:
        say("done")


def say(word: str) -> None:
    """One write per line, so that an interruption cannot separate a word from its newline."""
    os.write(sys.stdout.fileno(), f"{word}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
