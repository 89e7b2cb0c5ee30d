"""What files say about their recording: true values from each source, in small files of each container."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from pesearch.capture_time import DateSource
from pesearch.errors import MediaError
from pesearch.media.camera_name import join_camera
from pesearch.media.probe import probe
from pesearch.media.properties import read_properties
from pesearch.media.time_tags import parse_time_tag
from pesearch.place import Place
from pesearch.types import MediaKind, MediaProperties

Tagged = Callable[..., MediaProperties]
MOV = ("-movflags", "use_metadata_tags")
EIFFEL = Place(48.8584, 2.2945)


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("properties") / "film.mkv"
    pictures, sound = "testsrc2=s=160x96:r=25:d=0.4", "sine=d=0.4"
    _ffmpeg("-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound, "-c:v", "mpeg4", "-c:a", "mp2", str(path))
    return path


@pytest.fixture
def tagged(film: Path, tmp_path: Path) -> Tagged:
    """The properties of the film, copied into a container with these tags."""

    def copy(name: str, *options: str, **tags: str) -> MediaProperties:
        metadata = [part for tag, text in tags.items() for part in ("-metadata", f"{tag.replace('__', '.')}={text}")]
        path = tmp_path / name
        _ffmpeg("-i", str(film), "-c", "copy", *metadata, *options, str(path))
        return read_properties(path, probe(path).kind)

    return copy


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments], check=True)


def dates(properties: MediaProperties) -> list[str]:
    return [f"{time.source} {time.text}" for time in properties.capture_times]


def test_a_film_of_a_phone(tagged: Tagged) -> None:
    """Apple's own keys: the local time with its offset comes before the UTC time."""
    properties = tagged(
        "phone.mov", *MOV, creation_time="2019-07-04T21:34:56Z",
        com__apple__quicktime__creationdate="2019-07-04T23:34:56+0200",
        com__apple__quicktime__location__ISO6709="+48.8584+002.2945+035.000/",
        com__apple__quicktime__make="Apple", com__apple__quicktime__model="iPhone X",
    )  # fmt: skip
    assert dates(properties) == ["quicktime 2019-07-04T23:34:56+02:00", "creation_time 2019-07-04T21:34:56Z"]
    assert properties.place == Place(48.8584, 2.2945, 35.0)
    assert (properties.camera, properties.rotation_degrees, properties.subtitle_streams) == ("Apple iPhone X", 0, 0)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.3gp", "a.flv"])
def test_creation_time_and_location_of_a_container(tagged: Tagged, name: str) -> None:
    coded = ("-c:v", "flv1", "-c:a", "mp3") if name == "a.flv" else ("-an",)
    properties = tagged(name, *coded, creation_time="2019-07-04T12:34:56Z", location="+48.8584+002.2945/")
    assert dates(properties) == ["creation_time 2019-07-04T12:34:56Z"]
    assert properties.place == EIFFEL


def test_a_film_with_android_tags_a_date_and_no_fix(tagged: Tagged) -> None:
    properties = tagged(
        "a.mp4", *MOV, com__android__manufacturer="Google", com__android__model="Pixel 7",
        location="+00.0000+000.0000/", date="20190704",
    )  # fmt: skip
    assert dates(properties) == ["tag 2019-07-04T00:00:00"]
    assert (properties.camera, properties.place) == ("Google Pixel 7", None)


def test_a_year_is_no_date_and_a_zero_clock_is_kept_but_not_plausible(tagged: Tagged) -> None:
    assert dates(tagged("a.mkv", date="2019")) == []
    zero = tagged("b.mkv", creation_time="1970-01-01T00:00:00Z", date="2019-07-04")
    assert dates(zero) == ["creation_time 1970-01-01T00:00:00Z", "tag 2019-07-04T00:00:00"]


