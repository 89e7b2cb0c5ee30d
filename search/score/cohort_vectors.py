"""The vectors of the cohort's texts, which are embedded once for each library, and once for those of a process."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pesearch.search.score.cohort import COHORT
from pesearch.store.index.text_vectors import keep_text_vectors, read_text_vectors
from pesearch.types import MEDIA_SPACES

if TYPE_CHECKING:
    from pesearch.encoders.io_types import TextVectors
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library


def cohort_vectors(library: Library, models: ModelSet) -> TextVectors:
    """The vectors of COHORT in all spaces of the models, kept in the library."""
    from pesearch.encoders.io_types import TextVectors

    spaces = [space for space in models.spaces if space.name in MEDIA_SPACES]
    kept = read_text_vectors(library.folder, spaces, COHORT)
    if kept:
        return TextVectors(*(kept.get(space) for space in MEDIA_SPACES))
    vectors = _embedded(models)
    found = {space.name: values for space in spaces if (values := vectors.of(space.name)) is not None}
    if len(found) == len(spaces):
        keep_text_vectors(library.folder, spaces, COHORT, found)
    return vectors


_EMBEDDED: WeakKeyDictionary[ModelSet, TextVectors] = WeakKeyDictionary()


def _embedded(models: ModelSet) -> TextVectors:
    """The vectors of COHORT by these models, which may search several libraries."""
    if models not in _EMBEDDED:
        _EMBEDDED[models] = models.embed_texts(COHORT)
    return _EMBEDDED[models]
