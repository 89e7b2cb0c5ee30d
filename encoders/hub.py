"""Model sets in the Hugging Face cache: their status, and downloads on request.

Only `pull` uses the network. It fetches safetensors, JSON and tokenizer files only: nothing that runs code when it is
loaded.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.disk_usage import size_on_disk
from pesearch.encoders.model_files import ModelFolder, missing_files, open_folder
from pesearch.encoders.model_registry import PACKAGED, ModelSetDescription, ModelSource
from pesearch.errors import ModelDamaged, ModelError, ModelMissing, first_line

_DOWNLOAD_PATTERNS = {
    "pe_core": ["open_clip_config.json", "open_clip_model*.safetensors*", "*.txt.gz"],
    "pe_av": ["*.json", "model*.safetensors"],
    "pe_a_frame": ["*.json", "model*.safetensors"],
}
"""Files to download, by part."""


@dataclass(frozen=True, slots=True)
class ModelFolders:
    """The folders of a set's three models."""

    frames: ModelFolder
    windows: ModelFolder
    events: ModelFolder


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """Installation status of a model: its folder (None if there is none), size on disk, and completeness."""

    source: ModelSource
    folder: Path | None
    present_bytes: int
    complete: bool


def status(description: ModelSetDescription) -> tuple[ModelStatus, ModelStatus, ModelStatus]:
    """Status of the set's three models: frames, windows, events. Uses no network."""
    return _status(description.frames), _status(description.windows), _status(description.events)


def find_model_folders(description: ModelSetDescription) -> ModelFolders:
    """The folders of the three models. Raises ModelDamaged, or ModelMissing with the command that fetches them."""
    absent = [state.source for state in status(description) if not state.complete]
    if any(source.packaged for source in absent):
        raise ModelDamaged(f"The {description.name} models are not in this installation: install pesearch again.")
    if absent:
        raise ModelMissing(
            f"The model set {description.name} is not on this machine "
            f"({', '.join(source.repo for source in absent)}; about {_gigabytes(sum(s.size_bytes for s in absent))}): "
            f"fetch it with `pesearch models pull {description.name}`, or use `--model starter`."
        )
    return ModelFolders(*(_checked(source) for source in description.sources))


def folders_in(folder: Path, description: ModelSetDescription) -> ModelFolders:
    """The models in `folder`/pe_core, pe_av and pe_a_frame instead of the registered weights. Raises ModelDamaged."""
    parts = [replace(known, repo=description.name, revision=PACKAGED, image_size=None) for known in description.sources]
    return ModelFolders(*(open_folder(folder / part.part, part) for part in parts))


def pull(description: ModelSetDescription, announce: Callable[[ModelSource], None]) -> None:
    """Download the incomplete models into the Hugging Face cache; `announce` is called before each download.

    The hub's progress bars go to stderr. Raises ModelMissing if the hub is unreachable or HF_HUB_OFFLINE is set,
    ModelError if the disk has no room.
    """
    for state in status(description):
        if state.complete or state.source.packaged:
            continue
        _check_room(state)
        announce(state.source)
        _download(state.source)
    find_model_folders(description)


def _status(source: ModelSource) -> ModelStatus:
    folder = source.packaged_folder if source.packaged else _cached(source)
    if folder is None or not folder.is_dir():
        return ModelStatus(source, None, 0, False)
    return ModelStatus(source, folder, size_on_disk(folder), not missing_files(folder, source.part))


def _cached(source: ModelSource) -> Path | None:
    """The snapshot of the revision in the Hugging Face cache, complete or not."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    repo = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=source.repo, repo_type="model")
    reference = repo / "refs" / source.revision
    revision = reference.read_text(encoding="utf-8").strip() if reference.is_file() else source.revision
    snapshot = repo / "snapshots" / revision
    return snapshot if snapshot.is_dir() else None


def _checked(source: ModelSource) -> ModelFolder:
    folder = _status(source).folder
    if folder is None:
        raise ModelMissing(f"{source.repo} was deleted by another process: fetch the model again.")
    found = open_folder(folder, source)
    if found.dim != source.dim:
        raise ModelDamaged(f"{folder} has vectors of {found.dim} dimensions, not {source.dim}: fetch the model again.")
    return found


def _check_room(state: ModelStatus) -> None:
    from huggingface_hub import constants

    cache = Path(constants.HF_HUB_CACHE)
    disk = next(folder for folder in (cache, *cache.parents) if folder.is_dir())
    needed, free = state.source.size_bytes - state.present_bytes, shutil.disk_usage(disk).free
    if needed > free:
        raise ModelError(
            f"{state.source.repo} needs {_gigabytes(needed)}, but {disk} has {_gigabytes(free)} free: "
            "make room, or set HF_HOME to a folder on a larger disk."
        )


def _download(source: ModelSource) -> None:
    from huggingface_hub import snapshot_download

    with _hub_errors(source):
        snapshot_download(source.repo, revision=source.revision, allow_patterns=_DOWNLOAD_PATTERNS[source.part])


@contextmanager
def _hub_errors(source: ModelSource) -> Iterator[None]:
    """Turn errors of huggingface_hub into one-line errors."""
    from huggingface_hub import constants, errors

    try:
        yield
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        why = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else "the Hugging Face hub cannot be reached"
        raise ModelMissing(f"{source.repo} was not fetched: {why}. `--model starter` works offline.") from error
    except errors.HfHubHTTPError as error:
        raise ModelMissing(f"{source.repo} was not fetched: the hub answered {first_line(error)}") from error
    except OSError as error:
        raise ModelError(f"{source.repo} was not fetched: {first_line(error)}") from error


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB"
