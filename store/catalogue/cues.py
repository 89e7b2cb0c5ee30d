"""The tables of cues: timed texts, each from a source inside a media file or in a sidecar."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from sys import intern

import duckdb
import numpy as np
import numpy.typing as npt

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.locations import Location
from pesearch.store.catalogue.temp_table import ROWS_PER_INSERT, escape_undecodable, insert_temp

RowIds = npt.NDArray[np.int64]

_SOURCE = {
    "number": "BIGINT",
    "file_id": "BIGINT",
    "beside": "BLOB",
    "path": "BLOB",
    "size_bytes": "BIGINT",
    "modified_ns": "BIGINT",
    "cues": "BIGINT",
    "remark": "VARCHAR",
}
_CUE = {
    "number": "BIGINT",
    "start_seconds": "DOUBLE",
    "end_seconds": "DOUBLE",
    "text": "VARCHAR",
    "kind": "VARCHAR",
    "source": "VARCHAR",
    "language": "VARCHAR",
}
_SAME_SOURCE = """cue_sources.file_id = read_sources.file_id
        AND cue_sources.path IS NOT DISTINCT FROM read_sources.path"""
_UNREAD = "read_sources.size_bytes = 0 AND read_sources.modified_ns = 0"
_PROSE_SUFFIXES = (b".json", b".txt")
"""Suffixes of sidecars that are no subtitles: descriptions and plain text."""

_ROWS_PER_FETCH = 2048

_COLUMNS = "start_seconds, end_seconds, text, kind, source, language"


@dataclass(frozen=True, slots=True)
class KnownSource:
    """A source of cues of a file: a sidecar next to one of its paths, with size and time when read, or (None) the
    file. `remark` as in `CueSource`."""

    id: int
    file_id: int
    beside: Path | None
    sidecar: Location | None
    remark: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CueSources:
    """Sources of cues: columns, int64 [n], sorted by id. `counts` are numbers of cues."""

    ids: RowIds
    file_ids: RowIds
    counts: RowIds


@dataclass(frozen=True, slots=True)
class StoredCue:
    """A cue, with the ids of its source and media file."""

    source_id: int
    file_id: int
    cue: Cue


def store_cues(connection: duckdb.DuckDBPyConnection, read: Sequence[tuple[int, CueSource]]) -> None:
    """Store cues that were read, (file id, source). They replace those of the same source; of two, the last is
    stored.

    A sidecar of size and time 0 could not be read: only its remark is stored, and the cues read before stay.
    """
    latest = {(file_id, _path(source)): (file_id, source) for file_id, source in read}
    numbered = list(enumerate(latest.values()))
    source_rows = [_source_row(number, file_id, source) for number, (file_id, source) in numbered]
    cue_rows = (row for number, (_, source) in numbered for row in _cue_rows(number, source))
    insert_temp(connection, "read_sources", _SOURCE, source_rows)
    connection.execute(f"""
        UPDATE cue_sources SET remark = read_sources.remark, size_bytes = 0, modified_ns = 0 FROM read_sources
        WHERE {_SAME_SOURCE} AND {_UNREAD}""")
    connection.execute(f"""
        DELETE FROM read_sources USING cue_sources WHERE {_SAME_SOURCE} AND {_UNREAD}""")
    connection.execute("""
        CREATE TEMP TABLE new_sources AS SELECT nextval('cue_source_ids') AS id, * FROM read_sources ORDER BY number""")
    _delete(
        connection,
        f"DELETE FROM cue_sources USING read_sources WHERE {_SAME_SOURCE} RETURNING id",
    )
    connection.execute("INSERT INTO cue_sources BY NAME SELECT * EXCLUDE (number) FROM new_sources")
    while batch := list(islice(cue_rows, ROWS_PER_INSERT)):  # a table of all would be a second copy of their text
        insert_temp(connection, "read_cues", _CUE, batch)
        connection.execute("""
            INSERT INTO cues SELECT new_sources.id, read_cues.* EXCLUDE (number)
            FROM read_cues JOIN new_sources USING (number) ORDER BY read_cues.rowid""")
        connection.execute("DROP TABLE read_cues")


def drop_sources(connection: duckdb.DuckDBPyConnection, source_ids: Iterable[int]) -> None:
    """Remove sources with their cues."""
    _delete(
        connection, "DELETE FROM cue_sources WHERE id IN (SELECT unnest($1::BIGINT[])) RETURNING id", list(source_ids)
    )


def drop_unused_cues(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove sources of removed files, and sidecars of removed paths."""
    _delete(
        connection,
        """DELETE FROM cue_sources WHERE file_id NOT IN (SELECT id FROM files) OR beside IS NOT NULL AND NOT EXISTS
        (SELECT 1 FROM locations WHERE path = beside AND locations.file_id = cue_sources.file_id) RETURNING id""",
    )


