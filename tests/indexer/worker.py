"""Indexing in a process of its own, to be killed: `python worker.py FOLDER LIBRARY MODELS [LARGEST_FILE_BYTES]`.

Says each outcome's kind on stdout as it comes; the last line is the error that ended it, or "done".
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

import torch

from pesearch.encoders.model_set import open_model_set
from pesearch.errors import PesearchError
from pesearch.indexer.run import index
from pesearch.store.library import open_library


def main(folder: str, library: str, models: str, largest_file_bytes: str = "") -> None:
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
    if largest_file_bytes:
        limit = int(largest_file_bytes)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
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
    """One write a line, so that an interruption cannot part a word from its end."""
    os.write(sys.stdout.fileno(), f"{word}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
