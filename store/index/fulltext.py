"""Cues by their words: BM25 (Robertson and Zaragoza 2009, with tantivy's k1 = 1.2, b = 0.75), phrases and prefixes.

A full-text index covers sources of cues; another is made from it by what has come and gone since.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import tantivy

from pesearch.cues import Cue, CueHit, CueKind
from pesearch.store.catalogue.cues import RowIds, StoredCue
from pesearch.store.index.tokenizer import Term, terms, words

TANTIVY_VERSION = version("tantivy")
_HEAP_BYTES = 32 << 20


class TextIndex:
    """A full-text index in memory, or in memory maps; it is never changed. For any thread."""

    def __init__(self, source_ids: RowIds, searcher: tantivy.Searcher) -> None:
        self.source_ids = source_ids
        self._searcher = searcher

    def search(
        self, query: str, k: int, file_ids: frozenset[int] | None = None, kinds: frozenset[CueKind] | None = None
    ) -> list[CueHit]:
        """The k best cues for a query (`store/words.py`) in some files and of some kinds only, when given.

        What is quoted must be there; of plain words the more and the rarer, the better. Equal scores come in the order
        of files and times.
        """
        wanted = _query(terms(query), file_ids, kinds)
        if wanted is None or k < 1:
            return []
        limit = 2 * k
        while True:
            found = self._searcher.search(wanted, limit, count=False).hits
            is_all = len(found) < limit
            best = self._best([each for each in found if is_all or each[0] > found[-1][0]], k)
            if is_all or len(best) >= k:
                return [CueHit(file_id, cue, score, rank) for rank, (score, file_id, cue) in enumerate(best, start=1)]
            limit *= 4  # of equals all are looked at: which of them come first must not depend on chance

    def _best(self, found: Sequence[tuple[float, tantivy.DocAddress]], k: int) -> list[tuple[float, int, Cue]]:
        """The k best, each once. Only those that may be among them are read: there may be many equals."""
        addresses = [address for _, address in found]
        file_ids, starts = (self._searcher.fast_field_values(name, addresses) for name in ("file_id", "start"))
        keys = [(-score, file_id, start) for (score, _), file_id, start in zip(found, file_ids, starts, strict=True)]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        best: dict[tuple[float, int, Cue], None] = {}
        for (score, _, _), equals in groupby(order, key=keys.__getitem__):
            read = {self._read(addresses[at]) for at in equals}
            best |= dict.fromkeys((-score, *each) for each in sorted(read, key=lambda each: _columns(each[1])))
            if len(best) >= k:
                break
        return list(best)[:k]

    def _read(self, address: tantivy.DocAddress) -> tuple[int, Cue]:
        (stored,) = self._searcher.doc(address)["stored"]
        file_id, start, end, text, kind, source, language = json.loads(stored)
        return file_id, Cue(start, end, text, CueKind(kind), source, language)


def index_in(folder: Path | None, source_ids: RowIds, gone: Iterable[int], new: Iterable[StoredCue]) -> TextIndex:
    """The index that lies in `folder`, or an empty one there, without the sources that are gone and with new cues.

    It covers `source_ids` then, and its files may be deleted. Without a folder it is made in memory, which spares the
    disk a tenth of a second.
    """
    index = tantivy.Index(_SCHEMA) if folder is None else tantivy.Index(_SCHEMA, str(folder))
    writer = index.writer(_HEAP_BYTES, num_threads=1)
    for source_id in gone:
        writer.delete_documents_by_query(tantivy.Query.term_query(_SCHEMA, "source_id", source_id))
    for found in new:
        writer.add_document(_document(found))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return TextIndex(source_ids, index.searcher())


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("words", tokenizer_name="whitespace")
    builder.add_text_field("kind", tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("source_id", indexed=True)
    builder.add_unsigned_field("file_id", indexed=True, fast=True)
    builder.add_float_field("start", fast=True)
    builder.add_bytes_field("stored", stored=True)
    return builder.build()


_SCHEMA = _schema()


def _document(found: StoredCue) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("words", " ".join(words(found.cue.text)))
    document.add_text("kind", found.cue.kind.value)
    document.add_unsigned("source_id", found.source_id)
    document.add_unsigned("file_id", found.file_id)
    document.add_float("start", found.cue.start_seconds)
    document.add_bytes("stored", json.dumps([found.file_id, *_columns(found.cue)]).encode())
    return document


def _columns(cue: Cue) -> tuple[float, float, str, str, str, str]:
    return cue.start_seconds, cue.end_seconds, cue.text, cue.kind, cue.source, cue.language


def _query(
    asked: Sequence[Term], file_ids: frozenset[int] | None, kinds: frozenset[CueKind] | None
) -> tantivy.Query | None:
    literal = [(tantivy.Occur.Must, _term(term)) for term in asked if term.is_literal]
    plain = [(tantivy.Occur.Should, _term(term)) for term in asked if not term.is_literal]
    if not asked:
        return None
    parts = [*literal, *plain] if literal else [(tantivy.Occur.Must, tantivy.Query.boolean_query(plain))]
    if file_ids is not None:
        parts.append((tantivy.Occur.Must, _one_of("file_id", sorted(file_ids))))
    if kinds is not None:
        parts.append((tantivy.Occur.Must, _one_of("kind", sorted(kind.value for kind in kinds))))
    return tantivy.Query.boolean_query(parts)


def _one_of(field: str, values: Sequence[int] | Sequence[str]) -> tantivy.Query:
    """A condition that does not change the score."""
    return tantivy.Query.const_score_query(tantivy.Query.term_set_query(_SCHEMA, field, values), 0.0)


def _term(term: Term) -> tantivy.Query:
    *first, last = term.words
    if term.is_prefix and first:
        return tantivy.Query.regex_phrase_query(_SCHEMA, "words", [*first, f"{last}.*"])
    if term.is_prefix:
        return tantivy.Query.regex_query(_SCHEMA, "words", f"{last}.*")
    if first:
        return tantivy.Query.phrase_query(_SCHEMA, "words", list(term.words))
    return tantivy.Query.term_query(_SCHEMA, "words", last)
