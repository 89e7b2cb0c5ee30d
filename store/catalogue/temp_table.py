"""Rows of Python values into a temporary table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb


def insert_temp(
    connection: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Lay rows in a temporary table of these column types. They travel as one list a column: a row at a time is slow,
    and an Arrow table made from Python values imports pandas."""
    columns = ", ".join(f"unnest(${number}::{types[name]}[]) AS {name}" for number, name in enumerate(types, start=1))
    values = [[row[name] for row in rows] for name in types]
    connection.execute(f"CREATE TEMP TABLE {table} AS SELECT {columns}", values)
