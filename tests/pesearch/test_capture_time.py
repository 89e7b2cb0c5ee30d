"""Capture times: which are plausible, which calendar date they have, and how they are written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.capture_time import CaptureTime, DateSource, first_plausible, parse_capture_time, utc_time
from pesearch.locations import Location
from pesearch.types import MediaFile, MediaInfo, MediaKind, MediaProperties

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
DATES = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 28))
TIMES = (
    st.builds(CaptureTime, DATES, st.sampled_from(DateSource))
    | st.builds(
        lambda at, zone, source: CaptureTime(at.replace(tzinfo=zone), source), DATES, ZONES, st.sampled_from(DateSource)
    )
    | st.builds(lambda at, source: utc_time(at.replace(tzinfo=UTC), source), DATES, st.sampled_from(DateSource))
)


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@given(TIMES)
def test_a_time_is_read_back_as_it_was_written(captured: CaptureTime) -> None:
    assert parse_capture_time(captured.text, captured.source) == captured


def test_the_date_is_that_of_the_recording_where_its_zone_is_known(in_new_york: None) -> None:
    late = datetime(2019, 7, 5, 1, 30, tzinfo=UTC)
    assert utc_time(late, DateSource.CREATION_TIME).wall_clock.date() == date(2019, 7, 4)  # 21:30 here
    assert CaptureTime(late, DateSource.QUICKTIME).wall_clock.date() == date(2019, 7, 5)  # recorded in a zone at UTC
    tokyo = CaptureTime(datetime(2019, 7, 5, 10, 30, tzinfo=timezone(timedelta(hours=9))), DateSource.QUICKTIME)
    assert tokyo.wall_clock.date() == date(2019, 7, 5)
    assert CaptureTime(datetime(2019, 7, 5, 1, 30), DateSource.EXIF).wall_clock.date() == date(2019, 7, 5)


@pytest.mark.parametrize(
    "at",
    [
        datetime(1904, 1, 1),
        datetime(1904, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 19),  # zero in New York
        datetime(1980, 1, 1, 0, 12),
        datetime(1980, 1, 6, tzinfo=UTC),
        datetime(1601, 1, 1),
        datetime(2000, 1, 1),
        datetime(2001, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1),
        datetime(1825, 12, 31),
        datetime(2026, 5, 19),
        datetime(2026, 5, 18, 12, 0, 1, tzinfo=UTC),
        datetime(2036, 2, 7, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-12))),
    ],
    ids=str,
)
def test_implausible_times(at: datetime) -> None:
    assert not CaptureTime(at, DateSource.EXIF).is_plausible(NOW)


@pytest.mark.parametrize(
    "at",
    [
        datetime(1969, 7, 20, 20, 17, tzinfo=UTC),
        datetime(1970, 1, 3),
        datetime(2000, 1, 1, 0, 0, 12),  # fireworks
        datetime(1950, 6, 1),
        datetime(2026, 5, 17, 23),  # ahead of UTC, in Auckland
        datetime(2026, 5, 17, 12, 0, 5, tzinfo=UTC),
    ],
    ids=str,
)
def test_plausible_times(at: datetime) -> None:
    assert CaptureTime(at, DateSource.EXIF).is_plausible(NOW)


def test_the_first_plausible_time_of_content_then_name_then_file_counts() -> None:
    stated = CaptureTime(datetime(2019, 7, 4, 12), DateSource.CREATION_TIME)
    zero = CaptureTime(datetime(1904, 1, 1), DateSource.QUICKTIME)
    copied = int(datetime(2024, 5, 17, tzinfo=UTC).timestamp() * 1e9)

    def source(name: str, modified_ns: int, *times: CaptureTime) -> DateSource | None:
        file = MediaFile(
            1, "f", MediaInfo(MediaKind.VIDEO, 1.0, None, None), (Location(Path(name), 1, modified_ns),),
            properties=MediaProperties(times),
        )  # fmt: skip
        return file.captured.source if file.captured else None

    assert source("VID_20180101_000000.mp4", copied, zero, stated) is DateSource.CREATION_TIME
    assert source("VID_20180101_000000.mp4", copied, zero) is DateSource.FILE_NAME
    assert source("VID_20990101_000000.mp4", copied, zero) is DateSource.FILE_TIME
    assert source("clip.mp4", 0, zero) is None
    assert first_plausible([]) is None
