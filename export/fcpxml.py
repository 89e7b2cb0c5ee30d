"""Timelines as FCPXML 1.8, for Final Cut Pro 10.4 and later and DaVinci Resolve.

OpenTimelineIO's adapter cannot write it: it leaves the frame duration of 23.976, 29.97 and 59.94 empty, marks every
video as silent, omits the size of formats, and fails on names with an apostrophe. It does read these documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pesearch.export.clip_selection import Selection, combined_title
from pesearch.export.safe_names import file_name, file_url, one_line
from pesearch.export.timecode import FrameSpan, Timebase, clip_rate, frame_span, is_drop_frame
from pesearch.types import VideoStream

_FULL_HD = VideoStream("", 1920, 1080, 0.0)
"""Size of a sequence without pictures."""


def fcpxml_document(selections: Sequence[Selection]) -> bytes:
    """A project with one sequence at the most common frame rate.

    Offset and duration of a clip are whole frames of the sequence, its start is a whole frame of its file.
    """
    timebase = Timebase.of(selections)
    rate, counting = timebase.rate, "DF" if timebase.is_drop_frame else "NDF"
    root = Element("fcpxml", version="1.8")
    resources = _Resources(SubElement(root, "resources"))
    films = sorted(selections, key=lambda item: item.is_still)  # the size of a still only if there is no film
    size = next((item.media.video for item in films if item.media and item.media.video), _FULL_HD)
    project = SubElement(root, "project", name=one_line(combined_title(selections)))
    sequence = SubElement(project, "sequence", format=resources.format(size, rate), tcStart="0s", tcFormat=counting)
    spine = SubElement(sequence, "spine")
    offset = 0
    for selection in selections:
        span = frame_span(selection, clip_rate(selection, rate))
        frames = _sequence_frames(span, rate)
        clip = _clip(selection, span, timebase, resources.asset(selection, span))
        clip.attrib |= {"offset": _time(offset / rate), "duration": _time(frames / rate)}
        spine.append(clip)
        offset += frames
    sequence.set("duration", _time(Fraction(offset) / rate))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{tostring(root, "unicode")}\n'.encode()


class _Resources:
    """The `resources` element: each format and asset once, by id."""

    def __init__(self, element: Element) -> None:
        self._element = element
        self._ids: dict[object, str] = {}

    def format(self, size: VideoStream, rate: Fraction | None) -> str:
        """Id of the format with this size and rate; `rate` is None for stills."""
        key = (size.width, size.height, rate)
        if key not in self._ids:
            added = SubElement(self._element, "format", id=self._new_id(key))
            added.attrib |= {"frameDuration": _time(1 / rate)} if rate else {"name": "FFVideoFormatRateUndefined"}
            added.attrib |= {"width": str(size.width), "height": str(size.height)} if size.width and size.height else {}
        return self._ids[key]

    def asset(self, selection: Selection, span: FrameSpan) -> str:
        """Id of the asset of a selection's file."""
        if selection.path in self._ids:
            return self._ids[selection.path]
        video = selection.media.video if selection.media else None
        format_id = None
        if selection.has_pictures:
            format_id = self.format(video or _FULL_HD, None if selection.is_still else span.rate)
        added = SubElement(self._element, "asset", id=self._new_id(selection.path), name=file_name(selection.path))
        duration = Fraction(0) if selection.is_still else span.total / span.rate
        start = span.origin / span.rate
        added.attrib |= {"src": file_url(selection.path), "start": _time(start), "duration": _time(duration)}
        if format_id:
            added.attrib |= {"hasVideo": "1", "format": format_id}
        if selection.has_sound:
            added.attrib |= {"hasAudio": "1", "audioSources": "1"}
            if selection.media and selection.media.audio:
                added.set("audioChannels", str(selection.media.audio.channels))
                added.set("audioRate", str(selection.media.audio.sample_rate))
        return self._ids[selection.path]

    def _new_id(self, key: object) -> str:
        return self._ids.setdefault(key, f"r{len(self._ids) + 1}")


def _sequence_frames(span: FrameSpan, rate: Fraction) -> int:
    """Duration in frames of the sequence: the nearest number that does not run past the end of the file, at least 1."""
    remaining = (span.total - span.first) / span.rate
    return max(min(round(span.count / span.rate * rate), int(remaining * rate)), 1)


def _clip(selection: Selection, span: FrameSpan, timebase: Timebase, asset: str) -> Element:
    """A clip without its place in the sequence, its label as a note and a marker for each sound that begins in it.

    Its own times are those of the source's timecode; at another rate than the sequence's it keeps its speed.
    """
    start = (span.origin + span.first) / span.rate
    clip = Element("video" if selection.is_still else "asset-clip", ref=asset, name=file_name(selection.path))
    clip.set("start", _time(start))
    if selection.timecode or selection.time_reference_seconds is not None:
        drops = is_drop_frame(selection.timecode) if selection.timecode else timebase.is_drop_frame
        clip.set("tcFormat", "DF" if drops else "NDF")
    SubElement(clip, "note").text = one_line(selection.label)
    if selection.frames_per_second is not None and span.rate != timebase.rate:
        SubElement(clip, "conform-rate", scaleEnabled="0", srcFrameRate=_source_rate(span.rate))
    for event in selection.events:
        frame = round(Fraction(event.start_seconds) * span.rate)
        if span.first <= frame < span.end:
            start = (span.origin + frame) / span.rate
            marker = SubElement(clip, "marker", start=_time(start), duration=_time(1 / span.rate))
            marker.set("value", one_line(event.label) or "sound")
    return clip


def _source_rate(rate: Fraction) -> str:
    """A frame rate as the DTD lists them: `24`, `23.98`, `29.97`."""
    return f"{float(rate):.2f}".rstrip("0").rstrip(".") if rate.denominator > 1 else str(rate.numerator)


def _time(seconds: Fraction) -> str:
    """Format a time: `3s`, `1001/30000s`."""
    return f"{seconds.numerator}s" if seconds.denominator == 1 else f"{seconds.numerator}/{seconds.denominator}s"
