"""Timelines through OpenTimelineIO: its own JSON format, and EDL (CMX3600)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange
from opentimelineio.schema import Clip, ExternalReference, Gap, Marker, MarkerColor, Timeline, Track, TrackKind

from pesearch.errors import ExportError
from pesearch.export.clip_selection import Selection, combined_title
from pesearch.export.safe_names import file_name, file_url, one_line, reel_names
from pesearch.export.timecode import (
    DROP_FRAME_RATES,
    FrameSpan,
    Timebase,
    clip_rate,
    common_rate,
    frame_span,
    is_drop_frame,
    rate_text,
    timecode_text,
)
from pesearch.formatting import format_event

_DAY_SECONDS = 24 * 3600
"""Timecode wraps around to 00:00:00:00 after a day."""

MAX_EDL_EVENTS = 999
"""CMX3600 numbers events with three digits."""

_EVENT_LINE = re.compile(r"^(\d{3}  \w{1,8} +)V     ( *C +)\S+ \S+ \S+ \S+$")
"""An EDL event as the adapter writes it: number, reel, channel V, cut, and four times."""

_CHANNELS = {(True, True): "B", (True, False): "V", (False, True): "A", (False, False): "V"}
"""CMX3600 channel code by (has pictures, has sound)."""


def otio_document(selections: Sequence[Selection]) -> bytes:
    """An OpenTimelineIO timeline with a video and an audio track; each clip keeps the frame rate of its file, and sound
    alone has the most common rate."""
    rate = common_rate(selections)
    timeline = Timeline(one_line(combined_title(selections)))
    for kind, name in ((TrackKind.Video, "V1"), (TrackKind.Audio, "A1")):
        is_audio_track = kind == TrackKind.Audio
        track = Track(name, kind=kind)
        for selection in selections:
            span = frame_span(selection, clip_rate(selection, rate))
            if selection.has_sound if is_audio_track else selection.has_pictures:
                track.append(_clip_with_markers(selection, span))
            else:
                track.append(Gap(duration=RationalTime(span.count, float(span.rate))))
        if any(isinstance(item, Clip) for item in track):
            timeline.tracks.append(track)
    return _serialize(timeline, "otio_json").encode() + b"\n"


def edl_document(selections: Sequence[Selection], timebase: Timebase | None = None) -> bytes:
    """An EDL (CMX3600) of cuts only, all times at one rate, which is part of the title: by default the most common.

    The adapter writes neither the channels of an event nor the frame count mode (FCM), and counts in drop frames
    wherever the rate allows it: channels, mode and times are inserted here. Sources are counted as their own timecode
    is. Raises ExportError for times past 24 hours, and for more than MAX_EDL_EVENTS.
    """
    if len(selections) > MAX_EDL_EVENTS:
        raise ExportError(f"an EDL has {MAX_EDL_EVENTS} events at most: use --to, which writes several documents")
    timebase = timebase or Timebase.of(selections)
    rate = timebase.rate
    spans = [frame_span(selection, rate) for selection in selections]
    if max(sum(span.count for span in spans), *(span.end for span in spans)) >= _DAY_SECONDS * rate:
        raise ExportError("EDL timecode ends at 24 hours: export as otio or fcpxml")
    reels = reel_names(selection.path for selection in selections)
    track = Track("V", kind=TrackKind.Video)
    for selection, span in zip(selections, spans, strict=True):
        clip = _clip(selection, span)
        clip.metadata["cmx_3600"] = {"reel": reels[selection.path], "comments": _comments(selection)}
        track.append(clip)
    timeline = Timeline(f"{one_line(combined_title(selections))} ({rate_text(rate)} fps)")
    timeline.tracks.append(track)
    title, _, events = _serialize(timeline, "cmx_3600", rate=float(rate)).partition("\n\n")
    mode = "DROP FRAME" if timebase.is_drop_frame else "NON-DROP FRAME"
    return f"{title}\nFCM: {mode}\n\n{_insert_times(events, _channels_and_times(selections, spans, timebase))}".encode()


def _comments(selection: Selection) -> list[str]:
    """EDL comment lines: the query and its score, and each sound with its time in the file."""
    score = "" if selection.score is None else f" ({selection.score:.2f})"
    sounds = (f"SOUND: {one_line(format_event(event))}" for event in selection.events)
    return [f"MOMENT: {one_line(selection.label)}{score}", *sounds]


def _insert_times(events: str, rest: Iterator[tuple[str, str]]) -> str:
    def written(match: re.Match[str]) -> str:
        channels, times = next(rest)
        return f"{match[1]}{channels:6}{match[2]}{times}"

    return "\n".join(_EVENT_LINE.sub(written, line) for line in events.split("\n"))


def _channels_and_times(
    selections: Sequence[Selection], spans: Sequence[FrameSpan], timebase: Timebase
) -> Iterator[tuple[str, str]]:
    """For each event its channels, and the times of its ends in the source and in the timeline."""
    rate, in_drop_frames, at = timebase.rate, timebase.is_drop_frame, 0
    for selection, span in zip(selections, spans, strict=True):
        drops = is_drop_frame(selection.timecode) and rate in DROP_FRAME_RATES if selection.timecode else in_drop_frames
        source = [span.origin + frame for frame in (span.first, span.end)]
        ends = [timecode_text(frame, rate, drop_frame=drops) for frame in source]
        ends += [timecode_text(frame, rate, drop_frame=in_drop_frames) for frame in (at, at + span.count)]
        yield _CHANNELS[selection.has_pictures, selection.has_sound], " ".join(ends)
        at += span.count


def _clip(selection: Selection, span: FrameSpan) -> Clip:
    name, rate = file_name(selection.path), float(span.rate)
    whole_file = TimeRange(RationalTime(span.origin, rate), RationalTime(span.total, rate))
    clip = Clip(
        name=name,
        media_reference=ExternalReference(target_url=file_url(selection.path), available_range=whole_file),
        source_range=TimeRange(RationalTime(span.origin + span.first, rate), RationalTime(span.count, rate)),
        metadata={"pesearch": {"label": one_line(selection.label), "score": selection.score}},
    )
    clip.media_reference.name = name
    return clip


def _clip_with_markers(selection: Selection, span: FrameSpan) -> Clip:
    """A clip with a marker for each sound that begins in it."""
    clip, rate = _clip(selection, span), float(span.rate)
    for event in selection.events:
        first, end = (round(Fraction(seconds) * span.rate) for seconds in (event.start_seconds, event.end_seconds))
        if span.first <= first < span.end:
            marked = TimeRange(RationalTime(span.origin + first, rate), RationalTime(max(end - first, 1), rate))
            clip.markers.append(Marker(one_line(event.label), marked, MarkerColor.GREEN))
    return clip


def _serialize(timeline: Timeline, adapter: str, **options: float) -> str:
    return str(otio.adapters.write_to_string(timeline, adapter, **options))
