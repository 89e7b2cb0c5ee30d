"""Python values for the database: rows of a temporary table, and text that it can store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import duckdb

ROWS_PER_INSERT = 4096
"""Rows that are passed to DuckDB at a time: it copies each value into an object of 64 bytes."""


def insert_temp(
    connection: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, str], rows: Iterable[Mapping[str, Any]]
) -> None:
    """Create a temporary table from rows, with these column types. `rowid` is their order.

    Values are passed as one list per column: inserting row by row is slow, and Arrow tables from Python values import
    pandas.
    """
    columns = ", ".join(f"unnest(${number}::{types[name]}[]) AS {name}" for number, name in enumerate(types, start=1))
    remaining, statement = iter(rows), f"CREATE TEMP TABLE {table} AS"
    while (batch := list(islice(remaining, ROWS_PER_INSERT))) or statement.startswith("CREATE"):
        connection.execute(f"{statement} SELECT {columns}", [[row[name] for row in batch] for name in types])
        statement = f"INSERT INTO {table}"


def escape_undecodable(text: str) -> str:
    """Text that UTF-8 can encode: undecodable bytes of a path become backslash escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
