"""The conditions on files that `Library.search` takes, as Python values or in the words of the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Literal, TypeVar

from pesearch.errors import QueryError
from pesearch.search.query.file_filter import FileFilter, duration_seconds, parse_time
from pesearch.search.query.media_features import Feature, Orientation
from pesearch.search.query.picture_range import RateRange, parse_frame_rate, parse_size
from pesearch.search.query.property_filter import Area, PropertyFilter, parse_area
from pesearch.settings import expand_home
from pesearch.types import MediaKind

StrPath = str | os.PathLike[str]
"""A path as `open` takes it; `~` is expanded."""

Paths = StrPath | Sequence[StrPath]
KindName = Literal["video", "audio", "image"]
FeatureName = Literal["audio", "video", "subtitles", "place"]
OrientationName = Literal["portrait", "landscape", "square"]
Coordinates = tuple[float, float] | tuple[float, float, float]
"""Degrees north, degrees east, and optionally a radius in km."""

_Choice = TypeVar("_Choice", bound=StrEnum)


def file_filter(
    *,
    folder: Paths | None,
    after: str | date | None,
    before: str | date | None,
    file_date: bool,
    kind: str | None,
    longer: str | float | None,
    shorter: str | float | None,
    camera: str,
    near: str | Coordinates | None,
    size: str | None,
    fps: str | float | None,
    codec: str,
    orientation: str | None,
    has: str | Sequence[str],
    online: bool,
) -> FileFilter:
    """The filter of these conditions, as `Library.search` describes them. Raises QueryError."""
    features = (has,) if isinstance(has, str) else has
    properties = PropertyFilter(
        camera=camera,
        near=_area(near),
        size=None if size is None else parse_size(size),
        frame_rate=_frame_rate(fps),
        codec=codec,
        has=tuple(_choice(Feature, feature, "has") for feature in features),
        orientation=None if orientation is None else _choice(Orientation, orientation, "orientation"),
    )
    return FileFilter(
        under=paths_of(folder, "folder"),
        after=_time(after),
        before=_time(before),
        kind=None if kind is None else _choice(MediaKind, kind, "kind"),
        min_duration_seconds=_seconds(longer),
        max_duration_seconds=_seconds(shorter),
        online=online,
        by_file_time=file_date,
        properties=properties,
    )


def path_of(name: StrPath, argument: str) -> Path:
    """A path with `~` expanded. Raises QueryError for an empty one, which would be the current folder."""
    if not os.fspath(name).strip():
        raise QueryError(f"{argument} is empty: name a file or folder")
    return expand_home(os.fspath(name))


def optional_path(name: StrPath | None, argument: str) -> Path | None:
    """As `path_of`; None for None."""
    return None if name is None else path_of(name, argument)


def paths_of(names: Paths | None, argument: str) -> tuple[Path, ...]:
    """One or more paths; none for None. Raises QueryError for an empty one."""
    if names is None:
        return ()
    several = (names,) if isinstance(names, (str, os.PathLike)) else names
    return tuple(path_of(name, argument) for name in several)


def _time(value: str | date | None) -> datetime | None:
    """A date is its first moment; a text is ISO 8601."""
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, datetime) or value is None:
        return value
    return datetime.combine(value, time())


def _seconds(value: str | float | None) -> float | None:
    return duration_seconds(value) if isinstance(value, str) else value


def _area(value: str | Coordinates | None) -> Area | None:
    if value is None:
        return None
    return parse_area(value if isinstance(value, str) else ",".join(map(str, value)))


def _frame_rate(value: str | float | None) -> RateRange | None:
    if value is None:
        return None
    return parse_frame_rate(value if isinstance(value, str) else f"{value:.3f}".rstrip("0").rstrip("."))


def _choice(kind: type[_Choice], value: str, argument: str) -> _Choice:
    try:
        return kind(value)
    except ValueError as error:
        raise QueryError(f"{argument} is {value!r}: choose from {', '.join(kind)}") from error
