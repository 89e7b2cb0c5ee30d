"""Opens a library together with the models that made it."""

from __future__ import annotations

from pathlib import Path

from pesearch.encoders.model_registry import default_model_set
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.errors import FFmpegMissing, LibraryNotFound, MediaError
from pesearch.search.events.locate import StoredSound, find_stored_sound
from pesearch.store.library import Library, open_library


def open_for_search(folder: Path, device: str, model: str | None = None) -> tuple[Library, ModelSet]:
    """Opens the library in `folder` and its model set, in the same revisions.

    Raises:
        LibraryNotFound: there is no library in that folder.
        ModelMissing, ModelDamaged, DeviceError: its models cannot be loaded.
        ModelMismatch: the library was made with another revision of the models than the one on this machine, or with
            another model set than `model`.
    """
    library = open_library(folder)
    return library, models_of(library, device, model)


def models_of(library: Library, device: str, model: str | None = None) -> ModelSet:
    """Opens the model set of a library, in the same revisions. Raises the same errors as `open_for_search`."""
    models = open_model_set(model or library.model_set, device)
    library.require(models.name, models.spaces)
    return models


def open_for_events(path: Path, folder: Path, model: str | None, device: str) -> tuple[ModelSet, StoredSound | None]:
    """Opens the models to locate sounds in a file, and its stored features if the library in `folder` has them.

    The models are those of `model`, else those of the library if there is one, else the default set.
    Raises MediaError for a path without a media file, ModelMissing, ModelDamaged, DeviceError, FFmpegMissing.
    """
    require_media(path)
    try:
        library = open_library(folder)
    except LibraryNotFound:
        return open_model_set(model or default_model_set(), device), None
    stored = stored_sound(path, library.pinned())
    return open_model_set(model or library.model_set, device), stored


def stored_sound(path: Path, library: Library) -> StoredSound | None:
    """As `find_stored_sound`; None too for a file that cannot be read, which is reported when it is decoded."""
    try:
        return find_stored_sound(path, library)
    except OSError:
        return None


def require_media(path: Path) -> None:
    """Raises MediaError, with the path, unless there is a media file; FFmpegMissing."""
    from pesearch.media.probe import probe  # imports Pillow, which queries do without

    try:
        probe(path)
    except FFmpegMissing:
        raise
    except MediaError as error:
        raise MediaError(f"{path}: {error}") from error
