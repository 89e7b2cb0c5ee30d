"""Subtitles in markup: SAMI (`.smi`) and TTML (`.ttml`, `.dfxp`, EBU-TT, IMSC)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from pesearch.errors import MediaError
from pesearch.media.subtitle_times import Entry, with_ends

_SYNC = re.compile(r"<sync\s[^<>]{0,99}?start\s?=\s?[\"']?(-?\d{1,9})[^<>]{0,99}>", re.IGNORECASE)
_BREAK = re.compile(r"<br\s?/?>|</p>", re.IGNORECASE)

_OFFSET = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
_CLOCK = re.compile(r"(\d{1,4}):(\d\d):(\d\d)(?:\.(\d{1,9})|:(\d{1,3})(?:\.\d{1,3})?)?")
_DEFAULT_FRAME_RATE = 30.0
"""Of TTML, section 6.2.4."""

_MAX_TAGS = 1_000_000
"""Of a file, which take about 100 bytes each in memory: ten for each of the 100,000 subtitles that are read at most."""

_MAX_DEPTH = 50
"""Deeper elements are ignored: those of subtitles are about six deep."""


def is_sami(text: str) -> bool:
    """Whether it begins like SAMI."""
    return "<sami" in text[:1000].lower()


def is_ttml(text: str) -> bool:
    """Whether it is XML whose first element is `tt`."""
    return re.search(r"<(?:\w{1,20}:)?tt[\s>]", text[:4000]) is not None


def read_sami(text: str) -> Iterator[Entry]:
    """Text from one `SYNC` to the next, times in milliseconds. Languages of one file are not told apart."""
    starts: list[tuple[float, str]] = []
    found = list(_SYNC.finditer(text))
    ends = [later.start() for later in found[1:]] + [len(text)]
    for each, end in zip(found, ends, strict=False):
        shown = text[each.end() : end]
        starts.append((int(each[1]) / 1000, _BREAK.sub("\n", " ".join(shown.split()))))
    yield from with_ends(starts)


def read_ttml(text: str) -> Iterator[Entry]:
    """Text of `p`, or of its `span`s if they have times. Errors: MediaError for damaged XML, or XML with entities."""
    if "<!ENTITY" in text:
        raise MediaError("XML with entities of its own is not read")
    if text.count("<") > _MAX_TAGS:
        raise MediaError(f"more than {_MAX_TAGS:,} tags: left out")
    try:
        root = ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
    except (ElementTree.ParseError, ValueError) as error:
        raise MediaError("damaged: not XML") from error
    yield from _timed(root, _Rates.of(root), 0.0, float("inf"), 0)


@dataclass(frozen=True, slots=True)
class _Rates:
    """Frames and ticks per second of a TTML document."""

    frames: float
    ticks: float

    @classmethod
    def of(cls, root: ElementTree.Element) -> _Rates:
        stated = {_local(name): value for name, value in root.attrib.items()}
        factor = stated.get("frameRateMultiplier", "1 1").replace(":", " ").split()
        frames = _positive(stated.get("frameRate", "")) or _DEFAULT_FRAME_RATE
        if len(factor) == 2 and (below := _positive(factor[1])):
            frames *= (_positive(factor[0]) or below) / below
        return cls(frames, _positive(stated.get("tickRate", "")) or frames)

    def seconds(self, time: str | None) -> float | None:
        """A time expression of TTML, section 12.3.1; None if it is missing or malformed."""
        if clock := _CLOCK.fullmatch(time or ""):
            hours, minutes, seconds, fraction, frames = clock.groups()
            whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
            return whole + float(f"0.{fraction or 0}") + int(frames or 0) / self.frames
        if offset := _OFFSET.fullmatch(time or ""):
            units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "f": 1 / self.frames, "t": 1 / self.ticks}
            return float(offset[1]) * units[offset[2]]
        return None


def _timed(element: ElementTree.Element, rates: _Rates, begin: float, end: float, depth: int) -> Iterator[Entry]:
    """The texts below an element; its times are relative to those of its parent."""
    since, until, length = (rates.seconds(element.get(name)) for name in ("begin", "end", "dur"))
    start = begin + (since or 0.0)
    stop = min(end, begin + until) if until is not None else end
    stop = min(stop, start + length) if length is not None else stop
    children = [child for child in element if isinstance(child.tag, str)]
    has_timed_spans = any(child.get("begin") is not None for child in children)
    if _local(element.tag) in ("p", "span") and not has_timed_spans:
        if stop < float("inf"):
            yield start, stop, _text(element)
    elif depth < _MAX_DEPTH:
        for child in children:
            yield from _timed(child, rates, start, stop, depth + 1)


def _text(element: ElementTree.Element, depth: int = 0) -> str:
    """The text in an element; white space of the source is one space, `br` a line break."""
    parts = [element.text or ""]
    for child in element:
        name = _local(child.tag) if isinstance(child.tag, str) else "comment"
        if name == "br":
            parts.append("<br/>")
        elif name not in ("comment", "metadata") and depth < _MAX_DEPTH:
            parts.append(_text(child, depth + 1))
        parts.append(child.tail or "")
    text = " ".join("".join(parts).split())
    return text if depth else text.replace("<br/>", "\n")


def _local(name: str) -> str:
    """The name without its namespace."""
    return name.rpartition("}")[2]


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < 1e9 else None
