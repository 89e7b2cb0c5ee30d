"""Frame index of a video stream, packet by packet, built with ffprobe.

torchcodec can build such an index itself (its exact mode). But version 0.13 counts the streams first and writes out of
bounds when a packet of a further stream follows, which flipped bits can cause in formats without a stream list in
their header: 2 of 147 damaged transport streams crashed the process. For those formats ffprobe, a separate process,
builds the index.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from pesearch.media.ffprobe import packets

HEADLESS_FORMATS = frozenset({"mpegts", "mpeg", "flv", "live_flv", "kux", "nsv", "swf", "wtv", "pva", "dhav", "ogg"})
"""FFmpeg's names of the formats in which a stream may first appear after the header."""

_ROUNDING_SECONDS = 1e-6
"""ffprobe prints times to the microsecond, and torchcodec finds no frame even slightly before the first."""


@dataclass(frozen=True, slots=True)
class FrameIndex:
    """Start and end of the frames on the clock of the file's timestamps, and all packets as torchcodec's
    `custom_frame_mappings` takes them, in the stream's time base."""

    begin_seconds: float
    end_seconds: float
    mappings: str


def frame_index(path: Path, stream: int) -> FrameIndex:
    """The index of a video stream. Raises ValueError when no packet has a timestamp; MediaError; FFmpegMissing."""
    begin, end, frames = math.inf, -math.inf, []
    for packet in packets(path, "pts,pts_time,dts,dts_time,duration,duration_time,flags", stream):
        # as torchcodec: dts replaces a missing pts, and packets flagged to be discarded are skipped
        clock = "dts" if packet.number("pts") is None else "pts"
        seconds, flags = packet.number(f"{clock}_time"), packet.text("flags")
        if seconds is None or "D" in flags:
            continue
        begin, end = min(begin, seconds), max(end, seconds + (packet.number("duration_time") or 0.0))
        times = f'"pts":{packet.count(clock)},"duration":{packet.count("duration")}'
        frames.append(f'{{{times},"key_frame":{int("K" in flags)}}}')
    if not frames:
        raise ValueError("no packet of the stream has a timestamp")
    return FrameIndex(begin + _ROUNDING_SECONDS, end - _ROUNDING_SECONDS, '{"frames":[' + ",".join(frames) + "]}")
