"""The table of properties: what each file says about its recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb

from pesearch.capture_time import CaptureTime, DateSource, parse_capture_time
from pesearch.place import Place
from pesearch.store.catalogue.temp_table import insert_temp
from pesearch.types import MediaProperties

_ROW = {
    "file_id": "BIGINT",
    "times": "VARCHAR",
    "latitude": "DOUBLE",
    "longitude": "DOUBLE",
    "altitude_meters": "DOUBLE",
    "camera": "VARCHAR",
    "rotation_degrees": "INTEGER",
    "subtitle_streams": "INTEGER",
}

_SEPARATOR = ", "
"""Between capture times. They are one text because DuckDB's lists take three times as long to read."""


def store_properties(connection: duckdb.DuckDBPyConnection, read: Sequence[tuple[int, MediaProperties]]) -> None:
    """Store properties that were read, (file id, properties), in place of earlier ones. Unknown files are ignored."""
    latest = dict(read)
    insert_temp(connection, "read_properties", _ROW, [_row(file_id, each) for file_id, each in latest.items()])
    connection.execute("DELETE FROM file_properties WHERE file_id IN (SELECT file_id FROM read_properties)")
    connection.execute("""
        INSERT INTO file_properties BY NAME SELECT * FROM read_properties WHERE file_id IN (SELECT id FROM files)""")


def drop_unused_properties(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove the properties of removed files."""
    connection.execute("DELETE FROM file_properties WHERE file_id NOT IN (SELECT id FROM files)")


class KnownProperties(Mapping[int, MediaProperties]):
    """The properties of the files that were read for them, by file id."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        rows = connection.execute(f"SELECT {', '.join(_ROW)} FROM file_properties").fetchall()
        self._rows: dict[int, tuple[Any, ...]] = {row[0]: row for row in rows}

    def __getitem__(self, file_id: int) -> MediaProperties:
        _, times, latitude, longitude, altitude_meters, camera, rotation_degrees, subtitles = self._rows[file_id]
        return MediaProperties(
            tuple(_time(text) for text in times.split(_SEPARATOR) if text),
            None if latitude is None else Place(latitude, longitude, altitude_meters),
            camera,
            rotation_degrees,
            subtitles,
        )

    def __iter__(self) -> Iterator[int]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _time(text: str) -> CaptureTime:
    source, _, at = text.partition(" ")
    return parse_capture_time(at, DateSource(source))


def _row(file_id: int, properties: MediaProperties) -> dict[str, object]:
    place = properties.place
    return {
        "file_id": file_id,
        "times": _SEPARATOR.join(f"{time.source} {time.text}" for time in properties.capture_times),
        "latitude": place.latitude if place else None,
        "longitude": place.longitude if place else None,
        "altitude_meters": place.altitude_meters if place else None,
        "camera": properties.camera,
        "rotation_degrees": properties.rotation_degrees,
        "subtitle_streams": properties.subtitle_streams,
    }
