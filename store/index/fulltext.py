"""Full-text search in cues: BM25 (Robertson and Zaragoza 2009, with tantivy's k1 = 1.2, b = 0.75), phrases, prefixes.

An index covers a set of cue sources; the next one is made from it by removing and adding the sources that changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import tantivy

from pesearch.cues import Cue, CueHit, CueKind
from pesearch.store.catalogue.cues import RowIds, StoredCue
from pesearch.store.index.tokenizer import Term, parse_terms, tokenize

TANTIVY_VERSION = version("tantivy")
_WRITER_HEAP_BYTES = 32 << 20
_LIMIT_FACTOR = 4


class FullTextIndex:
    """A full-text index in memory or memory-mapped. Immutable; safe to share among threads."""

    def __init__(self, source_ids: RowIds, searcher: tantivy.Searcher) -> None:
        self.source_ids = source_ids
        self._searcher = searcher

    def search(
        self, query: str, k: int, file_ids: frozenset[int] | None = None, kinds: frozenset[CueKind] | None = None
    ) -> list[CueHit]:
        """The k best cues for a query (`tokenizer.parse_terms`); only in `file_ids` and of `kinds` when given.

        Quoted terms must match; of the others a cue may match any, and scores higher the more and the rarer they are.
        Cues with equal scores come in the order of files and times.
        """
        compiled = _compile(parse_terms(query), file_ids, kinds)
        if compiled is None or k < 1:
            return []
        # If the results end in a tie, more documents with that score may follow: search for more of them, so that the
        # order of ties does not depend on the index.
        for limit in _limits(k, self._searcher.num_docs):
            found = self._searcher.search(compiled, limit, count=False).hits
            is_all = len(found) < limit
            best = self._rank([hit for hit in found if is_all or hit[0] > found[-1][0]], k)
            if is_all or len(best) >= k:
                break
        return [CueHit(file_id, cue, score, rank) for rank, (score, file_id, cue) in enumerate(best, start=1)]

    def _rank(self, found: Sequence[tuple[float, tantivy.DocAddress]], k: int) -> list[tuple[float, int, Cue]]:
        """The k best without duplicates. Only documents that may be among them are read: ties can be long."""
        addresses = [address for _, address in found]
        file_ids, starts = (self._searcher.fast_field_values(name, addresses) for name in ("file_id", "start"))
        keys = [(-score, file_id, start) for (score, _), file_id, start in zip(found, file_ids, starts, strict=True)]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        best: dict[tuple[float, int, Cue], None] = {}
        for (score, _, _), ties in groupby(order, key=keys.__getitem__):
            cues = {self._read(addresses[position]) for position in ties}
            best |= dict.fromkeys((-score, *cue) for cue in sorted(cues, key=lambda cue: _columns(cue[1])))
            if len(best) >= k:
                break
        return list(best)[:k]

    def _read(self, address: tantivy.DocAddress) -> tuple[int, Cue]:
        (stored,) = self._searcher.doc(address)["stored"]
        file_id, start, end, text, kind, source, language = json.loads(stored)
        return file_id, Cue(start, end, text, CueKind(kind), source, language)


def _limits(k: int, documents: int) -> Iterator[int]:
    """Growing numbers of documents to search for; the last is more than there are, so that it finds all."""
    limit = 2 * k
    while limit <= documents:
        yield limit
        limit *= _LIMIT_FACTOR
    yield documents + 1


def build_fulltext(
    folder: Path | None, source_ids: RowIds, removed: Iterable[int], added: Iterable[StoredCue]
) -> FullTextIndex:
    """The index in `folder` (empty when there is none) without the `removed` sources and with the `added` cues.

    The new index covers `source_ids`, and its files may be deleted. Without a folder it is built in memory, which saves
    0.1 s of disk access.
    """
    index = tantivy.Index(_SCHEMA) if folder is None else tantivy.Index(_SCHEMA, str(folder))
    writer = index.writer(_WRITER_HEAP_BYTES, num_threads=1)
    for source_id in removed:
        writer.delete_documents_by_query(tantivy.Query.term_query(_SCHEMA, "source_id", source_id))
    for found in added:
        writer.add_document(_document(found))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return FullTextIndex(source_ids, index.searcher())


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
    document.add_text("words", " ".join(tokenize(found.cue.text)))
    document.add_text("kind", found.cue.kind.value)
    document.add_unsigned("source_id", found.source_id)
    document.add_unsigned("file_id", found.file_id)
    document.add_float("start", found.cue.start_seconds)
    document.add_bytes("stored", json.dumps([found.file_id, *_columns(found.cue)]).encode())
    return document


def _columns(cue: Cue) -> tuple[float, float, str, str, str, str]:
    return cue.start_seconds, cue.end_seconds, cue.text, cue.kind, cue.source, cue.language


def _compile(
    terms: Sequence[Term], file_ids: frozenset[int] | None, kinds: frozenset[CueKind] | None
) -> tantivy.Query | None:
    """A query for tantivy; None without terms."""
    literal = [(tantivy.Occur.Must, _compile_term(term)) for term in terms if term.is_literal]
    plain = [(tantivy.Occur.Should, _compile_term(term)) for term in terms if not term.is_literal]
    if not terms:
        return None
    clauses = [*literal, *plain] if literal else [(tantivy.Occur.Must, tantivy.Query.boolean_query(plain))]
    if file_ids is not None:
        clauses.append((tantivy.Occur.Must, _filter("file_id", sorted(file_ids))))
    if kinds is not None:
        clauses.append((tantivy.Occur.Must, _filter("kind", sorted(kind.value for kind in kinds))))
    return tantivy.Query.boolean_query(clauses)


def _filter(field: str, values: Sequence[int] | Sequence[str]) -> tantivy.Query:
    """A condition that does not change the score."""
    return tantivy.Query.const_score_query(tantivy.Query.term_set_query(_SCHEMA, field, values), 0.0)


def _compile_term(term: Term) -> tantivy.Query:
    *first, last = term.words
    if term.is_prefix and first:
        return tantivy.Query.regex_phrase_query(_SCHEMA, "words", [*first, f"{last}.*"])
    if term.is_prefix:
        return tantivy.Query.regex_query(_SCHEMA, "words", f"{last}.*")
    if first:
        return tantivy.Query.phrase_query(_SCHEMA, "words", list(term.words))
    return tantivy.Query.term_query(_SCHEMA, "words", last)
