"""A model folder in the hub's layout: missing files, vector dimension, revision."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pesearch.encoders.model_registry import PACKAGE_FOLDER, ModelSource
from pesearch.errors import ModelDamaged

_CONFIGS = {
    "pe_core": ("open_clip_config.json",),
    "pe_av": ("config.json", "tokenizer.json", "tokenizer_config.json"),
    "pe_a_frame": ("config.json", "tokenizer.json", "tokenizer_config.json"),
}
"""Required configuration files, by part."""

_VIDEO_PROCESSORS = ("video_preprocessor_config.json", "processor_config.json")
"""PE-AV needs one of these."""

_WEIGHTS = {"pe_core": "open_clip_model", "pe_av": "model", "pe_a_frame": "model"}
"""Stem of the safetensors files, by part."""

_SAMPLE_BYTES = 1 << 20
"""Hashed at the start and at the end of each weights file."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model on disk. `dim` is the dimension of its vectors according to its own configuration."""

    path: Path
    repo: str
    revision: str
    dim: int
    image_size: int | None


def open_folder(path: Path, source: ModelSource) -> ModelFolder:
    """The model in `path`. Raises ModelDamaged if files are missing or unreadable."""
    if missing := missing_files(path, source.part):
        raise ModelDamaged(f"{path} lacks {', '.join(missing)}: it is not a complete {source.part} model.")
    revision = _digest(path) if source.packaged else source.revision
    return ModelFolder(path, source.repo, revision, _dim(path, source), source.image_size)


def config_files(part: str) -> tuple[str, ...]:
    """Names of the configuration files that a model of this part needs."""
    return _CONFIGS[part]


def remedy(path: Path) -> str:
    """What a user can do about a damaged model in a folder, as the end of a sentence."""
    return "install pesearch again" if path.is_relative_to(PACKAGE_FOLDER) else "fetch the model again"


def missing_files(path: Path, part: str) -> list[str]:
    """Names of the required files that `path` lacks; broken links count as missing. Raises OSError."""
    missing = [name for name in config_files(part) if not (path / name).exists()]
    if part == "pe_av" and not any((path / name).exists() for name in _VIDEO_PROCESSORS):
        missing.append(_VIDEO_PROCESSORS[0])
    return missing + [file.name for file in weight_files(path, part) if not file.exists()]


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises ModelDamaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelDamaged(f"{path} cannot be read: {error}: {remedy(path)}.") from error
    if not isinstance(content, dict):
        raise ModelDamaged(f"{path} is not a JSON object: {remedy(path)}.")
    return content


def weight_files(path: Path, part: str) -> list[Path]:
    """The safetensors files of a model: one, or the shards listed in its index."""
    index = path / f"{_WEIGHTS[part]}.safetensors.index.json"
    if not index.exists():
        return [path / f"{_WEIGHTS[part]}.safetensors"]
    return [path / name for name in sorted(set(read_json(index).get("weight_map", {}).values()))]


def _dim(path: Path, source: ModelSource) -> int:
    """PE-Core embeds into `embed_dim` dimensions; PE-AV and PE-A-Frame into the width of their text tower."""
    if source.part == "pe_core":
        found = read_json(path / "open_clip_config.json").get("model_cfg", {}).get("embed_dim")
    else:
        found = read_json(path / "config.json").get("text_config", {}).get("hidden_size", source.dim)
    if not isinstance(found, int):
        raise ModelDamaged(f"{path} does not state the dimension of its vectors: {remedy(path)}.")
    return found


def _digest(path: Path) -> str:
    """A revision for packaged weights: a hash of their size, their first and their last MiB."""
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(path.glob("*.safetensors")):
        size = file.stat().st_size
        digest.update(f"{file.name} {size}\n".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(_SAMPLE_BYTES))
            stream.seek(max(0, size - _SAMPLE_BYTES))
            digest.update(stream.read(_SAMPLE_BYTES))
    return digest.hexdigest()
