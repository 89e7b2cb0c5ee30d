"""Choices one after the other as FCPXML 1.8, which Final Cut Pro 10.4 and later and DaVinci Resolve read.

Written here and not by OpenTimelineIO's adapter: that leaves the frame duration of 23.976, 29.97 and 59.94 empty, says
that no video has sound, gives formats no size, and fails on a name with an apostrophe. What it reads is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pesearch.export.clip_selection import Selection, title_of
from pesearch.export.safe_names import file_name, file_url, one_line
from pesearch.export.timecode import common_rate, frame_span
from pesearch.types import VideoStream

_FULL_HD = VideoStream("", 1920, 1080, 0.0)
"""The size of a sequence of sound alone."""


def fcpxml_document(choices: Sequence[Selection]) -> bytes:
    """A project with one sequence at the rate most choices have.

    Offset and duration of a clip fall on frames of the sequence, its start on those of its file.
    """
    rate = common_rate(choices)
    root = Element("fcpxml", version="1.8")
    resources = _Resources(SubElement(root, "resources"))
    size = next((each.media.video for each in choices if each.media and each.media.video), _FULL_HD)
    project = SubElement(root, "project", name=one_line(title_of(choices)))
    sequence = SubElement(project, "sequence", format=resources.format(size, rate), tcStart="0s", tcFormat="NDF")
    spine = SubElement(sequence, "spine")
    offset = 0
    for each in choices:
        frames = _frames_on_sequence(each, rate)
        _put(spine, each, resources.asset(each), Fraction(offset) / rate, Fraction(frames) / rate)
        offset += frames
    sequence.set("duration", _time(Fraction(offset) / rate))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{tostring(root, "unicode")}\n'.encode()


class _Resources:
    """The formats and assets that a document names, each once."""

    def __init__(self, element: Element) -> None:
        self._element = element
        self._ids: dict[object, str] = {}

    def format(self, size: VideoStream, rate: Fraction | None) -> str:
        """The id of pictures of that size and rate; a still has no rate."""
        key = (size.width, size.height, rate)
        if key not in self._ids:
            added = SubElement(self._element, "format", id=self._new_id(key))
            added.attrib |= {"frameDuration": _time(1 / rate)} if rate else {"name": "FFVideoFormatRateUndefined"}
            added.attrib |= {"width": str(size.width), "height": str(size.height)} if size.width and size.height else {}
        return self._ids[key]

    def asset(self, choice: Selection) -> str:
        """The id of the file of a choice."""
        if choice.path in self._ids:
            return self._ids[choice.path]
        span = frame_span(choice)
        video = choice.media.video if choice.media else None
        form = self.format(video or _FULL_HD, None if choice.is_still else span.rate) if choice.has_pictures else None
        added = SubElement(self._element, "asset", id=self._new_id(choice.path), name=file_name(choice.path))
        lasts = Fraction(0) if choice.is_still else span.total / span.rate
        added.attrib |= {"src": file_url(choice.path), "start": "0s", "duration": _time(lasts)}
        if form:
            added.attrib |= {"hasVideo": "1", "format": form}
        if choice.has_sound:
            added.attrib |= {"hasAudio": "1", "audioSources": "1"}
            if choice.media and choice.media.audio:
                added.set("audioChannels", str(choice.media.audio.channels))
                added.set("audioRate", str(choice.media.audio.sample_rate))
        return self._ids[choice.path]

    def _new_id(self, key: object) -> str:
        return self._ids.setdefault(key, f"r{len(self._ids) + 1}")


def _frames_on_sequence(choice: Selection, rate: Fraction) -> int:
    """How many frames of the sequence it fills: the nearest number, but no more than the file has."""
    span = frame_span(choice)
    left = (span.total - span.first) / span.rate
    return max(min(round(span.count / span.rate * rate), int(left * rate)), 1)


def _put(spine: Element, choice: Selection, asset: str, offset: Fraction, duration: Fraction) -> None:
    """The clip of a choice, with what was asked as its note, and the sounds located in it as markers."""
    span = frame_span(choice)
    clip = SubElement(spine, "video" if choice.is_still else "asset-clip", ref=asset, name=file_name(choice.path))
    clip.attrib |= {"offset": _time(offset), "start": _time(span.first / span.rate), "duration": _time(duration)}
    SubElement(clip, "note").text = one_line(choice.label)
    for event in choice.events:
        at = round(Fraction(event.start_seconds) * span.rate)
        if span.first <= at < span.end:
            marker = SubElement(clip, "marker", start=_time(at / span.rate), duration=_time(1 / span.rate))
            marker.set("value", one_line(event.label) or "sound")


def _time(seconds: Fraction) -> str:
    """Seconds as FCPXML writes them: `3s`, `1001/30000s`."""
    return f"{seconds.numerator}s" if seconds.denominator == 1 else f"{seconds.numerator}/{seconds.denominator}s"
