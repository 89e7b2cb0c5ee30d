"""Python values for the database: rows of a temporary table, and text that it can store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb


def insert_temp(
    connection: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Create a temporary table from rows, with these column types.

    Values are passed as one list per column: inserting row by row is slow, and Arrow tables from Python values import
    pandas.
    """
    columns = ", ".join(f"unnest(${number}::{types[name]}[]) AS {name}" for number, name in enumerate(types, start=1))
    values = [[row[name] for row in rows] for name in types]
    connection.execute(f"CREATE TEMP TABLE {table} AS SELECT {columns}", values)


def escape_undecodable(text: str) -> str:
    """Text that UTF-8 can encode: undecodable bytes of a path become backslash escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
