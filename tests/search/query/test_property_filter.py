"""Filters by the date of recording, camera, place, codec, shape and content."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pesearch.capture_time import CaptureTime, DateSource, utc_time
from pesearch.errors import QueryError
from pesearch.locations import Location
from pesearch.place import Place
from pesearch.search.query.file_filter import FileFilter, parse_time
from pesearch.search.query.media_features import Feature, Orientation
from pesearch.search.query.picture_range import parse_frame_rate, parse_size
from pesearch.search.query.property_filter import Area, PropertyFilter, parse_area
from pesearch.types import AudioStream, MediaFile, MediaInfo, MediaKind, MediaProperties, VideoStream

COPIED_NS = int(datetime(2026, 5, 17, 12, tzinfo=UTC).timestamp() * 1e9)
RECORDED = CaptureTime(datetime(2019, 7, 4, 12), DateSource.QUICKTIME)
PHONE = MediaFile(
    1,
    "f",
    MediaInfo(MediaKind.VIDEO, 9.0, VideoStream("hevc", 1080, 1920, 29.98), AudioStream("pcm_s16le", 48_000, 1)),
    (Location(Path("/copied/clip.mov"), 1, COPIED_NS),),
    properties=MediaProperties((RECORDED,), Place(48.8584, 2.2945), "Apple iPhone X", 90, 0),
)
OLD = replace(PHONE, properties=None)
"""In a library made before there were properties."""


def test_a_clip_of_2019_that_was_copied_later_is_of_2019() -> None:
    old = FileFilter(before=datetime(2020, 1, 1))
    assert old.keeps(PHONE) and not replace(old, by_file_time=True).keeps(PHONE)
    new = FileFilter(after=datetime(2026, 5, 17))
    assert not new.keeps(PHONE) and replace(new, by_file_time=True).keeps(PHONE)
    assert FileFilter(after=datetime(2019, 7, 4), before=datetime(2019, 7, 5)).keeps(PHONE)
    assert not old.keeps(OLD) and new.keeps(OLD)


def test_local_time_and_a_point_in_time_are_refused_only_where_no_zone_meets_both() -> None:
    tokyo = CaptureTime(datetime.fromisoformat("2019-07-04T18:30+09:00"), DateSource.QUICKTIME)
    file = replace(PHONE, properties=MediaProperties((tokyo,)))
    after, before = parse_time("2019-07-04T18:30"), parse_time("2019-07-04T18:30+02:00")
    assert FileFilter(after=after, before=before).keeps(file)
    west = CaptureTime(datetime.fromisoformat("2019-07-04T12:00-09:00"), DateSource.QUICKTIME)
    later = FileFilter(after=parse_time("2019-07-04T18:30+02:00"), before=parse_time("2019-07-04T18:30"))
    assert later.keeps(replace(file, properties=MediaProperties((west,)))) and not later.keeps(file)
    for start, end in (
        ("2019-07-05T06:30", "2019-07-04T18:30+02:00"),  # 14 h east of Greenwich it is 06:30 when it is 18:30+02:00
        ("2019-07-04T18:30+02:00", "2019-07-04T04:30"),
        ("2019-07-04T18:30Z", "2019-07-04T20:30+02:00"),
    ):
        with pytest.raises(QueryError, match="no time is at or after"):
            FileFilter(after=parse_time(start), before=parse_time(end))
    assert FileFilter(after=parse_time("2019-07-05T06:29"), before=before)


def test_without_a_date_inside_the_name_of_the_location_counts() -> None:
    names = tuple(Location(Path(name), 1, COPIED_NS) for name in ("/a/VID_20180101_000000.mp4", "/b/clip.mp4"))
    file = replace(PHONE, locations=names, properties=MediaProperties())
    assert FileFilter(before=datetime(2018, 1, 2)).keeps(file)
    assert FileFilter(under=(Path("/b"),), after=datetime(2026, 1, 1)).keeps(file)
    assert not FileFilter(under=(Path("/b"),), before=datetime(2018, 1, 2)).keeps(file)


def test_a_file_without_any_plausible_date_is_neither_before_nor_after() -> None:
    file = replace(PHONE, locations=(Location(Path("/a.mp4"), 1, 0),), properties=MediaProperties())
    assert not FileFilter(before=datetime(2100, 1, 1)).keeps(file)
    assert not FileFilter(after=datetime(1900, 1, 1)).keeps(file)
    assert FileFilter().keeps(file)


def test_the_local_date_of_the_recording_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        evening = datetime(2019, 7, 4, 20, tzinfo=UTC)
        for captured, day in (
            (utc_time(evening, DateSource.CREATION_TIME), 5),  # 5 o'clock in Tokyo
            (CaptureTime(evening, DateSource.QUICKTIME), 4),
        ):
            file = replace(PHONE, properties=MediaProperties((captured,)))
            assert FileFilter(after=datetime(2019, 7, day), before=datetime(2019, 7, day + 1)).keeps(file)
    time.tzset()


@pytest.mark.parametrize(
    ("condition", "is_kept"),
    [
        (PropertyFilter(camera="iphone"), True),
        (PropertyFilter(camera=" apple  IPHONE "), True),
        (PropertyFilter(camera="canon"), False),
        (PropertyFilter(near=parse_area("48.8616, 2.2893")), True),  # at 0.53 km
        (PropertyFilter(near=parse_area("48.8616,2.2893,0.5")), False),
        (PropertyFilter(near=parse_area("51.5,-0.13,400")), True),
        (PropertyFilter(near=parse_area("-33.9,151.2")), False),
        (PropertyFilter(codec="h265"), True),
        (PropertyFilter(codec="HEVC"), True),
        (PropertyFilter(codec="pcm"), True),
        (PropertyFilter(codec="h264"), False),
        (PropertyFilter(size=parse_size("1080p"), frame_rate=parse_frame_rate("30")), True),
        (PropertyFilter(size=parse_size("1080p"), frame_rate=parse_frame_rate("25")), False),
        (PropertyFilter(size=parse_size("4k")), False),
        (PropertyFilter(orientation=Orientation.PORTRAIT), True),
        (PropertyFilter(orientation=Orientation.LANDSCAPE), False),
        (PropertyFilter(has=(Feature.AUDIO, Feature.VIDEO, Feature.PLACE)), True),
        (PropertyFilter(has=(Feature.AUDIO, Feature.SUBTITLES)), False),
    ],
)
def test_conditions(condition: PropertyFilter, is_kept: bool) -> None:
    assert FileFilter(properties=condition).keeps(PHONE) == is_kept


def test_what_a_file_lacks_is_not_met() -> None:
    sound = replace(PHONE, info=replace(PHONE.info, kind=MediaKind.AUDIO, video=None), properties=None)
    for condition in (
        PropertyFilter(camera="a"),
        PropertyFilter(near=Area(Place(48.8584, 2.2945), 20_100.0)),
        PropertyFilter(size=parse_size(">=10p")),
        PropertyFilter(frame_rate=parse_frame_rate(">=1")),
        PropertyFilter(orientation=Orientation.SQUARE),
        PropertyFilter(has=(Feature.VIDEO,)),
        PropertyFilter(has=(Feature.PLACE,)),
    ):
        assert not FileFilter(properties=condition).keeps(sound)
        assert not FileFilter(properties=condition).keeps_all


def test_subtitles_inside_or_next_to_the_file() -> None:
    wanted = FileFilter(properties=PropertyFilter(has=(Feature.SUBTITLES,)))
    assert wanted.keeps(replace(PHONE, has_sidecar_subtitles=True))
    assert wanted.keeps(replace(PHONE, properties=MediaProperties(subtitle_streams=1)))
    assert not wanted.keeps(PHONE)


def test_areas() -> None:
    assert parse_area("48.858,2.294") == Area(Place(48.858, 2.294), 1.0)
    assert parse_area(" -33.9 , 151.2 , 5") == Area(Place(-33.9, 151.2), 5.0)
    for text in ("", "Paris", "48.8", "91,0", "1,2,3,4", "nan,0", "48.8;2.2"):
        with pytest.raises(QueryError, match="is not a place: write LAT,LON"):
            parse_area(text)
    for text in ("1,2,-1", "1,2,nan"):
        with pytest.raises(QueryError, match="is no radius"):
            parse_area(text)
