"""Opens a library and its models for indexing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pesearch.encoders.model_registry import default_model_set
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.errors import LibraryNotFound, MediaError
from pesearch.path_scope import PathScope
from pesearch.store.library import Library, create_library, open_library


def require_paths(paths: Sequence[Path], folder: Path) -> None:
    """Raises MediaError for a path where nothing is found, neither on this machine nor in the library in `folder`."""
    if all(map(os.path.lexists, paths)):
        return
    try:
        known = open_library(folder).known()
    except LibraryNotFound:
        known = {}
    if problem := PathScope(paths).problem(known):
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
