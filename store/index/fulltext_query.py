"""Queries of the full-text index, compiled for tantivy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isinf

import tantivy

from pesearch.cues import CueKind
from pesearch.store.index.fulltext_document import BLOCK_SECONDS, BLOCKS_PER_FILE, SCHEMA, WHOLE_FILE_BLOCK
from pesearch.store.index.tokenizer import Term, parse_terms
from pesearch.types import Part


@dataclass(frozen=True, slots=True)
class CueQuery:
    """Cues with all of `required` and at least `min_optional` of `optional`, but none of `excluded`.

    BM25 adds up over the terms of `required` and `optional`. kinds: Kinds of cues to search, None for all.
    """

    required: tuple[Term, ...] = ()
    optional: tuple[Term, ...] = ()
    min_optional: int = 0
    excluded: tuple[CueQuery, ...] = ()
    kinds: frozenset[CueKind] | None = None

    @classmethod
    def parse(cls, query: str, kinds: frozenset[CueKind] | None = None) -> CueQuery:
        """Quoted terms (`tokenizer.parse_terms`) are required; of the others any, if there are no quoted ones."""
        terms = parse_terms(query)
        required = tuple(term for term in terms if term.is_literal)
        optional = tuple(term for term in terms if not term.is_literal)
        return cls(required, optional, 0 if required else 1, kinds=kinds)


@dataclass(frozen=True, slots=True)
class CueScope:
    """The cues of files, and those of parts of files: all that overlap these, some at most BLOCK_SECONDS from them,
    and those about the whole file."""

    file_ids: frozenset[int] = frozenset()
    parts: tuple[Part, ...] = ()


def compile_query(query: CueQuery, scope: CueScope | None = None) -> tantivy.Query:
    """A query that matches cues of a scope, or of all files; nothing if the query has no terms."""
    clauses = [(tantivy.Occur.Must, compile_term(term)) for term in query.required]
    optional = [(tantivy.Occur.Should, compile_term(term)) for term in query.optional]
    if optional and query.min_optional:
        clauses.append((tantivy.Occur.Must, tantivy.Query.boolean_query(optional, query.min_optional)))
    elif clauses:
        clauses += optional
    if not clauses:
        return tantivy.Query.empty_query()
    clauses += [(tantivy.Occur.MustNot, compile_query(excluded)) for excluded in query.excluded]
    if scope is not None:
        clauses.append((tantivy.Occur.Must, _scope_filter(scope)))
    if query.kinds is not None:
        clauses.append((tantivy.Occur.Must, unscored("kind", sorted(kind.value for kind in query.kinds))))
    return tantivy.Query.boolean_query(clauses)


def unscored(field: str, values: Sequence[int] | Sequence[str]) -> tantivy.Query:
    """Documents with one of the values. A condition that does not change the score."""
    return tantivy.Query.const_score_query(tantivy.Query.term_set_query(SCHEMA, field, values), 0.0)


def compile_term(term: Term) -> tantivy.Query:
    """A query for a word, a phrase or a prefix."""
    *first, last = term.words
    if term.is_prefix and first:
        return tantivy.Query.regex_phrase_query(SCHEMA, "words", [*first, f"{last}.*"])
    if term.is_prefix:
        return tantivy.Query.regex_query(SCHEMA, "words", f"{last}.*")
    if first:
        return tantivy.Query.phrase_query(SCHEMA, "words", list(term.words))
    return tantivy.Query.term_query(SCHEMA, "words", last)


def _scope_filter(scope: CueScope) -> tantivy.Query:
    files = {*scope.file_ids, *(part.file_id for part in scope.parts if isinf(part.end_seconds))}
    blocks = set(_blocks(part for part in scope.parts if part.file_id not in files))
    of_files, of_blocks = unscored("file_id", sorted(files)), unscored("block", sorted(blocks))
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, of_files), (tantivy.Occur.Should, of_blocks)])


def _blocks(parts: Iterable[Part]) -> Iterator[int]:
    for part in parts:
        first, last = (int(seconds // BLOCK_SECONDS) for seconds in (part.start_seconds, part.end_seconds))
        yield part.file_id * BLOCKS_PER_FILE + WHOLE_FILE_BLOCK
        for block in range(max(first, 0), min(last, WHOLE_FILE_BLOCK - 1) + 1):
            yield part.file_id * BLOCKS_PER_FILE + block
