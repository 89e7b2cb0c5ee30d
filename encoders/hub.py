"""Model sets in the Hugging Face cache: their status, and downloads on request.

Only `pull` uses the network. It fetches safetensors, JSON and tokenizer files only: nothing that runs code when it is
loaded.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.disk_usage import size_on_disk
from pesearch.encoders.model_files import ModelFolder, config_files, missing_files, open_folder, remedy
from pesearch.encoders.model_registry import MODEL_SETS, PACKAGED, ModelSetDescription, ModelSource
from pesearch.errors import ModelDamaged, ModelError, ModelMissing, first_line

HUB_TIMEOUT_SECONDS = 3.0
"""A hub that has not answered the first request by then counts as out of reach."""

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


@dataclass(frozen=True, slots=True)
class Download:
    """What `pull` would fetch of a set: the incomplete models, the bytes still to come, and the room for them.

    `folder` is the Hugging Face cache, which may not exist yet.
    """

    sources: tuple[ModelSource, ...]
    needed_bytes: int
    free_bytes: int
    folder: Path


def status(description: ModelSetDescription) -> tuple[ModelStatus, ModelStatus, ModelStatus]:
    """Status of the set's three models: frames, windows, events. Uses no network.

    Raises ModelError if the Hugging Face cache cannot be read.
    """
    return _status(description.frames), _status(description.windows), _status(description.events)


def is_installed(description: ModelSetDescription) -> bool:
    """Whether all models of a set are on this machine. Raises ModelError if the Hugging Face cache cannot be read."""
    return all(state.complete for state in status(description))


def installed_sets() -> list[str]:
    """The names of the sets on this machine, packaged ones last: they are for demo and tests. Raises ModelError."""
    names = [name for name, description in MODEL_SETS.items() if is_installed(description)]
    return sorted(names, key=lambda name: MODEL_SETS[name].is_packaged)


def find_model_folders(description: ModelSetDescription) -> ModelFolders:
    """The folders of the three models. Raises ModelDamaged, or ModelMissing with the command that fetches them."""
    absent = [state.source for state in status(description) if not state.complete]
    if any(source.packaged for source in absent):
        raise ModelDamaged(f"The {description.name} models are not in this installation: install pesearch again.")
    if absent:
        download = plan_download(description)
        raise ModelMissing(
            f"The model set {description.name} is not on this machine: fetch it with "
            f"`pesearch models pull {description.name}` ({_gigabytes(download.needed_bytes)}; {download.folder} has "
            f"{_gigabytes(download.free_bytes)} free).",
            description.name,
        )
    return ModelFolders(*(_checked(source) for source in description.sources))


def folders_in(folder: Path, description: ModelSetDescription) -> ModelFolders:
    """The models in `folder`/pe_core, pe_av and pe_a_frame instead of the registered weights. Raises ModelDamaged."""
    parts = [replace(known, repo=description.name, revision=PACKAGED, image_size=None) for known in description.sources]
    return ModelFolders(*(open_folder(folder / part.part, part) for part in parts))


def plan_download(description: ModelSetDescription) -> Download:
    """What `pull` would fetch. Uses no network. Raises ModelError if the cache or its disk cannot be read."""
    missing = [state for state in status(description) if not state.complete and not state.source.packaged]
    cache = _cache()
    with _cache_errors():
        free = shutil.disk_usage(next(each for each in (cache, *cache.parents) if each.is_dir())).free
    needed = sum(max(0, state.source.size_bytes - state.present_bytes) for state in missing)
    return Download(tuple(state.source for state in missing), needed, free, cache)


def require_room(download: Download) -> None:
    """Raise ModelError if the disk has no room for all of a download, before any of it is fetched."""
    if download.needed_bytes > download.free_bytes:
        raise ModelError(
            f"{_gigabytes(download.needed_bytes)} are needed, but {download.folder} has "
            f"{_gigabytes(download.free_bytes)} free: make room, or set HF_HOME to a folder on a larger disk."
        )


def pull(description: ModelSetDescription, announce: Callable[[ModelSource], None]) -> None:
    """Download the incomplete models into the Hugging Face cache; `announce` is called before each download.

    The hub's progress bars go to stderr. Raises ModelMissing if the hub is unreachable, which takes
    HUB_TIMEOUT_SECONDS at most, or HF_HUB_OFFLINE is set; ModelError if the disk has no room for all of them.
    """
    download = plan_download(description)
    require_room(download)
    if download.sources:
        _require_hub(download.sources[0])
    for source in download.sources:
        announce(source)
        _download(source)
    find_model_folders(description)


def _status(source: ModelSource) -> ModelStatus:
    with _cache_errors():
        folder = source.packaged_folder if source.packaged else _cached(source)
        if folder is None or not folder.is_dir():
            return ModelStatus(source, None, 0, False)
        return ModelStatus(source, folder, size_on_disk(folder), not missing_files(folder, source.part))


def _cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


@contextmanager
def _cache_errors() -> Iterator[None]:
    """Turn a cache that cannot be read into a one-line error."""
    try:
        yield
    except OSError as error:
        raise ModelError(
            f"the Hugging Face cache {_cache()} cannot be read: {error.strerror or first_line(error)}. "
            "Give this user access to it, or set HF_HOME to another folder."
        ) from error


def _cached(source: ModelSource) -> Path | None:
    """The snapshot of the revision in the Hugging Face cache, complete or not. Raises OSError."""
    from huggingface_hub.file_download import repo_folder_name

    repo = _cache() / repo_folder_name(repo_id=source.repo, repo_type="model")
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
        raise ModelDamaged(f"{folder} has vectors of {found.dim} dimensions, not {source.dim}: {remedy(folder)}.")
    return found


def _require_hub(source: ModelSource) -> None:
    """Raise ModelMissing unless the hub answers one request, made without retries, within HUB_TIMEOUT_SECONDS.

    What it answers does not matter: the download reports it. The request is made in a thread, because looking up the
    name of a host has no time limit of its own.
    """
    from huggingface_hub import constants, errors, get_hf_file_metadata, hf_hub_url

    if constants.HF_HUB_OFFLINE:
        raise ModelMissing(f"{source.repo} was not fetched: HF_HUB_OFFLINE is set.")
    url = hf_hub_url(source.repo, config_files(source.part)[0], revision=source.revision)
    threads = ThreadPoolExecutor(1, "pesearch-hub")
    request = threads.submit(get_hf_file_metadata, url, timeout=HUB_TIMEOUT_SECONDS)
    threads.shutdown(wait=False)
    try:
        error = request.exception(timeout=HUB_TIMEOUT_SECONDS)
    except TimeoutError:
        error = TimeoutError(f"no answer in {HUB_TIMEOUT_SECONDS:.0f} s")
    if error is not None and not isinstance(error, errors.HfHubHTTPError):
        raise ModelMissing(
            f"{source.repo} was not fetched: the Hugging Face hub ({constants.ENDPOINT}) cannot be reached "
            f"({first_line(error)})."
        ) from error


def _download(source: ModelSource) -> None:
    from huggingface_hub import snapshot_download

    with _hub_errors(source):
        snapshot_download(source.repo, revision=source.revision, allow_patterns=_DOWNLOAD_PATTERNS[source.part])


@contextmanager
def _hub_errors(source: ModelSource) -> Iterator[None]:
    """Turn errors of huggingface_hub into one-line errors."""
    from huggingface_hub import errors

    try:
        yield
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        raise ModelMissing(
            f"{source.repo} was not fetched: the connection to the Hugging Face hub broke. Run the command again: what "
            "has arrived is kept."
        ) from error
    except errors.HfHubHTTPError as error:
        raise ModelMissing(f"{source.repo} was not fetched: the hub answered {first_line(error)}") from error
    except OSError as error:
        raise ModelError(f"{source.repo} was not fetched: {first_line(error)}") from error


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.2f} GB"
