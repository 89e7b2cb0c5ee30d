"""The vectors of the cohort's texts, which are embedded once for each library."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

    kept = read_text_vectors(library.folder, models.spaces, COHORT)
    if kept:
        return TextVectors(*(kept.get(space) for space in MEDIA_SPACES))
    vectors = models.embed_texts(COHORT)
    found = {space: values for space in MEDIA_SPACES if (values := vectors.of(space)) is not None}
    keep_text_vectors(library.folder, models.spaces, COHORT, found)
    return vectors