def test_a_broadcast_wave(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    bext = {"origination_date": "2019-07-04", "origination_time": "12:34:56", "originator": "ZOOM H6"}
    tags = [part for tag, text in bext.items() for part in ("-metadata", f"{tag}={text}")]
    _ffmpeg("-f", "lavfi", "-i", "sine=d=0.2", "-write_bext", "1", *tags, str(path))
    properties = read_properties(path, probe(path).kind)
    assert dates(properties)[0] == "broadcast_wave 2019-07-04T12:34:56"
    assert properties.camera == "ZOOM H6"


def test_rotation_and_subtitles(film: Path, tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:00,300\nMind the gap\n")
    path = tmp_path / "a.mov"
    streams = ("-map", "0", "-map", "1", "-c", "copy", "-c:s", "mov_text", "-metadata:s:v", "rotate=90")
    _ffmpeg("-i", str(film), "-i", str(tmp_path / "a.srt"), *streams, str(path))
    properties = read_properties(path, probe(path).kind)
    assert (properties.rotation_degrees, properties.subtitle_streams) == (270, 1)  # FFmpeg turns counterclockwise


def picture(path: Path, exif: Image.Exif | None = None, **options: Any) -> MediaProperties:
    Image.new("RGB", (32, 24), "red").save(path, exif=exif or Image.Exif(), **options)
    return read_properties(path, probe(path).kind)


def camera_exif(**gps: Any) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Canon", "Canon EOS 5D"
    exif[ExifTags.Base.DateTime] = "2021:01:01 10:00:00"
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {
            ExifTags.Base.DateTimeOriginal: "2019:07:04 12:34:56",
            ExifTags.Base.SubsecTimeOriginal: "25",
            ExifTags.Base.OffsetTimeOriginal: "-03:30",
        }
    )
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({ExifTags.GPS[name]: value for name, value in gps.items()})
    return exif


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_exif(tmp_path: Path, name: str) -> None:
    exif = camera_exif(
        GPSLatitude=(33.0, 52.0, 7.68), GPSLatitudeRef="S", GPSLongitude=(151.0, 12.0, 33.48), GPSLongitudeRef="E",
        GPSAltitude=12.5, GPSAltitudeRef=b"\1",
    )  # fmt: skip
    properties = picture(tmp_path / name, exif)
    assert dates(properties) == ["exif 2019-07-04T12:34:56.250000-03:30", "exif 2021-01-01T10:00:00"]
    assert properties.place is not None
    assert (properties.place.latitude, properties.place.longitude) == pytest.approx((-33.8688, 151.2093), abs=1e-6)
    assert properties.place.altitude_meters == -12.5
    assert (properties.camera, properties.rotation_degrees) == ("Canon EOS 5D", 90)


def test_exif_of_the_wrong_types_costs_only_itself(tmp_path: Path) -> None:
    exif = camera_exif(GPSLatitude=(1.0,), GPSLongitude=(1.0, 2.0, 3.0))
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.OffsetTimeOriginal] = "?"
    properties = picture(tmp_path / "a.jpg", exif)
    assert dates(properties)[0] == "exif 2019-07-04T12:34:56.250000" and properties.place is None
    assert picture(tmp_path / "b.jpg") == MediaProperties()


def test_xmp(tmp_path: Path) -> None:
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description'
        ' exif:GPSLatitude="48,51.504N" exif:GPSLongitude="2,17,40E">'
        "<photoshop:DateCreated>2019-07-04T12:34:56+02:00</photoshop:DateCreated></rdf:Description></x:xmpmeta>"
    )
    properties = picture(tmp_path / "a.jpg", xmp=xmp.encode())
    assert dates(properties) == ["xmp 2019-07-04T12:34:56+02:00"]
    assert properties.place is not None
    assert (properties.place.latitude, properties.place.longitude) == pytest.approx((48.8584, 2.29444), abs=1e-5)


def test_iptc_and_a_text_chunk(tmp_path: Path) -> None:
    fields = b"".join(
        b"\x1c\x02" + bytes([tag]) + len(value).to_bytes(2, "big") + value
        for tag, value in ((55, b"20190704"), (60, b"123456+0200"))
    )
    block = b"Photoshop 3.08" + b"\0" + b"8BIM\x04\x04\0\0" + len(fields).to_bytes(4, "big") + fields
    path = tmp_path / "a.jpg"
    picture(path)
    jpeg, segment = path.read_bytes(), b"Photoshop 3.0\0" + block[15:] + b"\0" * (len(fields) % 2)
    path.write_bytes(jpeg[:2] + b"\xff\xed" + (len(segment) + 2).to_bytes(2, "big") + segment + jpeg[2:])
    assert dates(read_properties(path, probe(path).kind)) == ["iptc 2019-07-04T12:34:56+02:00"]
    text = PngInfo()
    text.add_text("Creation Time", "Thu, 04 Jul 2019 12:34:56 +0200")
    assert dates(picture(tmp_path / "a.png", pnginfo=text)) == ["tag 2019-07-04T12:34:56+02:00"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-07-04T12:34:56.000000Z", "2019-07-04T12:34:56Z"),
        ("2019-07-04T12:34:56+0200", "2019-07-04T12:34:56+02:00"),
        ("2019:07:04 12:34:56", "2019-07-04T12:34:56"),
        ("2019-07-04 12:34", "2019-07-04T12:34:00"),
        ("2019_07_04 12.34.56", "2019-07-04T12:34:56"),
        ("2019/07/04", "2019-07-04T00:00:00"),
        ("2019-07-04 12:34:56 UTC", "2019-07-04T12:34:56Z"),
        ("2019:07:04 12:34:56\0", "2019-07-04T12:34:56"),
        ("0000:00:00 00:00:00", None),
        ("    :  :     :  :  ", None),
        ("2019-07-04 25:00:00", None),
        ("2019-07", None),
        ("2019", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_notations_of_time(text: str, expected: str | None) -> None:
    found = parse_time_tag(text, DateSource.TAG)
    assert (found.text if found else None) == expected


@given(st.text(max_size=30) | st.text(alphabet="0123456789-:/ TZ+.", max_size=30))
def test_any_text_is_a_time_or_none(text: str) -> None:
    found = parse_time_tag(text, DateSource.TAG)
    assert found is None or found.is_local or found.at.tzinfo is UTC


def test_makes_are_named_once() -> None:
    assert join_camera("Apple", "iPhone X") == "Apple iPhone X"
    assert join_camera("NIKON", "Nikon D90\0") == "Nikon D90"
    assert join_camera("GoPro", "") == "GoPro" and join_camera("", "  H6  ") == "H6" and join_camera("", "") == ""


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").mkdir()
    with pytest.raises(MediaError):
        read_properties(tmp_path / "a.mp4", MediaKind.VIDEO)
