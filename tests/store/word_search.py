"""Cues by their words, as hits: searches of the product read the columns of the full-text index instead."""

from __future__ import annotations

from pesearch.cues import CueHit, CueKind
from pesearch.store.index.fulltext_query import CueQuery
from pesearch.store.library import Library


def search_cues(
    library: Library,
    query: str,
    k: int,
    file_ids: frozenset[int] | None = None,
    kinds: frozenset[CueKind] | None = None,
) -> list[CueHit]:
    """The k best cues for words, `"a phrase"` or `prefix*`; only in `file_ids`, and of `kinds`, when given."""
    return library.full_text().search(CueQuery.parse(query, kinds), k, file_ids)
