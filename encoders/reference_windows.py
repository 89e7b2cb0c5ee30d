"""The reference windows of a model set: a safetensors file beside its three models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from pesearch.errors import ModelDamaged
from pesearch.matching import ReferenceWindows
from pesearch.types import Space

REFERENCE_FILE = "reference_windows.safetensors"
"""For each space, `NAME` float16 [n, dim] and `NAME.counts` int64 [windows], as in ReferenceWindows."""


def find_reference(folder: Path, spaces: Sequence[Space]) -> ReferenceWindows | None:
    """The reference windows in the folder of a set, in these spaces; None if there is no file. Raises ModelDamaged."""
    from safetensors.numpy import load_file

    path = folder / REFERENCE_FILE
    if not path.exists():
        return None
    try:
        tensors = load_file(path)
        return ReferenceWindows(
            {space.name: tensors[space.name].astype(np.float32) for space in spaces},
            {space.name: tensors[f"{space.name}.counts"] for space in spaces},
        )
    except (OSError, SafetensorError, KeyError) as error:
        raise ModelDamaged(f"{path} cannot be read ({error}): fetch the model set again.") from error


def write_reference(folder: Path, reference: ReferenceWindows) -> Path:
    """Writes the file into the folder of a set."""
    from safetensors.numpy import save_file

    vectors = {str(name): vectors.astype(np.float16) for name, vectors in reference.vectors.items()}
    counts = {f"{name}.counts": counts for name, counts in reference.counts.items()}
    save_file({**vectors, **counts}, folder / REFERENCE_FILE)
    return folder / REFERENCE_FILE
