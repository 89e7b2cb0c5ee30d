"""Choices one after the other on a timeline: OpenTimelineIO, and the EDL (CMX3600) that it writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange
from opentimelineio.schema import Clip, ExternalReference, Gap, Marker, MarkerColor, Timeline, Track, TrackKind

from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection, title_of
from pesearch.export.safe_names import file_name, file_url, one_line, reels
from pesearch.export.timecode import FrameSpan, common_rate, frame_span, rate_text
from pesearch.formatting import format_event

_DAY_SECONDS = 24 * 3600
"""A timecode begins again after it."""

_DROP_FRAME_RATES = (Fraction(30000, 1001), Fraction(60000, 1001))

_EVENT = re.compile(r"^(\d{3,}  \w{1,8} +)V     ")
_CHANNELS = {(True, True): "B", (True, False): "V", (False, True): "A", (False, False): "V"}
"""What CMX3600 calls pictures with sound, pictures alone, sound alone."""


def otio_document(choices: Sequence[Selection]) -> bytes:
    """An OpenTimelineIO timeline: a track of pictures and one of sound, each clip at the rate of its own file."""
    timeline = Timeline(one_line(title_of(choices)))
    for kind, name in ((TrackKind.Video, "V1"), (TrackKind.Audio, "A1")):
        is_sound = kind == TrackKind.Audio
        track = Track(name, kind=kind)
        for each in choices:
            span = frame_span(each)
            has_it = each.has_sound if is_sound else each.has_pictures
            track.append(_marked(each, span) if has_it else Gap(duration=RationalTime(span.count, float(span.rate))))
        if any(isinstance(item, Clip) for item in track):
            timeline.tracks.append(track)
    return _written(timeline, "otio_json").encode() + b"\n"


def edl_rate(choices: Sequence[Selection]) -> Fraction:
    """The one rate of an EDL: the rate most of the choices have."""
    return common_rate(choices)


def edl_document(choices: Sequence[Selection]) -> bytes:
    """An EDL (CMX3600), cuts only, with all times at one rate, which its title tells.

    The adapter writes neither which channels an event has nor how frames are counted: both are put in here.
    """
    rate = edl_rate(choices)
    spans = [frame_span(each, rate) for each in choices]
    if max(sum(span.count for span in spans), *(span.end for span in spans)) >= _DAY_SECONDS * rate:
        raise ExportError("an EDL has no times after 24 hours: export as otio or fcpxml")
    reel_of = reels(each.path for each in choices)
    track = Track("V", kind=TrackKind.Video)
    for each, span in zip(choices, spans, strict=True):
        clip = _clip(each, span)
        clip.metadata["cmx_3600"] = {"reel": reel_of[each.path], "comments": _comments(each)}
        track.append(clip)
    timeline = Timeline(f"{one_line(title_of(choices))} ({rate_text(rate)} fps)")
    timeline.tracks.append(track)
    title, _, events = _written(timeline, "cmx_3600", rate=float(rate)).partition("\n\n")
    mode = "DROP FRAME" if rate in _DROP_FRAME_RATES else "NON-DROP FRAME"
    return f"{title}\nFCM: {mode}\n\n{_with_channels(events, choices)}".encode()


def _comments(choice: Selection) -> list[str]:
    """What was asked, and which sounds are where in the file."""
    score = "" if choice.score is None else f" ({choice.score:.2f})"
    sounds = (f"SOUND: {one_line(format_event(event))}" for event in choice.events)
    return [f"MOMENT: {one_line(choice.label)}{score}", *sounds]


def _with_channels(events: str, choices: Sequence[Selection]) -> str:
    channels = iter([_CHANNELS[each.has_pictures, each.has_sound] for each in choices])
    lines = (_EVENT.sub(lambda found: f"{found[1]}{next(channels):6}", line) for line in events.split("\n"))
    return "\n".join(lines)


def _clip(choice: Selection, span: FrameSpan) -> Clip:
    """A clip of the file, with what was asked in its metadata."""
    name, rate = file_name(choice.path), float(span.rate)
    whole = TimeRange(RationalTime(0, rate), RationalTime(span.total, rate))
    clip = Clip(
        name=name,
        media_reference=ExternalReference(target_url=file_url(choice.path), available_range=whole),
        source_range=TimeRange(RationalTime(span.first, rate), RationalTime(span.count, rate)),
        metadata={"pesearch": {"label": one_line(choice.label), "score": choice.score}},
    )
    clip.media_reference.name = name
    return clip


def _marked(choice: Selection, span: FrameSpan) -> Clip:
    """A clip with the sounds located in it as markers."""
    clip, rate = _clip(choice, span), float(span.rate)
    for event in choice.events:
        first, end = (round(Fraction(seconds) * span.rate) for seconds in (event.start_seconds, event.end_seconds))
        if span.first <= first < span.end:
            marked = TimeRange(RationalTime(first, rate), RationalTime(max(end - first, 1), rate))
            clip.markers.append(Marker(one_line(event.label), marked, MarkerColor.GREEN))
    return clip


def _written(timeline: Timeline, adapter: str, **options: float) -> str:
    return str(otio.adapters.write_to_string(timeline, adapter, **options))
