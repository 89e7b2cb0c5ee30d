"""EDL, OpenTimelineIO and FCPXML, read back by OpenTimelineIO and by their own rules."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import opentimelineio as otio
import pytest
from hypothesis import assume, given

from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection
from pesearch.export.formats import Form, exported
from pesearch.export.safe_names import file_name
from pesearch.export.timecode import common_rate, frame_span, rate_of
from pesearch.types import Event
from tests.export.hostile import CHOICES, film, sound, still
from tests.export.test_csv_m3u_vtt import path_of


def read(document: bytes, adapter: str, **options: float) -> otio.schema.Timeline:
    return otio.adapters.read_from_string(document.decode(), adapter, **options)


def clips(track: otio.schema.Track) -> list[otio.schema.Clip]:
    return [item for item in track if isinstance(item, otio.schema.Clip)]


def test_an_edl_as_it_stands() -> None:
    chosen = [film(2.0, 8.0), sound(1.0, 2.5), still(), film(10, 11)]
    assert exported(chosen, Form.EDL).decode() == (
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


def test_dropped_frames_are_told() -> None:
    text = exported([film(600.0, 660.0, 29.97, seconds=700)], Form.EDL).decode()
    assert "(29.97 fps)\nFCM: DROP FRAME\n" in text
    assert "00:10:00;00 00:10:59;28 00:00:00;00 00:00:59;28" in text


@given(CHOICES)
def test_edl_holds_every_moment_at_one_rate(chosen: list[Selection]) -> None:
    rate = common_rate(chosen)
    spans = [frame_span(each, rate) for each in chosen]
    assume(max(span.end for span in spans) < 86_400 * rate)
    timeline = read(exported(chosen, Form.EDL), "cmx_3600", rate=float(rate))
    found = {track.name: clips(track) for track in timeline.tracks}
    for name, wanted in (("V", [each.has_pictures for each in chosen]), ("A1", [each.has_sound for each in chosen])):
        expected = [(each, span) for each, span, has in zip(chosen, spans, wanted, strict=True) if has]
        for clip, (each, span) in zip(found.get(name, []), expected, strict=True):
            assert clip.name == file_name(each.path)
            assert path_of(clip.media_reference.target_url) == each.path
            assert clip.source_range.start_time.to_frames() == span.first
            assert clip.source_range.duration.to_frames() == span.count
    reel = {clip.metadata["cmx_3600"]["reel"] for track in found.values() for clip in track}
    assert len(reel) == len({each.path for each in chosen})


def test_an_edl_resamples_files_of_other_rates() -> None:
    chosen = [film(2.0, 4.0, 25.0), film(1.02, 2.02, 50.0, "fast.mp4"), film(5.0, 6.0, 25.0)]
    timeline = read(exported(chosen, Form.EDL), "cmx_3600", rate=25)
    fast = clips(timeline.tracks[0])[1]
    assert fast.source_range.start_time.to_frames() in (25, 26)
    assert fast.source_range.duration.to_frames() in (25, 24, 26)


def test_no_timecode_after_a_day() -> None:
    with pytest.raises(ExportError, match="24 hours"):
        exported([film(90_000, 90_010, seconds=100_000)], Form.EDL)
    assert exported([film(90_000, 90_010, seconds=100_000)], Form.OTIO)


@given(CHOICES)
def test_otio_keeps_the_frames_of_each_file(chosen: list[Selection]) -> None:
    timeline = read(exported(chosen, Form.OTIO), "otio_json")
    kinds = {track.kind: track for track in timeline.tracks}
    for kind, wanted in (
        ("Video", [each.has_pictures for each in chosen]),
        ("Audio", [each.has_sound for each in chosen]),
    ):
        assert (kind in kinds) == any(wanted)
        if kind not in kinds:
            continue
        for item, each, has in zip(kinds[kind], chosen, wanted, strict=True):
            span = frame_span(each)
            assert isinstance(item, otio.schema.Clip) == has
            assert (item.duration().value, item.duration().rate) == (span.count, float(span.rate))
            if has:
                available = item.media_reference.available_range
                assert (available.start_time.value, available.duration.value) == (0, span.total)
                assert item.source_range.start_time.value == span.first
                assert path_of(item.media_reference.target_url) == each.path


def test_sounds_are_markers() -> None:
    choice = film(2.0, 8.0)
    heard = Selection(choice.path, 2.0, 8.0, "siren", 0.9, (Event("bell", 3.0, 4.0, 0.8), Event("gone", 9.0, 9.5, 0.8)),
                   choice.media)  # fmt: skip
    (clip,) = clips(read(exported([heard], Form.OTIO), "otio_json").tracks[0])
    (marker,) = clip.markers
    assert (marker.name, marker.marked_range.start_time.value, marker.marked_range.duration.value) == ("bell", 75, 25)
    root = ElementTree.fromstring(exported([heard], Form.FCPXML))
    assert [(each.get("value"), each.get("start")) for each in root.iter("marker")] == [("bell", "3s")]
    assert "* SOUND: bell 00:03.0-00:04.0 (0.80)\n" in exported([heard], Form.EDL).decode()


def seconds(text: str | None) -> Fraction:
    """A time as FCPXML writes it."""
    assert text
    assert re.fullmatch(r"\d+(/[1-9]\d*)?s", text)
    return Fraction(text.removesuffix("s"))


@given(CHOICES)
def test_fcpxml_refers_to_what_is_there_and_stays_on_frames(chosen: list[Selection]) -> None:
    root = ElementTree.fromstring(exported(chosen, Form.FCPXML))
    assert root.get("version") == "1.8"
    formats = {each.get("id"): each for each in root.iter("format")}
    assets = {each.get("id"): each for each in root.iter("asset")}
    assert len(formats) + len(assets) == len({*formats, *assets})
    assert len(assets) == len({each.path for each in chosen})
    sequence = root.find("project/sequence")
    assert sequence is not None
    frame = seconds(formats[sequence.get("format")].get("frameDuration"))
    assert 1 / frame == common_rate(chosen)
    at = Fraction(0)
    spine = list(sequence.find("spine") or ())
    assert len(spine) == len(chosen)
    paths = [each.path for each in chosen]
    for element, each in zip(spine, chosen, strict=True):
        asset = assets[element.get("ref")]
        assert path_of(asset.get("src") or "") == each.path
        offset, start, lasts = (seconds(element.get(name)) for name in ("offset", "start", "duration"))
        assert offset == at
        assert (offset / frame).denominator == (lasts / frame).denominator == 1
        assert lasts >= frame
        at += lasts
        if paths.count(each.path) > 1:
            continue  # two files of one name in one place: the first says what it holds
        assert (asset.get("hasVideo") == "1", asset.get("hasAudio") == "1") == (each.has_pictures, each.has_sound)
        if each.is_still:
            assert element.tag == "video"
            continue
        span = frame_span(each)
        assert start * rate_of(each) == span.first
        assert abs(lasts - span.count / span.rate) <= frame
        assert start + lasts <= seconds(asset.get("duration")) or lasts == frame
        if each.has_pictures:
            assert 1 / seconds(formats[asset.get("format")].get("frameDuration")) == span.rate
    assert seconds(sequence.get("duration")) == at


@given(CHOICES)
def test_fcpxml_is_read_by_opentimelineio(chosen: list[Selection]) -> None:
    assume(not any(each.is_still for each in chosen))  # its reader knows no pictures without a rate
    timeline = read(exported(chosen, Form.FCPXML), "fcpx_xml")
    found = [clip for track in timeline.tracks for clip in clips(track)]
    assert sorted(path_of(clip.media_reference.target_url) for clip in found) == sorted(each.path for each in chosen)


def test_fcpxml_read_back_to_the_frame() -> None:
    """At a whole rate: the adapter's reader takes 29.97 for 29."""
    chosen = [film(2.0, 8.0), film(10.48, 12.0, name="other it's.mp4"), film(20, 21)]
    (track,) = read(exported(chosen, Form.FCPXML), "fcpx_xml").tracks
    ranges = [(clip.source_range.start_time.value, clip.source_range.duration.value) for clip in clips(track)]
    assert ranges == [(50, 150), (262, 38), (500, 25)]


def test_a_file_is_one_asset() -> None:
    root = ElementTree.fromstring(exported([film(1, 2), film(3, 4)], Form.FCPXML))
    assert len(list(root.iter("asset"))) == 1
    assert len(list(root.iter("asset-clip"))) == 2


def test_the_name_in_the_edl_is_the_files_own() -> None:
    name = "A long name, with 'spaces' — and ünïcode.mov"
    text = exported([film(1, 2, name=name)], Form.EDL).decode()
    assert f"* FROM CLIP NAME:  {name}\n" in text
    assert "ALONGNAM" in text
    assert path_of(text.split("* FROM CLIP: ")[1].split("\n")[0]) == Path("/media") / name
