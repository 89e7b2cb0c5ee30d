"""The remarks of files: what of them is not in the library, or was guessed.

Remarks of the media are rows of a table, replaced when the file is embedded again. The remark of a source of cues is a
column of that source, and ends with it.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from pesearch.store.catalogue.temp_table import escape_undecodable, insert_temp
from pesearch.types import Remark

_Row = tuple[int, str, float | None, bytes | None]

_REMARK = {"fingerprint": "VARCHAR", "reason": "VARCHAR", "seconds": "DOUBLE"}


def store_remarks(connection: duckdb.DuckDBPyConnection, remarks: Mapping[str, Sequence[Remark]]) -> None:
    """Store the remarks of the media of registered files, by fingerprint, in place of their earlier ones."""
    rows = [
        {"fingerprint": fingerprint, "reason": escape_undecodable(remark.reason), "seconds": remark.seconds}
        for fingerprint, of_file in remarks.items()
        for remark in of_file
    ]
    connection.execute(
        """
        DELETE FROM remarks USING files
        WHERE file_id = files.id AND fingerprint IN (SELECT unnest($1::VARCHAR[]))""",
        [list(remarks)],
    )
    if rows:
        insert_temp(connection, "read_remarks", _REMARK, rows)
        connection.execute("""
            INSERT INTO remarks BY NAME SELECT id AS file_id, reason, seconds
            FROM read_remarks JOIN files USING (fingerprint) ORDER BY read_remarks.rowid""")


def drop_unused_remarks(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove the remarks of removed files."""
    connection.execute("DELETE FROM remarks WHERE file_id NOT IN (SELECT id FROM files)")


class KnownRemarks:
    """The remarks of files that have any: rows of the catalogue, turned into objects on access."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        of_media = connection.execute("SELECT file_id, reason, seconds, NULL FROM remarks ORDER BY rowid").fetchall()
        of_cues = connection.execute(
            "SELECT file_id, remark, NULL, path FROM cue_sources WHERE remark IS NOT NULL ORDER BY id"
        ).fetchall()
        self._rows: defaultdict[int, list[_Row]] = defaultdict(list)
        for row in (*of_media, *of_cues):
            self._rows[row[0]].append(row)
        self.count = len(of_media) + len(of_cues)

    def of_file(self, file_id: int) -> tuple[Remark, ...]:
        """The remarks on the media of a file, then those on its cues."""
        return tuple(
            Remark(reason, seconds, None if path is None else Path(os.fsdecode(path)))
            for _, reason, seconds, path in self._rows.get(file_id, ())
        )

    def file_ids(self) -> list[int]:
        """The files that have remarks, ascending."""
        return sorted(self._rows)
