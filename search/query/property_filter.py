"""Filters the files of a library by camera, place, size, frame rate, codec, orientation and what they contain."""

from __future__ import annotations

from dataclasses import dataclass

from pesearch.errors import QueryError
from pesearch.place import Place
from pesearch.search.query.media_features import Feature, Orientation
from pesearch.search.query.picture_range import RateRange, SizeRange
from pesearch.types import MediaFile, MediaKind

DEFAULT_RADIUS_KM = 1.0
"""Around a point without a radius: a part of a town."""

_CODEC_NAMES = {"h265": "hevc", "x265": "hevc", "avc": "h264", "x264": "h264", "jpg": "jpeg", "divx": "mpeg4"}
"""Names of codecs that FFmpeg calls otherwise."""


@dataclass(frozen=True, slots=True)
class Area:
    """All places within `radius_km` of a point."""

    center: Place
    radius_km: float = DEFAULT_RADIUS_KM


@dataclass(frozen=True, slots=True)
class PropertyFilter:
    """Keeps the files that meet every condition given.

    camera: Part of make and model, in either case.
    codec: The beginning of the name of a codec, of pictures or sound, as FFmpeg names it; `h265` and `avc` are known.
    has: All of these.
    """

    camera: str = ""
    near: Area | None = None
    size: SizeRange | None = None
    frame_rate: RateRange | None = None
    codec: str = ""
    has: tuple[Feature, ...] = ()
    orientation: Orientation | None = None

    @property
    def asks_recording(self) -> bool:
        """Whether a condition is on what a file says of its recording, which earlier versions did not read."""
        return bool(self.camera.strip() or self.near or Feature.PLACE in self.has)

    def keeps(self, file: MediaFile) -> bool:
        """Whether a file meets the conditions. What it does not state, or was not read for yet, it does not meet."""
        camera = file.properties.camera if file.properties else ""
        return (
            " ".join(self.camera.lower().split()) in camera.lower()
            and (self.near is None or _is_near(file, self.near))
            and self._keeps_pictures(file)
            and (not self.codec.strip() or _has_codec(file, self.codec))
            and all(_has(file, feature) for feature in self.has)
        )

    def _keeps_pictures(self, file: MediaFile) -> bool:
        if self.size is None and self.frame_rate is None and self.orientation is None:
            return True
        video = file.info.video
        return (
            video is not None
            and (self.size is None or self.size.contains(video.width, video.height))
            and (self.frame_rate is None or self.frame_rate.contains(video.frames_per_second))
            and (self.orientation is None or self.orientation is _orientation(video.width, video.height))
        )


ANY_PROPERTIES = PropertyFilter()


def parse_area(text: str) -> Area:
    """Parses `LAT,LON` or `LAT,LON,KM`: degrees, north and east positive, and the radius. Raises QueryError."""
    try:
        latitude, longitude, *radius = (float(part) for part in text.split(","))
        area = Area(Place(latitude, longitude), *radius)
    except (TypeError, ValueError) as error:
        raise QueryError(f"{text!r} is not a place: write LAT,LON or LAT,LON,KM, such as 48.858,2.294,5") from error
    if not area.radius_km >= 0:
        raise QueryError(f"{area.radius_km:g} km is no radius: write 0 or more")
    return area


def _is_near(file: MediaFile, area: Area) -> bool:
    place = file.properties.place if file.properties else None
    return place is not None and place.distance_km(area.center) <= area.radius_km


def _has_codec(file: MediaFile, codec: str) -> bool:
    wanted = codec.strip().lower().replace(".", "")
    wanted = _CODEC_NAMES.get(wanted, wanted)
    return any(stream.codec.lower().startswith(wanted) for stream in (file.info.video, file.info.audio) if stream)


def _has(file: MediaFile, feature: Feature) -> bool:
    match feature:
        case Feature.AUDIO:
            return file.info.audio is not None
        case Feature.VIDEO:
            return file.info.kind is MediaKind.VIDEO
        case Feature.SUBTITLES:
            return file.has_subtitles
        case Feature.PLACE:
            return file.properties is not None and file.properties.place is not None


def _orientation(width: int, height: int) -> Orientation:
    if width == height:
        return Orientation.SQUARE
    return Orientation.PORTRAIT if width < height else Orientation.LANDSCAPE
