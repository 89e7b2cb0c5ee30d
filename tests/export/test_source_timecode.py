"""Timecode of the source: read from the file, and in every timeline."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentimelineio.opentime import RationalTime

from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection, with_timecode
from pesearch.export.formats import ExportFormat, render_document, render_documents
from pesearch.export.timecode import DROP_FRAME_RATES, RATES, frame_number, frame_rate, frame_span, timecode_text
from pesearch.types import Event
from tests.export.edl_reader import read_edl
from tests.export.hostile import film, sound, still
from tests.export.test_timelines import clips, read, seconds
from tests.media.samples import ffmpeg

NTSC = Fraction(30000, 1001)


@given(st.sampled_from(RATES), st.booleans(), st.integers(0, 24 * 3600 * 60 - 1))
def test_timecode_there_and_back_and_as_opentimelineio_counts(rate: Fraction, drop_frame: bool, frame: int) -> None:
    drop_frame = drop_frame and rate in DROP_FRAME_RATES
    text = timecode_text(frame, rate, drop_frame=drop_frame)
    day = round(rate) * 86_400 if not drop_frame else 144 * (600 * round(rate) - 9 * (round(rate) // 15))
    assert frame_number(text, rate) == frame % day
    assert text == RationalTime(frame % day, float(rate)).to_timecode(float(rate), drop_frame)


def test_numbers_around_dropped_ones() -> None:
    around = [timecode_text(frame, NTSC, drop_frame=True) for frame in (1799, 1800, 17981, 17982, 17983, 2_589_407)]
    assert around == ["00:00:59;29", "00:01:00;02", "00:09:59;29", "00:10:00;00", "00:10:00;01", "23:59:59;29"]
    assert timecode_text(2_589_408, NTSC, drop_frame=True) == "00:00:00;00"


def from_camera(timecode: str, rate: float = 25.0, name: str = "film.mp4") -> Selection:
    """From 2 s to 8 s of a file whose first frame has a timecode."""
    return replace(film(2.0, 8.0, rate, name), timecode=timecode, events=(Event("bell", 3.0, 4.0, 0.8),))


def edl(*chosen: Selection) -> str:
    return render_document(chosen, ExportFormat.EDL).decode()


def test_edl_counts_a_source_as_its_own_timecode() -> None:
    assert "C        01:00:02:00 01:00:08:00 00:00:00:00 00:00:06:00" in edl(from_camera("01:00:00:00"))
    dropping = edl(from_camera("00:59:58;00", 29.97))
    assert "FCM: DROP FRAME" in dropping and "01:00:00;00 01:00:06;00 00:00:00;00 00:00:06;00" in dropping
    counting_all = edl(from_camera("01:00:00:00", 29.97))
    assert "FCM: NON-DROP FRAME" in counting_all and "01:00:02:00 01:00:08:00 00:00:00:00" in counting_all
    three = ("01:00:00;00", "02:00:00;00", "03:00:00:00")
    mixed = edl(*(from_camera(text, 29.97, f"{text[:2]}.mp4") for text in three))
    assert "FCM: DROP FRAME" in mixed and re.search(r"03:00:02:00 03:00:08:00 00:00:12;00", mixed)
    past_midnight = edl(from_camera("23:59:55:00"))
    assert "23:59:57:00 00:00:03:00" in past_midnight


def test_edl_converts_a_timecode_of_another_rate() -> None:
    text = edl(from_camera("10:00:00:00", 50.0, "fast.mp4"), from_camera("01:00:00:00"), from_camera("01:00:00:00"))
    assert "10:00:02:00 10:00:08:00 00:00:00:00" in text


@pytest.mark.parametrize(
    ("rate", "timecode", "start"),
    [
        (120.0, "01:00:00:100", "01:00:00:50"),
        (119.88, "01:00:00;100", "01:00:00;50"),
        (100.0, "01:00:00:75", "01:00:00:37"),
        (15.0, "01:00:00:14", "01:00:00:28"),
        (12.5, "01:00:00:06", "01:00:00:12"),
        (240.0, "23:59:59:239", "23:59:59:59"),
    ],
)
def test_frames_of_a_timecode_are_counted_at_the_rate_of_the_file(rate: float, timecode: str, start: str) -> None:
    source = replace(film(0.0, 2.0, rate), timecode=timecode)
    assert f"C        {start} " in edl(source)
    standard = frame_rate(rate)
    root = ElementTree.fromstring(render_document([source], ExportFormat.FCPXML))
    assert seconds(next(root.iter("asset")).get("start")) == frame_number(start, standard) / standard


@given(
    st.sampled_from([1.0, 10.0, 12.5, 15.0, *map(float, RATES), 90.0, 100.0, 119.88, 120.0, 240.0, 1000.0, 27.3]),
    st.sampled_from(RATES),
    st.tuples(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59)),
    st.data(),
)
def test_a_timecode_keeps_its_clock_and_the_share_of_its_second(
    measured: float, rate: Fraction, clock: tuple[int, int, int], data: st.DataObject
) -> None:
    """Whatever the rate of the file and that of the list are; the start is less than a frame early, and never late."""
    nominal = max(round(measured), 1)
    frames = data.draw(st.integers(0, nominal - 1))
    text = ":".join(f"{part:02d}" for part in (*clock, frames))
    origin = frame_span(replace(film(0.0, 1.0, measured), timecode=text), rate).origin
    whole, part = divmod(origin, round(rate))
    assert whole == clock[0] * 3600 + clock[1] * 60 + clock[2]
    assert 0 <= Fraction(frames, nominal) - Fraction(part, round(rate)) < Fraction(1, round(rate))


@pytest.mark.parametrize("source", [film(0.0, 2.0, 27.3), sound(0.0, 2.0)])
def test_frames_beyond_the_measured_rate_stay_in_their_second(source: Selection) -> None:
    assert frame_span(replace(source, timecode="01:00:00:29")).origin == 3600 * 25 + 24


def test_otio_and_fcpxml_start_at_the_timecode() -> None:
    chosen = from_camera("01:00:00:00", 29.97)
    start = 3600 * 30
    (clip,) = clips(read(render_document([chosen], ExportFormat.OTIO), "otio_json").tracks[0])
    assert clip.media_reference.available_range.start_time.to_frames() == start
    assert clip.source_range.start_time.to_frames() == start + 60
    assert clip.markers[0].marked_range.start_time.to_frames() == start + 90

    root = ElementTree.fromstring(render_document([chosen], ExportFormat.FCPXML))
    (asset,), (placed,), (marker,) = (list(root.iter(name)) for name in ("asset", "asset-clip", "marker"))
    assert seconds(asset.get("start")) == start / NTSC
    assert seconds(placed.get("start")) == (start + 60) / NTSC and placed.get("tcFormat") == "NDF"
    assert seconds(marker.get("start")) == (start + 90) / NTSC
    (read_back,) = clips(read(render_document([from_camera("01:00:00:00")], ExportFormat.FCPXML), "fcpx_xml").tracks[0])
    assert read_back.source_range.start_time.to_frames() == 3600 * 25 + 50


def test_fcpxml_conforms_other_rates_and_takes_the_size_of_a_film() -> None:
    chosen = [still(), film(1, 2), film(2, 3), film(1, 2, 23.976, "cinema.mp4")]
    root = ElementTree.fromstring(render_document(chosen, ExportFormat.FCPXML))
    sequence = root.find("project/sequence")
    sizes = {each.get("id"): (each.get("width"), each.get("height")) for each in root.iter("format")}
    video = film(1, 2).media
    assert sequence is not None and video is not None and video.video is not None
    assert sizes[sequence.get("format")] == (str(video.video.width), str(video.video.height))
    conformed = {each.get("name"): each.find("conform-rate") for each in root.iter("asset-clip")}
    assert conformed["film.mp4"] is None
    assert conformed["cinema.mp4"] is not None
    assert conformed["cinema.mp4"].attrib == {"scaleEnabled": "0", "srcFrameRate": "23.98"}
    (cinema,) = (each for each in root.iter("asset-clip") if each.get("name") == "cinema.mp4")
    assert [child.tag for child in cinema] == ["note", "conform-rate"]  # in the order of the DTD


def test_a_long_edl_is_split() -> None:
    many = [film(1, 2)] * 2000
    parts = [read_edl(document) for document in render_documents(many, ExportFormat.EDL)]
    assert [len(events) for _, events in parts] == [999, 999, 2]
    assert [events[0].record_in for _, events in parts] == ["00:00:00:00"] * 3
    assert render_documents(many[:5], ExportFormat.OTIO) == [render_document(many[:5], ExportFormat.OTIO)]
    with pytest.raises(ExportError, match="999 events"):
        render_document(many[:1000], ExportFormat.EDL)


def test_all_parts_of_a_split_edl_count_alike() -> None:
    drops = [from_camera("01:00:00;00", 29.97, "drops.mp4")] * 1000
    counts_all = [from_camera("01:00:00:00", 29.97, "all.mp4")] * 600
    other = [film(1, 2, name="other.mp4")] * 400
    for document in render_documents([*other, *counts_all, *drops], ExportFormat.EDL):
        assert "(29.97 fps)\nFCM: DROP FRAME\n" in document.decode()


@pytest.mark.parametrize("rate", [25.0, 29.97, 30.0, 59.94])
@pytest.mark.parametrize("timecode", [None, "01:00:00:00", "01:00:00;00"])
def test_fcpxml_and_edl_count_in_drop_frames_by_one_rule(rate: float, timecode: str | None) -> None:
    chosen = [replace(film(1, 2, rate), timecode=timecode)]
    drops = rate in (29.97, 59.94) and timecode != "01:00:00:00"
    sequence = ElementTree.fromstring(render_document(chosen, ExportFormat.FCPXML)).find("project/sequence")
    assert sequence is not None and sequence.get("tcFormat") == ("DF" if drops else "NDF")
    assert read_edl(render_document(chosen, ExportFormat.EDL))[0] == ("DROP FRAME" if drops else "NON-DROP FRAME")


@pytest.mark.parametrize(("rate", "timecode"), [("25", "01:00:00:00"), ("30000/1001", "10:09:58;00")])
def test_the_timecode_of_a_file(tmp_path: Path, rate: str, timecode: str) -> None:
    path = tmp_path / "camera.mov"
    ffmpeg("-f", "lavfi", "-i", f"color=s=64x64:r={rate}:d=0.2", "-timecode", timecode, path)
    chosen = with_timecode(replace(film(0, 0.1), path=path))
    assert chosen.timecode == timecode
    assert with_timecode(film(0, 1)).timecode is None  # offline


def from_recorder(reference: Fraction, path: Path = Path("/media/boom.wav")) -> Selection:
    """From 1 s to 3 s of a sound file whose first sample was recorded so many seconds after midnight."""
    return replace(sound(1.0, 3.0), path=path, timecode="", time_reference_seconds=reference)


@pytest.mark.parametrize(
    ("rate", "reference", "source_in"),
    [
        (25.0, Fraction(36_000), "10:00:01:00"),
        (30.0, Fraction(36_000 * 48_000 + 24_000, 48_000), "10:00:01:15"),
        (29.97, Fraction(36_000), "10:00:01;01"),  # drop frames are 36 ms late after ten hours
        (59.94, Fraction(3600), "01:00:01;00"),
        (23.976, Fraction(36_036), "10:00:01:00"),
        (23.976, Fraction(86_486) + Fraction(4, 10) - Fraction(1001, 24000), "00:00:00:23"),
        (25.0, Fraction(86_399), "00:00:00:00"),
    ],
)
def test_a_time_reference_counts_in_every_timeline_as_the_list_does(
    rate: float, reference: Fraction, source_in: str
) -> None:
    """At 29.97 in drop frames, at 23.976 by the clock of recorders, which is 3.6 s an hour behind."""
    chosen = [from_recorder(reference), film(1, 2, rate)]
    assert f"A     C        {source_in} " in edl(*chosen)
    exact = frame_rate(rate)
    origin = round(reference * exact)
    (clip,) = clips(read(render_document(chosen, ExportFormat.OTIO), "otio_json").tracks[1])[:1]
    assert clip.media_reference.available_range.start_time == RationalTime(origin, float(exact))
    assert clip.source_range.start_time == RationalTime(origin + round(exact), float(exact))
    root = ElementTree.fromstring(render_document(chosen, ExportFormat.FCPXML))
    asset, placed = next(root.iter("asset")), next(root.iter("asset-clip"))
    assert seconds(asset.get("start")) == origin / exact
    assert seconds(placed.get("start")) == (origin + round(exact)) / exact
    assert placed.get("tcFormat") == ("DF" if ";" in source_in else "NDF")


def test_a_time_reference_after_24_hours_begins_the_next_day() -> None:
    assert frame_span(from_recorder(Fraction(86_400 + 2)), Fraction(25)).origin == 50


@pytest.mark.parametrize("options", [[], ["-rf64", "always"]])
def test_the_time_reference_of_a_broadcast_wave_file(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "boom.wav"
    reference = ("-metadata", f"time_reference={48_000 * 36_000 + 7}", "-write_bext", "1", *options)
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono", "-t", "0.2", *reference, path)
    chosen = with_timecode(replace(sound(0, 0.1), path=path))
    assert (chosen.timecode, chosen.time_reference_seconds) == ("", 36_000 + Fraction(7, 48_000))


def test_the_time_reference_tag_of_other_formats_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "resampled.flac"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=44100:cl=mono", "-t", "0.2", "-metadata", "time_reference=48000", path)
    assert with_timecode(replace(sound(0, 0.1), path=path)).time_reference_seconds is None
