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
PLACES_PER_STREAM = 1 << 17
"""A line of subtitles is at the place source id * PLACES_PER_SOURCE + number of its stream * PLACES_PER_STREAM + its
number in the stream; the next line is at the next place. A source has 100,000 cues, in 64 streams, at most."""

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
    """The documents of cues, which come source by source, and in order of time: one is in memory at a time."""
    for source_id, of_source in groupby(cues, key=lambda found: found.source_id):
        streams: dict[str, Iterator[int]] = {}
        for found in of_source:
            words = tokenize(found.cue.text)
            document = _document(found, words)
            if words and found.cue.kind is CueKind.SUBTITLE:
                places = streams.setdefault(found.cue.source, _places(source_id, len(streams)))
                if (place := next(places, None)) is not None:
                    document.add_text("first", words[0])
                    document.add_text("last", words[-1])
                    document.add_unsigned("place", place)
            yield document


def _places(source_id: int, stream: int) -> Iterator[int]:
    """The places of the lines of a stream, which has this number in its source. The last one stays free."""
    first = source_id * PLACES_PER_SOURCE + stream * PLACES_PER_STREAM
    is_numbered = stream < PLACES_PER_SOURCE // PLACES_PER_STREAM
    return iter(range(first, first + PLACES_PER_STREAM - 1) if is_numbered else ())


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


def _blocks(cue: Cue) -> Iterable[int]:
    first, last = (int(seconds // BLOCK_SECONDS) for seconds in (cue.start_seconds, cue.end_seconds))
    is_long = cue.kind in WHOLE_FILE_KINDS or last - first > MAX_BLOCKS_PER_CUE or last >= WHOLE_FILE_BLOCK
    return (WHOLE_FILE_BLOCK,) if is_long else range(max(first, 0), max(last, 0) + 1)
