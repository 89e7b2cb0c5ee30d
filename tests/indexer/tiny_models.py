"""The three models in the classes and file formats of the real ones, so small that a clip takes a moment."""

from __future__ import annotations

import json
from pathlib import Path

from pesearch.encoders.libraries import load_open_clip, silent
from tests.encoders.conftest import TINY, save_pe_a_frame, save_pe_av

_TOWER = "vit_pe_core_starter_patch8_64"
_CORE = {
    "embed_dim": 16,
    "vision_cfg": {"timm_model_name": _TOWER, "timm_pool": "map", "timm_proj": None, "image_size": 64},
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    "custom_text": True,
}


def save_tiny_models(folder: Path) -> Path:
    """Writes pe_core/, pe_av/ and pe_a_frame/ with random weights into a folder."""
    _save_pe_core(folder / "pe_core")
    save_pe_av(TINY, folder / "pe_av")
    save_pe_a_frame(TINY, folder / "pe_a_frame")
    return folder


def _save_pe_core(path: Path) -> None:
    from safetensors.torch import save_file

    open_clip = load_open_clip()
    import pesearch.encoders.starter_tower  # noqa: F401 (makes the tower known to timm)

    with silent():
        model = open_clip.CustomTextCLIP(**{name: _CORE[name] for name in ("embed_dim", "vision_cfg", "text_cfg")})
    path.mkdir(parents=True)
    preprocessing = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
    (path / "open_clip_config.json").write_text(json.dumps({"model_cfg": _CORE, "preprocess_cfg": preprocessing}))
    save_file(
        {name: value.contiguous() for name, value in model.state_dict().items()}, path / "open_clip_model.safetensors"
    )
