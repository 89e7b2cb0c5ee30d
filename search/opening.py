"""A library and its models, opened together for questions."""

from __future__ import annotations

from pathlib import Path

from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.store.library import Library, open_library


def open_for_search(folder: Path, device: str) -> tuple[Library, ModelSet]:
    """The library in `folder` and the model set that made it, with the same revisions.

    Raises:
        LibraryNotFound: there is no library in that folder.
        ModelMissing, ModelDamaged, DeviceError: its models cannot be had here.
        OtherModelSet: the models on this machine are another revision than those that made it.
    """
    library = open_library(folder)
    models = open_model_set(library.model_set, device)
    library.require(models.name, models.spaces)
    return library, models
