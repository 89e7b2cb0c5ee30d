"""Reading JSON, CSV and TSV files, with errors as one-line QueryErrors that name the file."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from pesearch.errors import QueryError


def read_json(path: Path) -> Any:
    """Parse a JSON file. Raises QueryError."""
    try:
        return json.loads(_bytes(path))
    except ValueError as error:
        raise QueryError(f"{path} is not JSON: {error}") from error


def read_records(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a table as dicts by the header line. Raises QueryError, also for rows with missing cells."""
    names, *rows = read_rows(path, delimiter) or [[]]
    short = next((number for number, row in enumerate(rows, start=2) if len(row) < len(names)), None)
    if short is not None:
        raise QueryError(f"{path}: row {short} has fewer than {len(names)} columns")
    return [dict(zip(names, row, strict=False)) for row in rows]


def read_rows(path: Path, delimiter: str = ",") -> list[list[str]]:
    """The non-empty rows of a table; quoting is recognised only in CSV. Raises QueryError."""
    lines = read_text(path).splitlines()
    try:
        rows = csv.reader(lines) if delimiter == "," else (line.split(delimiter) for line in lines)
        return [row for row in rows if any(row)]
    except csv.Error as error:
        raise QueryError(f"{path} is not a table: {error}") from error


def read_text(path: Path) -> str:
    """Read a text file in UTF-8. Raises QueryError."""
    try:
        return _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise QueryError(f"{path} is not UTF-8 text") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise QueryError(f"cannot read {path}: {error.strerror}") from error
