"""Full-text search in cues: BM25 (Robertson and Zaragoza 2009, with tantivy's k1 = 1.2, b = 0.75), phrases, prefixes.

An index covers a set of cue sources; the next one is made from it by removing and adding the sources that changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import numpy as np
import tantivy

from pesearch.cues import Cue, CueHit
from pesearch.store.catalogue.cues import RowIds, StoredCue
from pesearch.store.index.fulltext_document import SCHEMA, columns, documents
from pesearch.store.index.fulltext_phrases import Lines, find_across_lines
from pesearch.store.index.fulltext_query import CueQuery, CueScope, compile_query, unscored
from pesearch.store.index.fulltext_rows import CueRows, read_document

TANTIVY_VERSION = version("tantivy")
_WRITER_HEAP_BYTES = 16 << 20
"""Of documents before they become a segment, about 40,000 cues; tantivy needs 15 MB. Twice as much takes as long."""
_LIMIT_FACTOR = 4


class FullTextIndex:
    """A full-text index in memory or memory-mapped. Immutable; safe to share among threads."""

    def __init__(self, source_ids: RowIds, searcher: tantivy.Searcher) -> None:
        self.source_ids = source_ids
        self._searcher = searcher

    def search(self, query: CueQuery, k: int, file_ids: frozenset[int] | None = None) -> list[CueHit]:
        """The k best cues for a query; only in `file_ids` when given.

        Cues with equal scores come in the order of files and times. A cue in two sources of a file comes once.
        """
        scope, best = None if file_ids is None else CueScope(file_ids), list[tuple[float, int, Cue]]()
        for count in _limits(k, self._searcher.num_docs) if k > 0 else ():
            rows = self.rows(query, count, scope)
            best = _read_distinct(rows, k)
            if rows.is_complete or len(best) == k:
                break
        return [CueHit(file_id, cue, score, rank) for rank, (score, file_id, cue) in enumerate(best, start=1)]

    def count(self, query: CueQuery, scope: CueScope | None = None) -> int:
        """The number of cues that a query finds; one in two sources of a file counts twice."""
        return _count(self._searcher, compile_query(query, scope))

    def rows(self, query: CueQuery, min_count: int | None = None, scope: CueScope | None = None) -> CueRows:
        """The cues that a query finds, best first, and those with equal scores in the order of files and times.

        At least the `min_count` best and all with the same score as one of them; by default all.
        """
        compiled, documents = compile_query(query, scope), self._searcher.num_docs
        for limit in [documents + 1] if min_count is None else _limits(min_count, documents):
            found = self._searcher.search(compiled, limit, count=False).hits
            is_complete = len(found) < limit
            # The best documents end in a tie, and more with that score may follow: it is left out.
            best = [hit for hit in found if is_complete or hit[0] > found[-1][0]]
            if is_complete or (min_count is not None and len(best) >= min_count):
                break
        return CueRows.of(self._searcher, best, is_complete)

    def read(self, address: tantivy.DocAddress) -> tuple[int, Cue]:
        """The cue at an address of `CueRows`, with its file id."""
        return read_document(self._searcher, address)

    def across_lines(self, words: Sequence[str], file_ids: frozenset[int] | None = None) -> list[Lines]:
        """All lines of subtitles in which a phrase begins in one and ends in a later one."""
        return find_across_lines(words, _LineFinder(self._searcher, file_ids)) if len(words) > 1 else []


class _LineFinder:
    """Searches for lines of subtitles in some files, or in all."""

    def __init__(self, searcher: tantivy.Searcher, file_ids: frozenset[int] | None) -> None:
        self._searcher = searcher
        self._file_ids = file_ids

    def count(self, query: tantivy.Query, /) -> int:
        return _count(self._searcher, query)

    def find(self, query: tantivy.Query, file_ids: frozenset[int] | None = None, /) -> CueRows:
        within = [each for each in (self._file_ids, file_ids) if each is not None]
        if within:
            condition = unscored("file_id", sorted(frozenset.intersection(*within)))
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, condition)])
        found = self._searcher.search(query, self._searcher.num_docs + 1, count=False).hits
        return CueRows.of(self._searcher, found)


def _count(searcher: tantivy.Searcher, query: tantivy.Query) -> int:
    return int(searcher.search(query, 1).count)  # type: ignore[attr-defined]  # tantivy's stubs leave it out


def _read_distinct(rows: CueRows, k: int) -> list[tuple[float, int, Cue]]:
    """The k best without duplicates. Only documents that may be among them are read: ties can be long."""
    keys = list(zip((-rows.scores).tolist(), rows.file_ids.tolist(), rows.starts.tolist(), strict=True))
    best: dict[tuple[float, int, Cue], None] = {}
    for (score, _, _), ties in groupby(range(len(keys)), key=keys.__getitem__):
        cues = set(rows.take(np.array(list(ties))).read())
        best |= dict.fromkeys((-score, *cue) for cue in sorted(cues, key=lambda cue: columns(cue[1])))
        if len(best) >= k:
            break
    return list(best)[:k]


def _limits(count: int, documents: int) -> Iterator[int]:
    """Growing numbers of documents to search for; the last is more than there are, so that it finds all."""
    limit = 2 * max(count, 1)
    while limit <= documents:
        yield limit
        limit *= _LIMIT_FACTOR
    yield documents + 1


def build_fulltext(
    folder: Path | None, source_ids: RowIds, removed: Iterable[int], added: Iterable[StoredCue]
) -> FullTextIndex:
    """The index in `folder` (empty when there is none) without the `removed` sources and with the `added` cues.

    The new index covers `source_ids`, and its files may be deleted. Without a folder it is built in memory, which saves
    0.1 s of disk access. The cues of a source come one after the other, in order of time.
    """
    index = tantivy.Index(SCHEMA) if folder is None else tantivy.Index(SCHEMA, str(folder))
    writer = index.writer(_WRITER_HEAP_BYTES, num_threads=1)
    for source_id in removed:
        writer.delete_documents_by_query(tantivy.Query.term_query(SCHEMA, "source_id", source_id))
    for document in documents(added):
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return FullTextIndex(source_ids, index.searcher())
