"""The conditions on files as people write them: the options of `pesearch query`, and the parameters of the HTTP API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field

from pesearch.search.query.file_filter import FileFilter, duration_seconds, parse_time
from pesearch.search.query.media_features import Feature, Orientation
from pesearch.search.query.picture_range import parse_frame_rate, parse_size
from pesearch.search.query.property_filter import PropertyFilter, parse_area
from pesearch.types import MediaKind

Text = Annotated[str, Meta(pattern=r"\S")]
"""A text that is not blank."""


class FileConditions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts that `file_filter` parses; a file must meet all that are given."""

    under: Annotated[
        tuple[Text, ...], Meta(description="Only files in these folders, or these files: absolute paths.")
    ] = field(default=(), name="in")
    after: Annotated[
        Text | None,
        Meta(description="Only files recorded then or later: 2026-01-31 or 2026-01-31T12:30."),
    ] = None
    before: Annotated[Text | None, Meta(description="Only files recorded before this date or time.")] = None
    file_date: Annotated[bool, Meta(description="Compare after and before with the modification time of the file.")] = (
        False
    )
    kind: Annotated[MediaKind | None, Meta(description="Only files of this kind.")] = None
    longer: Annotated[Text | None, Meta(description="Only files of at least this length: 90s, 5m, 1h30m or 2:30.")] = (
        None
    )
    shorter: Annotated[Text | None, Meta(description="Only files of at most this length.")] = None
    camera: Annotated[Text | None, Meta(description="Only from a camera or recorder with this in make and model.")] = (
        None
    )
    near: Annotated[
        Text | None, Meta(description="Only files recorded within KM (default 1) of a place: LAT,LON or LAT,LON,KM.")
    ] = None
    size: Annotated[Text | None, Meta(description="Only pictures of this size: 1920x1080, 1080p, 4k, >=720p.")] = None
    fps: Annotated[Text | None, Meta(description="Only this frame rate: 25, 29.97, >=50.")] = None
    codec: Annotated[
        Text | None, Meta(description="Only pictures or sound of this codec, as FFmpeg names it: h264, aac.")
    ] = None
    orientation: Annotated[Orientation | None, Meta(description="Only pictures of this shape, as shown.")] = None
    has: Annotated[tuple[Feature, ...], Meta(description="Only files that have all of these.")] = ()
    online: Annotated[bool, Meta(description="Only files that can be opened now.")] = False

    def file_filter(self) -> FileFilter:
        """The filter for these conditions. Raises QueryError for a text that cannot be parsed."""
        properties = PropertyFilter(
            camera=self.camera or "", near=parse_area(self.near) if self.near is not None else None,
            size=parse_size(self.size) if self.size is not None else None,
            frame_rate=parse_frame_rate(self.fps) if self.fps is not None else None, codec=self.codec or "",
            has=self.has, orientation=self.orientation,
        )  # fmt: skip
        return FileFilter(
            under=tuple(map(Path, self.under)),
            after=parse_time(self.after) if self.after is not None else None,
            before=parse_time(self.before) if self.before is not None else None, kind=self.kind,
            min_duration_seconds=duration_seconds(self.longer) if self.longer is not None else None,
            max_duration_seconds=duration_seconds(self.shorter) if self.shorter is not None else None,
            online=self.online, by_file_time=self.file_date, properties=properties,
        )  # fmt: skip
