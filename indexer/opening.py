"""Opens a library and its models for indexing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from pesearch.encoders.model_registry import default_model_set
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.errors import LibraryNotFound, MediaError
from pesearch.locations import is_gone
from pesearch.path_scope import PathScope
from pesearch.store.library import Library, create_library, open_library


def require_paths(paths: Sequence[Path], folder: Path) -> None:
    """Raises MediaError for a path where there certainly is nothing, and which the library in `folder` does not know.

    What cannot be read now, because of permissions or a drive that fails, is left to the run.
    """
    gone = [path for path in paths if is_gone(path)]
    if not gone:
        return
    try:
        known: Collection[Path] = open_library(folder).known()
    except LibraryNotFound:
        known = ()
    if problem := PathScope(gone).problem(known):
        raise MediaError(problem)


def open_for_indexing(folder: Path, model: str | None, device: str) -> tuple[Library, ModelSet]:
    """Opens the library in `folder` with its models, or creates it for `model` (default: the machine's default set).

    Raises:
        ModelMismatch: the library was made with another model set than `model`.
        UnknownModel, ModelMissing, DeviceError: the models are not available; no library is created then.
    """
    try:
        library = open_library(folder)
    except LibraryNotFound:
        models = open_model_set(model or default_model_set(), device)
        return create_library(folder, models.name, models.spaces), models
    models = open_model_set(model or library.model_set, device)
    library.require(models.name, models.spaces)
    return library, models
