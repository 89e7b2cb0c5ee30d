"""The documents of the full-text index: one for each cue."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby

import tantivy

from pesearch.cues import WHOLE_FILE_KINDS, Cue, CueKind
from pesearch.store.catalogue.cues import StoredCue
from pesearch.store.index.tokenizer import tokenize

BLOCK_SECONDS = 64.0
"""Cues are indexed by the blocks of time that they overlap, so that those of parts of files are found directly. A
shorter block makes longer queries, a longer one more cues that are not needed."""

BLOCKS_PER_FILE = 1 << 20
"""A block is stored as file id * BLOCKS_PER_FILE + its number in the file."""

WHOLE_FILE_BLOCK = BLOCKS_PER_FILE - 1
"""The block of cues about the whole file, and of those that overlap more than MAX_BLOCKS_PER_CUE."""

MAX_BLOCKS_PER_CUE = 1 << 10
"""18 hours."""

PLACES_PER_SOURCE = 1 << 24
"""A line of subtitles is at the place source id * PLACES_PER_SOURCE + its number in its stream; the next line is at the
next place."""

KINDS = tuple(CueKind)
"""The kinds, in the order of the numbers by which documents store them."""


def _schema() -> tantivy.Schema:
    """first, last: The first and last word of a line of subtitles, for phrases that continue in the next line."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("words", tokenizer_name="whitespace")
    builder.add_text_field("kind", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("first", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("last", tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field("place", fast=True)
    builder.add_unsigned_field("source_id", indexed=True)
    builder.add_unsigned_field("file_id", indexed=True, fast=True)
    builder.add_unsigned_field("block", indexed=True)
    builder.add_unsigned_field("kind_number", fast=True)
    builder.add_float_field("start", fast=True)
    builder.add_float_field("end", fast=True)
    builder.add_bytes_field("stored", stored=True)
    return builder.build()


SCHEMA = _schema()


def documents(cues: Iterable[StoredCue]) -> Iterator[tantivy.Document]:
    """The documents of cues, which come source by source."""
    for source_id, group in groupby(cues, key=lambda found: found.source_id):
        of_source = list(group)
        words = {found.cue: tokenize(found.cue.text) for found in of_source}
        numbers = _number_lines(cue for cue, each in words.items() if each and cue.kind is CueKind.SUBTITLE)
        for found in of_source:
            document = _document(found, words[found.cue])
            if (number := numbers.get(found.cue)) is not None:
                document.add_text("first", words[found.cue][0])
                document.add_text("last", words[found.cue][-1])
                document.add_unsigned("place", source_id * PLACES_PER_SOURCE + number)
            yield document


def _document(found: StoredCue, words: list[str]) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("words", " ".join(words))
    document.add_text("kind", found.cue.kind.value)
    document.add_unsigned("source_id", found.source_id)
    document.add_unsigned("file_id", found.file_id)
    for block in _blocks(found.cue):
        document.add_unsigned("block", found.file_id * BLOCKS_PER_FILE + block)
    document.add_unsigned("kind_number", KINDS.index(found.cue.kind))
    document.add_float("start", found.cue.start_seconds)
    document.add_float("end", found.cue.end_seconds)
    document.add_bytes("stored", json.dumps([found.file_id, *columns(found.cue)]).encode())
    return document


def columns(cue: Cue) -> tuple[float, float, str, str, str, str]:
    """A cue as columns, in the order of its fields."""
    return cue.start_seconds, cue.end_seconds, cue.text, cue.kind, cue.source, cue.language


def stored_cue(stored: bytes) -> tuple[int, Cue]:
    """The file id and the cue that a document stores."""
    file_id, start, end, text, kind, source, language = json.loads(stored)
    return file_id, Cue(start, end, text, CueKind(kind), source, language)


def _number_lines(lines: Iterable[Cue]) -> dict[Cue, int]:
    """Consecutive numbers of the lines of each stream of a source, in time order; streams are one apart."""
    in_order = sorted(lines, key=lambda cue: (cue.source, cue.start_seconds, cue.end_seconds))
    streams = groupby(in_order, key=lambda cue: cue.source)
    return {
        cue: number
        for number, cue in enumerate(cue for _, stream in streams for cue in (*stream, None))
        if cue is not None
    }


def _blocks(cue: Cue) -> Iterable[int]:
    first, last = (int(seconds // BLOCK_SECONDS) for seconds in (cue.start_seconds, cue.end_seconds))
    is_long = cue.kind in WHOLE_FILE_KINDS or last - first > MAX_BLOCKS_PER_CUE or last >= WHOLE_FILE_BLOCK
    return (WHOLE_FILE_BLOCK,) if is_long else range(max(first, 0), max(last, 0) + 1)
