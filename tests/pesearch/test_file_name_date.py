"""Dates in file names."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.file_name_date import file_name_date

NOON = "2019-07-04T12:34:56"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("VID_20190704_123456.mp4", NOON),
        ("20190704_123456(1).mp4", NOON),
        ("20190704123456.mp4", NOON),
        ("MVIMG_20190704_123456.jpg", NOON),
        ("PXL_20190704_123456789.TS.mp4", "2019-07-04T12:34:56.789000Z"),
        ("GMT20190704-123456_Recording_1920x1080.mp4", NOON + "Z"),
        ("IMG-20190704-WA0003.jpg", "2019-07-04T00:00:00"),
        ("2019-07-04 12.34.56.mov", NOON),
        ("2019-07-04T12:34:56Z.wav", NOON + "Z"),
        ("Screen Recording 2019-07-04 at 12.34.56.mov", NOON),
        ("Screen Shot 2019-07-04 at 1.34.56\u202fPM.png", "2019-07-04T13:34:56"),
        ("Screen Shot 2019-07-04 at 12.34.56 AM.png", "2019-07-04T00:34:56"),
        ("Bildschirmaufnahme 2019-07-04 um 12.34.56.mov", NOON),
        ("Screenshot_20190704-123456_Chrome.jpg", NOON),
        ("2019_0704_123456_001.MP4", NOON + ".001000"),
        ("WIN_20190704_12_34_56_Pro.mp4", NOON),
        ("DJI_20190704123456_0001_D.MP4", NOON),
        ("2019-07-04_12-34-56-front.mp4", NOON),
        ("2019-07-04 12-34-56.mkv", NOON),
        ("2019-07-04_12-34-56_UTC.jpg", NOON + "Z"),
        ("signal-2019-07-04-123456.mp4", NOON),
        ("WhatsApp Video 2019-07-04 at 12.34.mp4", "2019-07-04T12:34:00"),
        ("2019.07.04 party.mp4", "2019-07-04T00:00:00"),
        ("20190704_253456.mp4", "2019-07-04T00:00:00"),  # no time of day
        ("FB_IMG_1562243696000.jpg", NOON + "Z"),
        ("mmexport1562243696000.jpg", NOON + "Z"),
        ("take 20190631 of 2019-07-04.mp4", "2019-07-04T00:00:00"),  # June has 30 days
    ],
)
def test_names_with_a_date(name: str, text: str) -> None:
    found = file_name_date(name)
    assert found is not None and found.text == text


@pytest.mark.parametrize(
    "name",
    [
        "GH010123.MP4",
        "IMG_1234.MOV",
        "Blade.Runner.2049.2017.1080p.mkv",
        "movie.1920x1080.mkv",
        "190704_001.WAV",
        "04-07-2019.mp4",
        "120190704.mp4",
        "20191399_1.mp4",
    ],
)
def test_names_without_a_date(name: str) -> None:
    assert file_name_date(name) is None


@given(st.text(max_size=40) | st.text(alphabet="0123456789-_. TatPM", max_size=40))
def test_any_name_gives_a_date_or_none(name: str) -> None:
    found = file_name_date(name)
    assert found is None or found.at.year in range(1900, 2100)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31)))
def test_the_time_in_a_name_is_read_back(at: datetime) -> None:
    found = file_name_date(f"VID_{at:%Y%m%d_%H%M%S}.mp4")
    assert found is not None and found.at == at.replace(microsecond=0)
