"""The properties of a picture: EXIF, XMP and IPTC, read with PIL without decoding a pixel."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageFile, IptcImagePlugin, PngImagePlugin

from pesearch.capture_time import CaptureTime, DateSource
from pesearch.media.camera_name import join_camera
from pesearch.media.image import examine_image
from pesearch.media.time_tags import parse_time_tag
from pesearch.place import Place
from pesearch.types import MediaProperties

_EXIF_TIMES = (
    (ExifTags.Base.DateTimeOriginal, ExifTags.Base.SubsecTimeOriginal, ExifTags.Base.OffsetTimeOriginal),
    (ExifTags.Base.DateTimeDigitized, ExifTags.Base.SubsecTimeDigitized, ExifTags.Base.OffsetTimeDigitized),
)
_XMP_TIMES = ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")
_IPTC_DATE, _IPTC_TIME = (2, 55), (2, 60)
_ROTATIONS = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}
"""Degrees clockwise by EXIF orientation; mirrored ones as without the mirror."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRC_BYTES = 4
_MAX_CHUNKS = 100_000
"""Of a PNG that are looked at; pixels are stored in chunks of 8 KB and more."""

_MAX_ALTITUDE_METERS = 1e6
"""A larger altitude is damaged."""


def read_image_properties(path: Path) -> MediaProperties:
    """What a picture says about its recording. Errors: MediaError."""
    return examine_image(path, _properties)


def _properties(image: Image.Image) -> MediaProperties:
    if isinstance(image, PngImagePlugin.PngImageFile):
        _read_last_chunks(image)
    exif = Image.Image.getexif(image)  # that of a PNG would decode the whole file
    details = exif.get_ifd(ExifTags.IFD.Exif)
    xmp = _xmp(image)
    return MediaProperties(
        capture_times=tuple(time for time in _times(image, exif, details, xmp) if time is not None),
        place=_exif_place(exif.get_ifd(ExifTags.IFD.GPSInfo)) or _xmp_place(xmp),
        camera=join_camera(_text(exif, ExifTags.Base.Make), _text(exif, ExifTags.Base.Model)),
        rotation_degrees=_ROTATIONS.get(exif.get(ExifTags.Base.Orientation, 1), 0),
    )


def _read_last_chunks(image: PngImagePlugin.PngImageFile) -> None:
    """Add the texts and the EXIF of a PNG that stand after its pixels, which are not decoded."""
    file = image.fp
    assert file is not None
    file.seek(len(_PNG_SIGNATURE))
    stream = PngImagePlugin.PngStream(file)
    for _ in range(_MAX_CHUNKS):
        name, at, length = stream.read()
        if name == b"IEND":
            break
        if name in (b"iTXt", b"tEXt", b"zTXt", b"eXIf"):
            stream.crc(name, stream.call(name, at, length))
        else:
            file.seek(length + _CRC_BYTES, os.SEEK_CUR)
    image.info.update(stream.im_info)


def _times(
    image: Image.Image, exif: Mapping[int, Any], details: Mapping[int, Any], xmp: str
) -> Iterator[CaptureTime | None]:
    """All times in the order of preference: when it was taken, when digitized, when changed."""
    for time, subsecond, offset in _EXIF_TIMES:
        fraction = _text(details, subsecond)
        stamp = _text(details, time) + (f".{fraction}" if fraction.isdigit() else "")
        yield parse_time_tag(stamp + _text(details, offset), DateSource.EXIF) or parse_time_tag(stamp, DateSource.EXIF)
    yield from (parse_time_tag(_xmp_field(xmp, name), DateSource.XMP) for name in _XMP_TIMES)
    yield _iptc_time(image)
    yield parse_time_tag(_text(exif, ExifTags.Base.DateTime), DateSource.EXIF)
    yield parse_time_tag(str(image.info.get("Creation Time", "")), DateSource.TAG)  # a text chunk of PNG


def _text(tags: Mapping[int, Any], tag: int) -> str:
    value = tags.get(tag, "")
    return value.strip("\0 ") if isinstance(value, str) else ""


def _xmp(image: Image.Image) -> str:
    packet = image.info.get("xmp", image.info.get("XML:com.adobe.xmp", ""))
    return packet.decode("utf-8", "replace") if isinstance(packet, bytes) else str(packet)


def _xmp_field(xmp: str, name: str) -> str:
    """A simple property, as attribute or element; empty if missing."""
    found = re.search(rf"\b{name}\s{{0,9}}(?:=\s{{0,9}}[\"']([^\"']{{0,99}})[\"']|>([^<]{{0,99}})<)", xmp)
    return (found[1] or found[2] or "") if found else ""


def _iptc_time(image: Image.Image) -> CaptureTime | None:
    """IPTC's date (CCYYMMDD) and time (HHMMSS+HHMM)."""
    if not isinstance(image, ImageFile.ImageFile):
        return None
    try:
        fields = IptcImagePlugin.getiptcinfo(image) or {}
        day, time = (_digits(fields.get(key)) for key in (_IPTC_DATE, _IPTC_TIME))
    except (KeyError, ValueError, SyntaxError, OSError):  # PIL's errors for a damaged block
        return None
    clock = f"T{time[:2]}:{time[2:4]}:{time[4:6]}{time[6:]}" if len(time) >= 6 else ""
    return parse_time_tag(f"{day[:4]}-{day[4:6]}-{day[6:]}{clock}", DateSource.IPTC)


def _digits(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else ""


def _exif_place(gps: Mapping[int, Any]) -> Place | None:
    try:
        latitude = _exif_degrees(gps[ExifTags.GPS.GPSLatitude], gps.get(ExifTags.GPS.GPSLatitudeRef, "N"))
        longitude = _exif_degrees(gps[ExifTags.GPS.GPSLongitude], gps.get(ExifTags.GPS.GPSLongitudeRef, "E"))
        place = Place(latitude, longitude, _exif_altitude(gps))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):  # missing, or of another type than the standard's
        return None
    return place if place.is_fix else None


def _exif_degrees(parts: Any, reference: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    sign = -1 if str(reference).strip("\0 ").upper() in ("S", "W") else 1
    return sign * (degrees + minutes / 60 + seconds / 3600)


def _exif_altitude(gps: Mapping[int, Any]) -> float | None:
    """Meters above the sea; None if not stated, or not a number."""
    try:
        altitude = float(gps[ExifTags.GPS.GPSAltitude])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    is_below = gps.get(ExifTags.GPS.GPSAltitudeRef) in (1, b"\x01")
    return None if altitude != altitude or abs(altitude) > _MAX_ALTITUDE_METERS else -altitude if is_below else altitude


def _xmp_place(xmp: str) -> Place | None:
    """XMP's `48,51.504N` or `48,51,30N`."""
    try:
        degrees = [_xmp_degrees(_xmp_field(xmp, f"exif:GPS{axis}")) for axis in ("Latitude", "Longitude")]
        place = Place(*degrees)
    except ValueError:
        return None
    return place if place.is_fix else None


def _xmp_degrees(text: str) -> float:
    parts = [float(part) for part in text[:-1].split(",")]
    value = sum(part / weight for part, weight in zip(parts, (1, 60, 3600), strict=False))
    return -value if text[-1:] in "SW" else value
