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


def read_remarks(connection: duckdb.DuckDBPyConnection) -> Mapping[int, tuple[Remark, ...]]:
    """The remarks by file id, of files that have any: those of the media first, then those of its cues."""
    of_media = connection.execute("SELECT file_id, reason, seconds, NULL FROM remarks ORDER BY rowid").fetchall()
    of_cues = connection.execute(
        "SELECT file_id, remark, NULL, path FROM cue_sources WHERE remark IS NOT NULL ORDER BY id"
    ).fetchall()
    found: defaultdict[int, list[Remark]] = defaultdict(list)
    for file_id, reason, seconds, path in (*of_media, *of_cues):
        found[file_id].append(Remark(reason, seconds, None if path is None else Path(os.fsdecode(path))))
    return {file_id: tuple(remarks) for file_id, remarks in found.items()}
