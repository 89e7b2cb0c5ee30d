"""Known paths that the last indexing run of their folder did not find, and why."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from pesearch.locations import Absence
from pesearch.store.catalogue.temp_table import insert_temp

_PATH = {"path": "BLOB"}


def store_absences(
    connection: duckdb.DuckDBPyConnection, found: Iterable[Path], absences: Mapping[Path, Absence]
) -> None:
    """Store why paths were not found, in place of what is stored of them and of the paths that were `found`."""
    rows = [{"path": os.fsencode(path), "reason": reason.value} for path, reason in absences.items()]
    insert_temp(connection, "absent", {**_PATH, "reason": "VARCHAR"}, rows)
    insert_temp(connection, "present", _PATH, [{"path": os.fsencode(path)} for path in found])
    connection.execute("""
        DELETE FROM absent_locations WHERE path IN (SELECT path FROM present UNION ALL SELECT path FROM absent)""")
    connection.execute("INSERT INTO absent_locations BY NAME SELECT * FROM absent")


def read_absences(connection: duckdb.DuckDBPyConnection) -> Mapping[Path, Absence]:
    """The known paths that were not found, by path."""
    rows = connection.execute("""
        SELECT path, any_value(absent_locations.reason) FROM absent_locations JOIN locations USING (path)
        GROUP BY path ORDER BY path""")
    return {Path(os.fsdecode(path)): Absence(reason) for path, reason in rows.fetchall()}
