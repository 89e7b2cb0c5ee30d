"""A model on disk, as the hub lays it out: is it whole, how long are its vectors, which revision is it?"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pesearch.encoders.model_registry import ModelSource
from pesearch.errors import ModelDamaged

_CONFIGS = {
    "pe_core": ("open_clip_config.json",),
    "pe_av": ("config.json", "tokenizer.json", "tokenizer_config.json"),
    "pe_a_frame": ("config.json", "tokenizer.json", "tokenizer_config.json"),
}
_VIDEO_PROCESSORS = ("video_preprocessor_config.json", "processor_config.json")
_WEIGHTS = {"pe_core": "open_clip_model", "pe_av": "model", "pe_a_frame": "model"}
_SAMPLE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """One model on this machine. `dim` is the length of its vectors as its own configuration says."""

    path: Path
    repo: str
    revision: str
    dim: int
    image_size: int | None


def open_folder(path: Path, source: ModelSource) -> ModelFolder:
    """The model in `path`. Raises ModelDamaged when files are missing or do not fit the catalogue."""
    if missing := missing_files(path, source.part):
        raise ModelDamaged(f"{path} lacks {', '.join(missing)}: it is not a whole {source.part} model.")
    revision = _digest(path) if source.packaged else source.revision
    return ModelFolder(path, source.repo, revision, _dim(path, source), source.image_size)


def missing_files(path: Path, part: str) -> list[str]:
    """The files that the model in `path` cannot do without and that are not there; broken links count as missing."""
    missing = [name for name in _CONFIGS[part] if not (path / name).exists()]
    if part == "pe_av" and not any((path / name).exists() for name in _VIDEO_PROCESSORS):
        missing.append(_VIDEO_PROCESSORS[0])
    return missing + [file.name for file in _weights(path, part) if not file.exists()]


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises ModelDamaged when it cannot be read as one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelDamaged(f"{path} cannot be read: {error}. Fetch the model again.") from error
    if not isinstance(content, dict):
        raise ModelDamaged(f"{path} is not a JSON object. Fetch the model again.")
    return content


def _weights(path: Path, part: str) -> list[Path]:
    """The safetensors files of a model: one, or the shards that its index names."""
    index = path / f"{_WEIGHTS[part]}.safetensors.index.json"
    if not index.exists():
        return [path / f"{_WEIGHTS[part]}.safetensors"]
    return [path / name for name in sorted(set(read_json(index).get("weight_map", {}).values()))]


def _dim(path: Path, source: ModelSource) -> int:
    """PE-Core embeds into `embed_dim`; PE-AV and PE-A-Frame into the width of their text tower."""
    if source.part == "pe_core":
        found = read_json(path / "open_clip_config.json").get("model_cfg", {}).get("embed_dim")
    else:
        found = read_json(path / "config.json").get("text_config", {}).get("hidden_size", source.dim)
    if not isinstance(found, int):
        raise ModelDamaged(f"{path} does not say how long its vectors are. Fetch the model again.")
    return found


def _digest(path: Path) -> str:
    """What identifies weights that have no revision: a hash of their size, their first and their last MiB."""
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(path.glob("*.safetensors")):
        size = file.stat().st_size
        digest.update(f"{file.name} {size}\n".encode())
        with file.open("rb") as stream:
            digest.update(stream.read(_SAMPLE_BYTES))
            stream.seek(max(0, size - _SAMPLE_BYTES))
            digest.update(stream.read(_SAMPLE_BYTES))
    return digest.hexdigest()
