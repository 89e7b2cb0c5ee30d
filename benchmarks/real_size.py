"""A model set with random weights, built in a folder as the hub lays it out.

As is expected of the real weights, PE-Core's image tower holds the same tensors as PE-AV's, and PE-A-Frame's codec the
same as PE-AV's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file, save_file

from pesearch.encoders.model_set import ModelSet, open_model_set
from tests.encoders.checkpoints import SMALL, TINY, Size, save_pe_a_frame, save_pe_av, save_pe_core

CODEC_PARTS = ("embedder.dac_encoder.", "embedder.bottleneck.")


@dataclass(frozen=True, slots=True)
class SetSize:
    """How large the models are: `core` is open_clip's name of PE-Core, and `model_set` the known set they stand for."""

    model_set: str
    size: Size
    core: str | None


SETS = {
    "small": SetSize("small", replace(SMALL, frames=16), "PE-Core-L-14-336"),
    "tiny": SetSize(
        "starter",
        replace(TINY, vision={"architecture": "vit_pe_core_starter_patch8_64", "num_classes": 32}, image_size=64),
        None,
    ),
}


def build_set(wanted: SetSize, folder: Path) -> None:
    """Saves pe_core/, pe_av/ and pe_a_frame/; the small set takes 8 GB."""
    windows = save_pe_av(wanted.size, folder / "pe_av") / "model.safetensors"
    frames = save_pe_core(folder / "pe_core", wanted.core) / "open_clip_model.safetensors"
    events = save_pe_a_frame(wanted.size, folder / "pe_a_frame") / "model.safetensors"
    copy_weights(windows, frames, _of_tower)
    copy_weights(windows, events, _of_codec)


def open_built(wanted: SetSize, folder: Path, device: str) -> ModelSet:
    """The set of that folder, loaded whole. Its models must share tower and codec."""
    models = open_model_set(wanted.model_set, device, folder)
    if not (models.shares_tower and models.shares_codec):
        raise RuntimeError("the models that were built do not share their tower and their codec")
    return models


def copy_weights(source: Path, target: Path, part: Callable[[str], str | None]) -> None:
    """Puts tensors of one file in the place of those of another which `part` calls the same; None: another part."""
    weights = load_file(target)
    wanted = {called: name for name in weights if (called := part(name)) is not None}
    with safe_open(source, "pt") as theirs:
        found = {called: name for name in theirs.keys() if (called := part(name)) is not None}  # noqa: SIM118
        weights |= {name: theirs.get_tensor(found[called]) for called, name in wanted.items()}
    save_file(weights, target, metadata={"format": "pt"})


def _of_tower(name: str) -> str | None:
    _, found, rest = name.replace("visual.trunk.", "timm_model.").partition("timm_model.")
    return rest if found else None


def _of_codec(name: str) -> str | None:
    return next((name[name.index(part) :] for part in CODEC_PARTS if part in name), None)
