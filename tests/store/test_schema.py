"""Numbered migrations."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pytest

from pesearch.errors import LibraryTooNew
from pesearch.store import birth, schema
from pesearch.store.library import Library, open_library


def columns(library: Library, table: str) -> set[str]:
    with duckdb.connect(library.folder / "library.duckdb", read_only=True) as connection:
        return {row[0] for row in connection.execute(f"DESCRIBE {table}").fetchall()}


def test_newer_library_is_refused(library: Library) -> None:
    with duckdb.connect(library.folder / "library.duckdb") as connection:
        connection.execute("UPDATE library SET schema = 1000")
    with pytest.raises(LibraryTooNew, match="upgrade pesearch"):
        open_library(library.folder)


def test_older_library_is_brought_up(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    longer: Sequence[str] = (*schema.MIGRATIONS, "ALTER TABLE files ADD COLUMN title VARCHAR")
    for module in (schema, birth):
        monkeypatch.setattr(module, "MIGRATIONS", longer)
    assert "title" not in columns(library, "files")
    open_library(library.folder)
    assert "title" in columns(library, "files")
    open_library(library.folder)
    with duckdb.connect(library.folder / "library.duckdb") as connection:
        assert schema.schema_number(connection) == len(longer)
