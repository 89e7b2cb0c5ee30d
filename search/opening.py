"""Opens a library together with the models that made it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pesearch.encoders.model_registry import default_model_set
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.errors import FFmpegMissing, LibraryNotFound, MediaError
from pesearch.search.events.locate import StoredSound, find_stored_sound
from pesearch.store.library import Library, open_library


def open_for_search(folder: Path, device: str) -> tuple[Library, ModelSet]:
    """Opens the library in `folder` and its model set, in the same revisions.

    Raises:
        LibraryNotFound: there is no library in that folder.
        ModelMissing, ModelDamaged, DeviceError: its models cannot be loaded.
        ModelMismatch: the library was made with another revision of the models than the one on this machine.
    """
    library = open_library(folder)
    return library, models_of(library, device)


def models_of(library: Library, device: str) -> ModelSet:
    """Opens the model set of a library, in the same revisions. Raises the same errors as `open_for_search`."""
    models = open_model_set(library.model_set, device)
    library.require(models.name, models.spaces)
    return models


def open_for_events(path: Path, folder: Path, model: str | None, device: str) -> tuple[ModelSet, StoredSound | None]:
    """Opens the models to locate sounds in a file, and its stored features if the library in `folder` has them.

    The models are those of `model`, else those of the library if there is one, else the default set.
    Raises MediaError for a path without a media file, ModelMissing, ModelDamaged, DeviceError, FFmpegMissing.
    """
    from pesearch.media.probe import probe  # imports Pillow, which queries do without

    try:
        probe(path)
    except FFmpegMissing:
        raise
    except MediaError as error:
        raise MediaError(f"{path}: {error}") from error
    try:
        library = open_library(folder)
    except LibraryNotFound:
        return open_model_set(model or default_model_set(), device), None
    stored = None
    with suppress(OSError):  # an unreadable file is reported when it is decoded
        stored = find_stored_sound(path, library.pinned())
    return open_model_set(model or library.model_set, device), stored
