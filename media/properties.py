"""What a media file says about its recording: when, where, with what camera. Nothing is decoded.

Films and sounds are read from ffprobe's tags, pictures from EXIF, XMP and IPTC (`image_properties.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pesearch.capture_time import CaptureTime, DateSource
from pesearch.media.camera_name import join_camera
from pesearch.media.container import Container
from pesearch.media.ffprobe import Section
from pesearch.media.probe import inspect
from pesearch.media.time_tags import parse_time_tag
from pesearch.place import Place, parse_iso6709
from pesearch.types import MediaKind, MediaProperties

_APPLE = "com.apple.quicktime."
_TIME_TAGS = (
    (DateSource.QUICKTIME, (f"{_APPLE}creationdate",)),
    (DateSource.CREATION_TIME, ("creation_time", "modification_date", "creationdate")),
    (DateSource.TAG, ("date_recorded", "date_digitized", "date")),
)
"""Tags of the container by source. `modification_date` is MXF's and `creationdate` FLV's time of the recording."""

_CAMERA_TAGS = (
    (f"{_APPLE}make", f"{_APPLE}model"),
    ("com.android.manufacturer", "com.android.model"),
    ("make", "model"),
)
_PLACE_TAG = f"{_APPLE}location.iso6709"


def read_properties(path: Path, kind: MediaKind) -> MediaProperties:
    """The properties of a file of this kind. Errors: MediaError; FFmpegMissing."""
    if kind is MediaKind.IMAGE:
        from pesearch.media.image_properties import read_image_properties  # imports Pillow

        return read_image_properties(path)
    return container_properties(inspect(path))


def container_properties(container: Container) -> MediaProperties:
    """The properties in the tags of a container; tags of its streams count where the container has none."""
    header = next(section for section in container.sections if section.name == "format")
    streams = [section for section in container.sections if section.name == "stream"]
    tags = _tags(header)
    every = {name: text for section in (*reversed(streams), header) for name, text in _tags(section).items()}
    return MediaProperties(
        capture_times=tuple(_times(tags, every)),
        place=_place(every),
        camera=_recorder(tags) if container.format == "wav" else _camera(every),
        rotation_degrees=_rotation(streams, container.video_index),
        subtitle_streams=sum(stream.text("codec_type") == "subtitle" for stream in streams),
    )


def _tags(section: Section) -> Mapping[str, str]:
    return {name[4:].lower(): text for name, text in section.fields.items() if name.startswith("tag:")}


def _times(tags: Mapping[str, str], every: Mapping[str, str]) -> Iterator[CaptureTime]:
    # of a Broadcast Wave, `creation_time` is the time of day alone
    if origination := parse_time_tag(f"{tags.get('date')} {tags.get('creation_time')}", DateSource.BROADCAST_WAVE):
        yield origination
    for source, names in _TIME_TAGS:
        for name in names:
            if time := parse_time_tag(every.get(name, ""), source):
                yield time


def _place(tags: Mapping[str, str]) -> Place | None:
    """The first place: Apple's, else one of `location`, `location-eng`, ..."""
    texts = [tags.get(_PLACE_TAG, ""), *(text for name, text in sorted(tags.items()) if name.startswith("location"))]
    places = (parse_iso6709(text) for text in texts)
    return next((place for place in places if place is not None and place.is_fix), None)


def _camera(tags: Mapping[str, str]) -> str:
    """Make and model; of a GoPro, which states neither, its name in the description of a stream."""
    named = (join_camera(tags.get(make, ""), tags.get(model, "")) for make, model in _CAMERA_TAGS)
    is_gopro = "gopro" in tags.get("handler_name", "").lower()
    return next(filter(None, named), "GoPro" if is_gopro else "")


def _recorder(tags: Mapping[str, str]) -> str:
    """The originator of a Broadcast Wave, if it is one."""
    return join_camera("", tags.get("encoded_by", "")) if "time_reference" in tags else ""


def _rotation(streams: list[Section], index: int | None) -> int:
    """The display matrix of the film in degrees clockwise; ffprobe states it counterclockwise."""
    film = next((stream for stream in streams if index is not None and stream.count("index") == index), None)
    if film is None:
        return 0
    turn = next((film.number(field) for field in film.fields if field.endswith("rotation")), None)
    return round(-(turn or 0.0) / 90) * 90 % 360
