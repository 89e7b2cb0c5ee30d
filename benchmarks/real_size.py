"""Model sets with random weights, of real size and tiny."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.encoders.model_set import ModelSet, open_model_set
from tests.encoders.checkpoints import SHARED_TINY, SMALL, Size


@dataclass(frozen=True, slots=True)
class SetSize:
    """The size of the models: `core` is open_clip's name of PE-Core, `model_set` the known set that they stand for."""

    model_set: str
    size: Size
    core: str | None


SETS = {
    "small": SetSize("small", replace(SMALL, frames=16), "PE-Core-L-14-336"),
    "tiny": SetSize("starter", SHARED_TINY, None),
}


def open_built(wanted: SetSize, folder: Path, device: str) -> ModelSet:
    """Open the set of a folder, with all models loaded. Its models must share tower and codec."""
    models = open_model_set(wanted.model_set, device, folder)
    if not (models.shares_tower() and models.shares_codec()):
        raise RuntimeError("the built models do not share tower and codec")
    return models
