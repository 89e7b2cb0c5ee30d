"""Cues by their words: BM25 (Robertson and Zaragoza 2009, with tantivy's k1 = 1.2, b = 0.75), phrases and prefixes.

A full-text index covers sources of cues; another is made from it by what has come and gone since.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from importlib.metadata import version
from pathlib import Path

import tantivy

from pesearch.store.cue_tables import FoundIn, Numbers
from pesearch.store.words import Term, terms, words
from pesearch.types import Cue, CueHit, CueKind

TANTIVY_VERSION = version("tantivy")
_HEAP_BYTES = 32 << 20


class TextIndex:
    """A full-text index in memory, or in memory maps; it is never changed. For any thread."""

    def __init__(self, source_ids: Numbers, searcher: tantivy.Searcher) -> None:
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
        limit = k
        while True:
            found = self._searcher.search(wanted, limit, count=False).hits
            if len(found) < limit or found[-1][0] < found[k - 1][0]:
                break
            limit *= 4  # of equals at the end all are looked at: which of them come first must not depend on chance
        read = {(score, *self._read(address)) for score, address in found}
        best = sorted(read, key=lambda each: (-each[0], each[1], *astuple(each[2])))[:k]
        return [CueHit(file_id, cue, score, rank) for rank, (score, file_id, cue) in enumerate(best, start=1)]

    def _read(self, address: tantivy.DocAddress) -> tuple[int, Cue]:
        (stored,) = self._searcher.doc(address)["stored"]
        file_id, start, end, text, kind, source, language = json.loads(stored)
        return file_id, Cue(start, end, text, CueKind(kind), source, language)


def index_in(folder: Path | None, source_ids: Numbers, gone: Iterable[int], new: Iterable[FoundIn]) -> TextIndex:
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
    builder.add_unsigned_field("file_id", indexed=True)
    builder.add_bytes_field("stored", stored=True)
    return builder.build()


_SCHEMA = _schema()


def _document(found: FoundIn) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("words", " ".join(words(found.cue.text)))
    document.add_text("kind", found.cue.kind.value)
    document.add_unsigned("source_id", found.source_id)
    document.add_unsigned("file_id", found.file_id)
    document.add_bytes("stored", json.dumps([found.file_id, *astuple(found.cue)]).encode())
    return document


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
