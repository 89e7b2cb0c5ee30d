"""Model sets with random weights, of real size and tiny."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.encoders.model_set import ModelSet, open_model_set
from tests.encoders.checkpoints import SHARED_TINY, SMALL, Size


@dataclass(frozen=True, slots=True)
class SetSize:
    """The size of the models: `core` is open_clip's name of PE-Core, `model_set` the known set that they stand for.

    `shares_tower`: PE-Core and PE-AV have the same image tower.
    """

    model_set: str
    size: Size
    core: str | None
    shares_tower: bool = True


SETS = {
    "small": SetSize("small", replace(SMALL, frames=16), "PE-Core-L-14-336"),
    "light": SetSize("light", SMALL, "PE-Core-B-16", shares_tower=False),
    "tiny": SetSize("starter", SHARED_TINY, None),
}


def open_built(wanted: SetSize, folder: Path, device: str) -> ModelSet:
    """Open the set of a folder, with all models loaded. Its models must share the codec, and the tower if the set
    does."""
    models = open_model_set(wanted.model_set, device, folder)
    if models.shares_tower() != wanted.shares_tower or not models.shares_codec():
        raise RuntimeError("the built models do not share what those of the set share")
    return models
