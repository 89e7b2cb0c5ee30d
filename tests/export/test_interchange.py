"""Timelines by other readers than ours: sources with timecode, mixed rates, stills, sound alone, odd names."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection
from pesearch.export.formats import ExportFormat, render_document
from pesearch.export.timecode import DROP_FRAME_RATES, RATES, clip_rate, common_rate, frame_span, timecode_text
from tests.export.edl_reader import frames_a_day, frames_since_midnight, read_edl
from tests.export.fcpxml_rules import faults
from tests.export.hostile import film, selections, sound, still, with_any_timecode
from tests.export.test_csv_m3u_vtt import path_of
from tests.export.test_timelines import clips, read, seconds

CHOSEN = st.lists(with_any_timecode(selections()), min_size=1, max_size=3, unique_by=lambda each: each.path)


@given(st.sampled_from(RATES), st.booleans(), st.floats(0, 1), st.integers(0, 5000), st.integers(1, 5000))
def test_edl_of_a_source_that_starts_anywhere_in_the_day(
    rate: Fraction, drop_frame: bool, share: float, first: int, count: int
) -> None:
    nominal, drop_frame = round(rate), drop_frame and rate in DROP_FRAME_RATES
    day = frames_a_day(nominal, drop_frame=drop_frame)
    start = round(share * (day - 1))
    source = film(float(first / rate), float((first + count) / rate), float(rate), seconds=float(20_000 / rate))
    source = replace(source, timecode=timecode_text(start, rate, drop_frame=drop_frame))
    mode, (event,) = read_edl(render_document([source], ExportFormat.EDL))
    assert frames_since_midnight(source.timecode, nominal) == start
    assert mode == ("DROP FRAME" if drop_frame else "NON-DROP FRAME")
    assert frames_since_midnight(event.source_in, nominal) == (start + first) % day
    assert frames_since_midnight(event.source_out, nominal) == (start + first + count) % day
    assert frames_since_midnight(event.record_in, nominal) == 0
    assert frames_since_midnight(event.record_out, nominal) == count


@settings(max_examples=20)  # of up to three selections each
@given(CHOSEN)
def test_edl_of_any_sources(chosen: list[Selection]) -> None:
    """All numbers exist, cuts are as long in the source as in the timeline, and follow each other without a gap."""
    nominal = round(common_rate(chosen))
    try:
        document = render_document(chosen, ExportFormat.EDL)
    except ExportError:
        assume(False)
    mode, events = read_edl(document)
    assert [event.number for event in events] == list(range(1, len(chosen) + 1))
    end = 0
    for event in events:
        assert (";" in event.record_in) == (mode == "DROP FRAME")
        day = frames_a_day(nominal, drop_frame=";" in event.source_in)
        taken, placed = (
            [frames_since_midnight(time, nominal) for time in times]
            for times in ((event.source_in, event.source_out), (event.record_in, event.record_out))
        )
        assert placed[0] == end and (taken[1] - taken[0]) % day == placed[1] - placed[0] > 0
        end = placed[1]


@pytest.mark.parametrize("timecode", ["10:00:00:00", "10:00:00;00", "23:59:59:00"])
@pytest.mark.parametrize("rate", [23.976, 29.97, 59.94, 50.0])
@pytest.mark.parametrize("list_rate", [24.0, 25.0, 29.97])
def test_edl_keeps_the_clock_of_a_source_of_another_rate(timecode: str, rate: float, list_rate: float) -> None:
    """A second after its start, whatever the rates are: an editor finds it by its hours, minutes and seconds."""
    if ";" in timecode and rate not in (29.97, 59.94):
        timecode = timecode.replace(";", ":")
    source = replace(film(1, 3, rate, "other.mp4"), timecode=timecode)
    _, events = read_edl(render_document([film(0, 1, list_rate)] * 2 + [source], ExportFormat.EDL))
    assert events[-1].source_in[:8] == ("00:00:00" if timecode.startswith("23") else "10:00:01")
    assert frames_since_midnight(events[-1].source_in, round(list_rate)) % round(list_rate) <= 1


@settings(max_examples=20)  # of up to three selections each
@given(CHOSEN)
def test_otio_and_fcpxml_of_any_sources_start_at_their_timecode(chosen: list[Selection]) -> None:
    rate = common_rate(chosen)
    spans = {selection.path: frame_span(selection, clip_rate(selection, rate)) for selection in chosen}
    timeline = read(render_document(chosen, ExportFormat.OTIO), "otio_json")
    for clip in (clip for track in timeline.tracks for clip in clips(track)):
        whole, part = clip.media_reference.available_range, clip.source_range
        assert whole.contains(part.start_time) and part.end_time_exclusive() <= whole.end_time_exclusive()
        assert whole.start_time.to_frames() == spans[path_of(clip.media_reference.target_url)].origin

    root = ElementTree.fromstring(render_document(chosen, ExportFormat.FCPXML))
    assert list(faults(root)) == []
    assets = {asset.get("id"): asset for asset in root.iter("asset")}
    placed = [clip for clip in root.iter() if clip.tag in ("asset-clip", "video")]
    for clip, selection in zip(placed, chosen, strict=True):
        span = spans[selection.path]
        assert seconds(assets[clip.get("ref")].get("start")) == span.origin / span.rate
        assert seconds(clip.get("start")) == (span.origin + span.first) / span.rate


def test_fcpxml_of_all_kinds_matches_the_definition() -> None:
    chosen = [
        still("it's <a> & \"b\".png"), sound(1, 2, "日本語.wav"), film(1, 2, 25.0), film(1, 2, 25.0),
        replace(film(2, 8, 29.97, "camera.mov"), timecode="10:09:58;00"),
        replace(film(2, 8, 23.976, "cinema.mov"), timecode="23:59:59:23"),
        film(1, 2, 59.94, "fast.mp4"), film(1, 2, 48.0, "48.mp4"), film(1, 2, 12.5, "slow.mp4"),
        replace(film(1, 2), media=None, path=film(1, 2).path.with_name("offline.mp4")),
    ]  # fmt: skip
    root = ElementTree.fromstring(render_document(chosen, ExportFormat.FCPXML))
    assert list(faults(root)) == []
    conformed = [(clip.get("name"), clip.find("conform-rate")) for clip in root.iter("asset-clip")]
    rates = {name: rate.get("srcFrameRate") for name, rate in conformed if rate is not None}
    assert rates == {"camera.mov": "29.97", "cinema.mov": "23.98", "fast.mp4": "59.94", "48.mp4": "48"}


def test_the_definition_rejects_another_order_and_broken_references() -> None:
    root = ElementTree.fromstring(
        render_document([film(1, 2), film(1, 2), film(1, 2, 50.0, "fast.mp4")], ExportFormat.FCPXML)
    )
    clip = list(root.iter("asset-clip"))[-1]
    clip[:] = reversed(clip)
    clip.set("ref", "r99")
    del next(root.iter("asset")).attrib["src"]
    assert list(faults(root)) == [
        "asset lacks src",
        "asset-clip has the children conform-rate note ",
        "asset-clip refers to r99, which does not exist",
    ]
