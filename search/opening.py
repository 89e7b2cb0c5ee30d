"""A library and its models, opened together for questions."""

from __future__ import annotations

from pathlib import Path

from pesearch.encoders.model_registry import default_model_set
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.errors import LibraryNotFound
from pesearch.search.events.locate import StoredSound, stored_sound
from pesearch.store.library import Library, open_library


def open_for_search(folder: Path, device: str) -> tuple[Library, ModelSet]:
    """The library in `folder` and the model set that made it, with the same revisions.

    Raises:
        LibraryNotFound: there is no library in that folder.
        ModelMissing, ModelDamaged, DeviceError: its models cannot be had here.
        ModelMismatch: the models on this machine are another revision than those that made it.
    """
    library = open_library(folder)
    return library, models_of(library, device)


def models_of(library: Library, device: str) -> ModelSet:
    """The model set that made a library, with the same revisions. Errors: as `open_for_search`."""
    models = open_model_set(library.model_set, device)
    library.require(models.name, models.spaces)
    return models


def open_for_events(path: Path, folder: Path, model: str | None, device: str) -> tuple[ModelSet, StoredSound | None]:
    """The models that hear a file, and what the library in `folder` keeps of its sound, if it knows the file.

    The models are those of `model`, else those of the library that knows the file, else the default ones.
    Raises ModelMissing, ModelDamaged, DeviceError.
    """
    try:
        stored = stored_sound(path, open_library(folder).pinned())
    except (LibraryNotFound, OSError):
        stored = None  # a file that cannot be read is told of when it is opened
    named = model or (stored.library.model_set if stored else default_model_set())
    return open_model_set(named, device), stored
