"""Indexing on the Ray at RAY_ADDRESS in a process of its own, to be killed: `LIBRARY PATH...`.

Commits each file by itself and prints the type of each outcome as it comes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pesearch.encoders.model_set import open_model_set
from pesearch.indexer import commit
from pesearch.indexer.cluster.embed import on_ray
from pesearch.indexer.run import index
from pesearch.store.library import open_library


def main(library: str, *paths: str) -> None:
    commit.BATCH_FILES = 1  # no wait for more files
    with on_ray("auto") as embed:
        models = open_model_set("starter", "cpu")
        for outcome in index([Path(path) for path in paths], open_library(Path(library)), models, embed=embed):
            print(type(outcome).__name__, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
