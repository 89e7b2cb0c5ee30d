"""Makes the reference windows of the starter set: python -m training.reference [--set DIR] [--seed 90]

The windows of 48 clips of the generated world, of a seed that is used for nothing else, through the models of the set.
Run it again whenever the set was trained again.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.encoders.reference_windows import write_reference
from pesearch.indexer.run import index
from pesearch.matching import ReferenceWindows
from pesearch.store.library import Library, create_library
from training.world import write_world

CLIPS = 48

STARTER = Path(__file__).parents[1] / "encoders" / "starter"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.reference", description=__doc__)
    parser.add_argument("--set", type=Path, default=STARTER, help="folder of pe_core, pe_av and pe_a_frame")
    parser.add_argument("--seed", type=int, default=90, help="seed of the world (default 90)")
    options = parser.parse_args(arguments)
    models = open_model_set("starter", "cpu", options.set)
    with tempfile.TemporaryDirectory() as folder:
        write_world(Path(folder) / "clips", seed=options.seed, count=CLIPS)
        library = create_library(Path(folder) / "library", models.name, models.spaces)
        for _ in index([Path(folder) / "clips"], library, models):
            pass
        print(write_reference(options.set, reference_of(library, models)))


def reference_of(library: Library, models: ModelSet) -> ReferenceWindows:
    """All vectors of a library of clips of one window each."""
    vectors, counts = {}, {}
    for space in models.spaces:
        stored = [library.vectors(file.id, space.name).vectors for file in library.files()]
        vectors[space.name] = np.concatenate(stored)
        counts[space.name] = np.array([len(rows) for rows in stored])
    return ReferenceWindows(vectors, counts)


if __name__ == "__main__":
    main()
