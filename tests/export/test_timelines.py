"""EDL, OpenTimelineIO and FCPXML documents: literal text, and read back with OpenTimelineIO's adapters."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import opentimelineio as otio
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection
from pesearch.export.formats import ExportFormat, render_document
from pesearch.export.safe_names import file_name
from pesearch.export.timecode import clip_rate, common_rate, frame_span
from pesearch.types import Event, MediaKind
from tests.export.hostile import SELECTIONS, film, selections, sound, still
from tests.export.test_csv_m3u_vtt import path_of


def read(document: bytes, adapter: str, **options: float) -> otio.schema.Timeline:
    return otio.adapters.read_from_string(document.decode(), adapter, **options)


def clips(track: otio.schema.Track) -> list[otio.schema.Clip]:
    return [item for item in track if isinstance(item, otio.schema.Clip)]


def test_edl_text() -> None:
    chosen = [film(2.0, 8.0), sound(1.0, 2.5), still(), film(10, 11)]
    assert render_document(chosen, ExportFormat.EDL).decode() == (
        "TITLE: siren, ball (25 fps)\n"
        "FCM: NON-DROP FRAME\n"
        "\n"
        "001  FILM     B     C        00:00:02:00 00:00:08:00 00:00:00:00 00:00:06:00\n"
        "* FROM CLIP NAME:  film.mp4\n"
        "* FROM CLIP: file:///media/film.mp4\n"
        "* MOMENT: siren (0.90)\n"
        "002  SOUND    A     C        00:00:01:00 00:00:02:12 00:00:06:00 00:00:07:12\n"
        "* FROM CLIP NAME:  sound.wav\n"
        "* FROM CLIP: file:///media/sound.wav\n"
        "* MOMENT: siren (0.80)\n"
        "003  STILL    V     C        00:00:00:00 00:00:05:00 00:00:07:12 00:00:12:12\n"
        "* FROM CLIP NAME:  still.png\n"
        "* FROM CLIP: file:///media/still.png\n"
        "* MOMENT: ball (0.70)\n"
        "004  FILM     B     C        00:00:10:00 00:00:11:00 00:00:12:12 00:00:13:12\n"
        "* FROM CLIP NAME:  film.mp4\n"
        "* FROM CLIP: file:///media/film.mp4\n"
        "* MOMENT: siren (0.90)\n"
    )


def test_edl_at_2997_is_drop_frame() -> None:
    text = render_document([film(600.0, 660.0, 29.97, seconds=700)], ExportFormat.EDL).decode()
    assert "(29.97 fps)\nFCM: DROP FRAME\n" in text
    assert "00:10:00;00 00:10:59;28 00:00:00;00 00:00:59;28" in text
    text = render_document([film(600.0, 660.0, 30.0, seconds=700)], ExportFormat.EDL).decode()
    assert "(30 fps)\nFCM: NON-DROP FRAME\n" in text
    assert "00:10:00:00 00:11:00:00 00:00:00:00 00:01:00:00" in text


@settings(max_examples=25)  # of up to four selections each
@given(SELECTIONS)
def test_edl_round_trip_at_the_common_rate(chosen: list[Selection]) -> None:
    rate = common_rate(chosen)
    spans = [frame_span(selection, rate) for selection in chosen]
    assume(max(span.end for span in spans) < 86_400 * rate)
    timeline = read(render_document(chosen, ExportFormat.EDL), "cmx_3600", rate=float(rate))
    found = {track.name: clips(track) for track in timeline.tracks}
    for name, wanted in (
        ("V", [selection.has_pictures for selection in chosen]),
        ("A1", [selection.has_sound for selection in chosen]),
    ):
        expected = [(selection, span) for selection, span, has in zip(chosen, spans, wanted, strict=True) if has]
        for clip, (selection, span) in zip(found.get(name, []), expected, strict=True):
            assert clip.name == file_name(selection.path)
            assert path_of(clip.media_reference.target_url) == selection.path
            assert clip.source_range.start_time.to_frames() == span.first
            assert clip.source_range.duration.to_frames() == span.count
    reels = {clip.metadata["cmx_3600"]["reel"] for track in found.values() for clip in track}
    assert len(reels) == len({selection.path for selection in chosen})


def test_edl_converts_times_of_files_with_other_rates() -> None:
    chosen = [film(2.0, 4.0, 25.0), film(1.02, 2.02, 50.0, "fast.mp4"), film(5.0, 6.0, 25.0)]
    timeline = read(render_document(chosen, ExportFormat.EDL), "cmx_3600", rate=25)
    fast = clips(timeline.tracks[0])[1]
    assert fast.source_range.start_time.to_frames() in (25, 26)
    assert fast.source_range.duration.to_frames() in (25, 24, 26)


def test_edl_rejects_times_past_24_hours() -> None:
    with pytest.raises(ExportError, match="24 hours"):
        render_document([film(90_000, 90_010, seconds=100_000)], ExportFormat.EDL)
    assert render_document([film(90_000, 90_010, seconds=100_000)], ExportFormat.OTIO)


@settings(max_examples=25)  # of up to four selections each
@given(SELECTIONS)
def test_otio_round_trip_at_the_rate_of_each_file(chosen: list[Selection]) -> None:
    timeline = read(render_document(chosen, ExportFormat.OTIO), "otio_json")
    kinds = {track.kind: track for track in timeline.tracks}
    for kind, wanted in (
        ("Video", [selection.has_pictures for selection in chosen]),
        ("Audio", [selection.has_sound for selection in chosen]),
    ):
        assert (kind in kinds) == any(wanted)
        if kind not in kinds:
            continue
        for item, selection, has in zip(kinds[kind], chosen, wanted, strict=True):
            span = frame_span(selection, clip_rate(selection, common_rate(chosen)))
            assert isinstance(item, otio.schema.Clip) == has
            assert (item.duration().value, item.duration().rate) == (span.count, float(span.rate))
            if has:
                available = item.media_reference.available_range
                assert (available.start_time.value, available.duration.value) == (0, span.total)
                assert item.source_range.start_time.value == span.first
                assert path_of(item.media_reference.target_url) == selection.path


def test_sounds_become_markers_and_edl_comments() -> None:
    events = (Event("bell", 3.0, 4.0, 0.8), Event("outside", 9.0, 9.5, 0.8))
    with_sounds = replace(film(2.0, 8.0), events=events)
    (clip,) = clips(read(render_document([with_sounds], ExportFormat.OTIO), "otio_json").tracks[0])
    (marker,) = clip.markers
    assert (marker.name, marker.marked_range.start_time.value, marker.marked_range.duration.value) == ("bell", 75, 25)
    root = ElementTree.fromstring(render_document([with_sounds], ExportFormat.FCPXML))
    assert [(marker.get("value"), marker.get("start")) for marker in root.iter("marker")] == [("bell", "3s")]
    assert "* SOUND: bell 00:03.0-00:04.0 (0.80)\n" in render_document([with_sounds], ExportFormat.EDL).decode()


def seconds(text: str | None) -> Fraction:
    """Parse a time of FCPXML."""
    assert text
    assert re.fullmatch(r"\d+(/[1-9]\d*)?s", text)
    return Fraction(text.removesuffix("s"))


@settings(max_examples=25)  # of up to four selections each
@given(SELECTIONS)
def test_fcpxml_references_resolve_and_times_are_whole_frames(chosen: list[Selection]) -> None:
    root = ElementTree.fromstring(render_document(chosen, ExportFormat.FCPXML))
    assert root.get("version") == "1.8"
    formats = {element.get("id"): element for element in root.iter("format")}
    assets = {element.get("id"): element for element in root.iter("asset")}
    assert len(formats) + len(assets) == len({*formats, *assets})
    assert len(assets) == len({selection.path for selection in chosen})
    sequence = root.find("project/sequence")
    assert sequence is not None
    frame = seconds(formats[sequence.get("format")].get("frameDuration"))
    assert 1 / frame == common_rate(chosen)
    at = Fraction(0)
    spine = list(sequence.find("spine") or ())
    assert len(spine) == len(chosen)
    paths = [selection.path for selection in chosen]
    for element, selection in zip(spine, chosen, strict=True):
        asset = assets[element.get("ref")]
        assert path_of(asset.get("src") or "") == selection.path
        offset, start, duration = (seconds(element.get(name)) for name in ("offset", "start", "duration"))
        assert offset == at
        assert (offset / frame).denominator == (duration / frame).denominator == 1
        assert duration >= frame
        at += duration
        if paths.count(selection.path) > 1:
            continue  # the same path drawn with different media info: the asset has the first
        assert (asset.get("hasVideo") == "1") == selection.has_pictures
        assert (asset.get("hasAudio") == "1") == selection.has_sound
        if selection.is_still:
            assert element.tag == "video"
            continue
        span = frame_span(selection, clip_rate(selection, common_rate(chosen)))
        assert start * span.rate == span.first
        assert abs(duration - span.count / span.rate) <= frame
        assert start + duration <= seconds(asset.get("duration")) or duration == frame
        if selection.has_pictures:
            assert 1 / seconds(formats[asset.get("format")].get("frameDuration")) == span.rate
    assert seconds(sequence.get("duration")) == at


@settings(max_examples=25)
@given(st.lists(selections([MediaKind.VIDEO, MediaKind.AUDIO, None]), min_size=1, max_size=4))
def test_fcpxml_is_readable_by_opentimelineio(chosen: list[Selection]) -> None:
    """Without stills: the adapter does not read formats that have no frame rate."""
    assume(not any(selection.is_still for selection in chosen))
    timeline = read(render_document(chosen, ExportFormat.FCPXML), "fcpx_xml")
    paths = [path_of(clip.media_reference.target_url) for track in timeline.tracks for clip in clips(track)]
    assert sorted(paths) == sorted(selection.path for selection in chosen)


def test_fcpxml_round_trip_is_frame_accurate() -> None:
    """At a whole rate, because the adapter reads 29.97 as 29."""
    chosen = [film(2.0, 8.0), film(10.48, 12.0, name="other it's.mp4"), film(20, 21)]
    (track,) = read(render_document(chosen, ExportFormat.FCPXML), "fcpx_xml").tracks
    ranges = [(clip.source_range.start_time.value, clip.source_range.duration.value) for clip in clips(track)]
    assert ranges == [(50, 150), (262, 38), (500, 25)]


def test_a_file_used_twice_is_one_asset() -> None:
    root = ElementTree.fromstring(render_document([film(1, 2), film(3, 4)], ExportFormat.FCPXML))
    assert len(list(root.iter("asset"))) == 1
    assert len(list(root.iter("asset-clip"))) == 2


def test_edl_keeps_long_file_names_in_comments() -> None:
    name = "A long name, with 'spaces' — and ünïcode.mov"
    text = render_document([film(1, 2, name=name)], ExportFormat.EDL).decode()
    assert f"* FROM CLIP NAME:  {name}\n" in text
    assert "ALONGNAM" in text
    assert path_of(text.split("* FROM CLIP: ")[1].split("\n")[0]) == Path("/media") / name