def read_known_sources(connection: duckdb.DuckDBPyConnection) -> list[KnownSource]:
    """All sources that were read, those without cues too."""
    rows = connection.execute(
        "SELECT id, file_id, beside, path, remark, size_bytes, modified_ns FROM cue_sources ORDER BY id"
    ).fetchall()
    return [
        KnownSource(number, file_id, None, None, remark)
        if path is None
        else KnownSource(number, file_id, Path(os.fsdecode(beside)), Location(Path(os.fsdecode(path)), *stamp), remark)
        for number, file_id, beside, path, remark, *stamp in rows
    ]


def files_with_sidecar_subtitles(connection: duckdb.DuckDBPyConnection) -> frozenset[int]:
    """The files that have cues from sidecars with the suffix of subtitles."""
    rows = connection.execute("SELECT file_id, path FROM cue_sources WHERE path IS NOT NULL AND cues > 0").fetchall()
    return frozenset(file_id for file_id, path in rows if not path.lower().endswith(_PROSE_SUFFIXES))


def sources_with_cues(connection: duckdb.DuckDBPyConnection) -> CueSources:
    """Sources that the full-text index must contain."""
    return read_sources(connection, "cues > 0")


def read_sources(connection: duckdb.DuckDBPyConnection, condition: str) -> CueSources:
    """Sources that match an SQL condition."""
    found = connection.execute(f"SELECT id, file_id, cues FROM cue_sources WHERE {condition} ORDER BY id").fetchnumpy()
    return CueSources(*(np.asarray(found[name], dtype=np.int64) for name in ("id", "file_id", "cues")))


def count_cues(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of cues, over all sources."""
    row = connection.execute("SELECT coalesce(sum(cues), 0) FROM cue_sources").fetchone()
    return int(row[0]) if row else 0


def cues_of_file(connection: duckdb.DuckDBPyConnection, file_id: int) -> tuple[Cue, ...]:
    """The cues of a file by time. A cue from the sidecars of two copies of the file comes once."""
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS} FROM cues JOIN cue_sources ON source_id = id WHERE file_id = ?
        ORDER BY start_seconds, end_seconds, source_id, cues.rowid""",
        [file_id],
    ).fetchall()
    return tuple(dict.fromkeys(cue_from_row(*row) for row in rows))


def cues_of_sources(
    connection: duckdb.DuckDBPyConnection, source_ids: RowIds, first: int = 0, count: int | None = None
) -> Iterator[StoredCue]:
    """The cues of sources, source by source and as they were stored: all of them, or `count` from number `first` on.

    They are read as they are iterated: no other query may run on the connection meanwhile. Nothing is sorted, which
    would take all of them into memory: the cues of a source are inserted together, and DuckDB keeps the order of
    insertion where a query has only WHERE and LIMIT (its setting `preserve_insertion_order`).
    """
    ids = source_ids.tolist()
    rows_of = "FROM {} WHERE {} IN (SELECT unnest($1::BIGINT[]))".format
    file_ids = dict(connection.execute(f"SELECT id, file_id {rows_of('cue_sources', 'id')}", [ids]).fetchall())
    limit = "" if count is None else f"LIMIT {count:d} OFFSET {first:d}"
    found = connection.execute(f"SELECT source_id, {_COLUMNS} {rows_of('cues', 'source_id')} {limit}", [ids])
    while rows := found.fetchmany(_ROWS_PER_FETCH):
        for source_id, *row in rows:
            yield StoredCue(source_id, file_ids[source_id], cue_from_row(*row))


def _delete(connection: duckdb.DuckDBPyConnection, statement: str, *parameters: object) -> None:
    """Delete sources and, if there were any, their cues: this scans the whole table."""
    if deleted := connection.execute(statement, parameters).fetchall():
        ids = [source_id for (source_id,) in deleted]
        connection.execute("DELETE FROM cues WHERE source_id IN (SELECT unnest($1::BIGINT[]))", [ids])


def cue_from_row(start: float, end: float, text: str, kind: str, source: str, language: str) -> Cue:
    """A cue from its columns."""
    return Cue(start, end, text, CueKind(kind), intern(source), intern(language))


def _path(source: CueSource) -> Path | None:
    return None if source.sidecar is None else source.sidecar.path


def _source_row(number: int, file_id: int, source: CueSource) -> dict[str, object]:
    sidecar = source.sidecar
    return {
        "number": number,
        "file_id": file_id,
        "beside": None if source.media_path is None else os.fsencode(source.media_path),
        "path": None if sidecar is None else os.fsencode(sidecar.path),
        "size_bytes": None if sidecar is None else sidecar.size_bytes,
        "modified_ns": None if sidecar is None else sidecar.modified_ns,
        "cues": len(source.cues),
        "remark": None if source.remark is None else escape_undecodable(source.remark),
    }


def _cue_rows(number: int, source: CueSource) -> Iterator[dict[str, object]]:
    for cue in source.cues:
        yield {
            "number": number,
            "start_seconds": cue.start_seconds,
            "end_seconds": cue.end_seconds,
            "text": cue.text,
            "kind": cue.kind.value,
            "source": cue.source,
            "language": cue.language,
        }
