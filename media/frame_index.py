"""Where the pictures of a video stream are, packet by packet, told by ffprobe.

torchcodec makes such an index itself (its exact mode). But its 0.13 counts the streams first and writes beyond its
memory when a packet of one more comes later, as bits that are wrong can make them in formats without a list of streams
at their head: of 147 damaged transport streams two ended the process. There, ffprobe makes the index, in a process of
its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from pesearch.media.ffprobe import packets

HEADLESS_FORMATS = frozenset({"mpegts", "mpeg", "flv", "live_flv", "kux", "nsv", "swf", "wtv", "pva", "dhav", "ogg"})
"""FFmpeg's names of the formats in which a stream may turn up after the beginning."""

_ROUNDING_SECONDS = 1e-6
"""ffprobe tells times to the microsecond, and before the first picture torchcodec finds none."""


@dataclass(frozen=True, slots=True)
class FrameIndex:
    """Where the pictures begin and end on the clock of the file's timestamps, and all packets as torchcodec's
    `custom_frame_mappings` takes them, in the stream's own units of time."""

    begin_seconds: float
    end_seconds: float
    mappings: str


def frame_index(path: Path, stream: int) -> FrameIndex:
    """The index of a video stream. ValueError when no packet has a time; MediaError; FFmpegMissing."""
    begin, end, frames = math.inf, -math.inf, []
    for packet in packets(path, "pts,pts_time,dts,dts_time,duration,duration_time,flags", stream):
        # as torchcodec sees it: a packet without a time of showing has that of decoding, one to discard is none
        clock = "dts" if packet.number("pts") is None else "pts"
        seconds, flags = packet.number(f"{clock}_time"), packet.text("flags")
        if seconds is None or "D" in flags:
            continue
        begin, end = min(begin, seconds), max(end, seconds + (packet.number("duration_time") or 0.0))
        times = f'"pts":{packet.count(clock)},"duration":{packet.count("duration")}'
        frames.append(f'{{{times},"key_frame":{int("K" in flags)}}}')
    if not frames:
        raise ValueError("no packet of the stream has a time")
    return FrameIndex(begin + _ROUNDING_SECONDS, end - _ROUNDING_SECONDS, '{"frames":[' + ",".join(frames) + "]}")
