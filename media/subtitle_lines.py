"""Subtitles of one line each: MicroDVD, MPL2, TMPlayer, Spruce STL, lyrics (LRC)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pesearch.media.subtitle_times import Entry, lines_in, with_ends

_MICRODVD = re.compile(r"\{(\d{1,9})\}\{(\d{0,9})\}(.*)")
_MPL2 = re.compile(r"\[(\d{1,9})\]\s?\[(\d{0,9})\](.*)")
_TMPLAYER = re.compile(r"(\d{1,2}):(\d\d):(\d\d)(?::|=|,\d=)(.*)")
_SPRUCE = re.compile(r"\s{0,3}(\d\d):(\d\d):(\d\d)[:;](\d\d)\s?,\s?(\d\d):(\d\d):(\d\d)[:;](\d\d)\s?,(.*)")
_LRC = re.compile(r"((?:\[\d{1,3}:\d\d(?:[.:]\d{1,3})?\]\s?){1,50})(.*)")
_LRC_TIME = re.compile(r"\[(\d{1,3}):(\d\d)(?:[.:](\d{1,3}))?\]")
_LRC_HEAD = re.compile(r"\[[a-z#]{1,10}:", re.IGNORECASE)
_LRC_OFFSET = re.compile(r"\[offset:\s{0,3}([+-]?\d{1,7})\s{0,3}\]", re.IGNORECASE)

_DEFAULT_RATE = 23.976
"""Frames per second of MicroDVD files for which neither they nor the film state another, as in FFmpeg."""

_SPRUCE_RATE = 25.0
"""Frames per second of Spruce STL; at 30 its times are at most 0.2 s late."""

_MIN_SHARE = 0.5
"""Share of the lines with text that must have the form of a format."""

_SAMPLE_LINES = 200


def line_reader(text: str) -> Callable[[str, float], Iterator[Entry]] | None:
    """The reader of the format that most lines of a text have; None if they have none of these.

    A reader takes the text and the frames per second of the film (0 if unknown).
    """
    lines = [line for line in text[:100_000].split("\n") if line.strip() and not _LRC_HEAD.match(line)][:_SAMPLE_LINES]
    for pattern, reader in _READERS:
        if sum(pattern.match(line) is not None for line in lines) > _MIN_SHARE * len(lines):
            return reader
    return None


def _read_microdvd(text: str, frames_per_second: float) -> Iterator[Entry]:
    """Numbers of frames; a first subtitle at frames 0 or 1 may state their rate."""
    rate = frames_per_second or _DEFAULT_RATE
    for number, line in enumerate(lines_in(text)):
        if (found := _MICRODVD.match(line)) is None:
            continue
        start, end, shown = found.groups()
        if number == 0 and int(start) <= 1 and (stated := _rate(shown)):
            rate = stated
        else:
            yield int(start) / rate, int(end or start) / rate, _with_breaks(shown)


def _rate(text: str) -> float:
    """The frames per second that a text states; 0.0 if it states none."""
    found = re.fullmatch(r"\s*(\d{1,3}(?:[.,]\d{1,6})?)\s*", text)
    return float(found[1].replace(",", ".")) if found else 0.0


def _read_mpl2(text: str, _: float) -> Iterator[Entry]:
    """Tenths of a second."""
    for line in lines_in(text):
        if found := _MPL2.match(line):
            yield int(found[1]) / 10, int(found[2] or found[1]) / 10, _with_breaks(found[3])


def _read_tmplayer(text: str, _: float) -> Iterator[Entry]:
    """Hours, minutes and seconds of the start."""
    found = (_TMPLAYER.match(line) for line in lines_in(text))
    yield from with_ends([(_in_seconds(*each.groups()[:3]), _with_breaks(each[4])) for each in found if each])


def _read_spruce(text: str, _: float) -> Iterator[Entry]:
    """Hours, minutes, seconds and frames of start and end."""
    for line in lines_in(text):
        if found := _SPRUCE.match(line):
            *numbers, shown = found.groups()
            start = _in_seconds(*numbers[:3]) + int(numbers[3]) / _SPRUCE_RATE
            end = _in_seconds(*numbers[4:7]) + int(numbers[7]) / _SPRUCE_RATE
            yield start, end, _with_breaks(re.sub(r"\^[BIU]", "", shown))


def _read_lyrics(text: str, _: float) -> Iterator[Entry]:
    """Minutes and seconds; a line that is sung again has several times. `[offset:]` is in milliseconds, earlier if
    positive."""
    offset = _LRC_OFFSET.search(text[:10_000])
    earlier = int(offset[1]) / 1000 if offset else 0.0
    starts = []
    for line in lines_in(text):
        if found := _LRC.match(line):
            for time in _LRC_TIME.finditer(found[1]):
                at = int(time[1]) * 60 + int(time[2]) + float(f"0.{time[3] or 0}")
                starts.append((at - earlier, found[2]))
    yield from with_ends(starts)


def _in_seconds(hours: str, minutes: str, whole: str) -> float:
    return int(hours) * 3600.0 + int(minutes) * 60 + int(whole)


def _with_breaks(text: str) -> str:
    """The text with `|` as line breaks, and without codes for its style (`{y:i}`, a leading `/`)."""
    lines = re.sub(r"\{[^{}]{0,99}\}", "", text).split("|")
    return "\n".join(line.strip().removeprefix("/") for line in lines)


_READERS: tuple[tuple[re.Pattern[str], Callable[[str, float], Iterator[Entry]]], ...] = (
    (_MICRODVD, _read_microdvd),
    (_MPL2, _read_mpl2),
    (_SPRUCE, _read_spruce),
    (_LRC, _read_lyrics),
    (_TMPLAYER, _read_tmplayer),
)
