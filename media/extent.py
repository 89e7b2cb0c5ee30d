"""When the streams of a file begin and end, measured from their packets: headers are unreliable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.media.appended import has_chained_streams
from pesearch.media.clock import Clock, packet_seconds, read_clock
from pesearch.media.clock_samples import is_clock_rising
from pesearch.media.ffprobe import Section, packets
from pesearch.media.joined import is_joined

PACKET_FIELDS = "stream_index,pts_time,dts_time,duration_time"
"""What is needed of packets: ffprobe's names."""

CLOCKLESS_FORMATS = {"aac", "ac3", "dts", "eac3", "h264", "hevc", "loas", "m4v", "mp3", "mpegvideo", "truehd"}
"""Raw streams without timestamps: FFmpeg estimates their length from the bit rate at the start."""

HEADLESS_FORMATS = frozenset({"mpegts", "mpeg", "flv", "live_flv", "kux", "nsv", "swf", "wtv", "pva", "dhav", "ogg"})
"""FFmpeg's names of the formats in which a stream may first appear after the header, and whose clock may restart."""

RESTARTING_FORMATS = HEADLESS_FORMATS - {"ogg"}
"""Formats that are recorded and joined as they come: streams may begin, and the clock restart, anywhere."""

_MAX_SCANNED_BYTES = 256 << 20
"""MPEG streams beyond this are only read as a whole if their clock does not rise where it is sampled."""

_TAIL_SECONDS = 2.0
"""The end of a large file is measured from the packets of this last part of its claimed duration."""

_MIN_BYTES_PER_SECOND = 8.0
"""Fewer bytes per second mean damaged timestamps: speech at the lowest bit rate of Opus has 750."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Start of a file on the clock of its timestamps, and its length. `clock` is None where it cannot restart."""

    origin_seconds: float
    duration_seconds: float
    clock: Clock | None


def measure_extent(
    path: Path,
    size_bytes: int,
    sections: Sequence[Section],
    header: Section,
    streams: frozenset[str],
    options: tuple[str, ...],
) -> Extent:
    """The extent of these streams, from the packets among `sections`; if there are none, from those that are needed.

    Errors: MediaError for a file without packets, or with fewer bytes than its length needs; FFmpegMissing.
    """
    origin, clock = header.number("start_time") or 0.0, None
    read = [section for section in sections if section.name == "packet"]
    if _may_restart(path, size_bytes, header):
        clock = read_clock(read or packets(path, PACKET_FIELDS, options=options), streams, origin)
        end = origin + clock.end_seconds if clock else None
    else:
        end = _last_end(read, streams) if read else _measured_end(path, streams, header, origin, options)
    if end is None or end <= origin:
        raise MediaError("damaged: no video or audio packet can be read")
    if size_bytes < (end - origin) * _MIN_BYTES_PER_SECOND:
        raise MediaError(f"damaged: claims {(end - origin) / 3600:,.0f} hours in {size_bytes:,} bytes")
    return Extent(origin, end - origin, clock)


def _may_restart(path: Path, size_bytes: int, header: Section) -> bool:
    """Whether the timestamps of all packets are needed, as the clock of the file may restart."""
    name, claimed = header.text("format_name"), header.number("duration")
    if name == "ogg":
        return has_chained_streams(path)
    if name not in RESTARTING_FORMATS:
        return is_joined(path, name)
    is_sampled = size_bytes > _MAX_SCANNED_BYTES and name in ("mpegts", "mpeg") and claimed is not None
    return not (is_sampled and claimed is not None and is_clock_rising(path, claimed))


def _measured_end(
    path: Path, streams: frozenset[str], header: Section, origin: float, options: tuple[str, ...]
) -> float | None:
    """Where the streams end, from the packets near the claimed end, else from all packets."""
    claimed = header.number("duration")
    if claimed is not None and claimed > _TAIL_SECONDS and header.text("format_name") not in CLOCKLESS_FORMATS:
        tail = packets(path, PACKET_FIELDS, from_seconds=origin + claimed - _TAIL_SECONDS, options=options)
        if (end := _last_end(tail, streams)) is not None:
            return end
    return _last_end(packets(path, PACKET_FIELDS, options=options), streams)


def _last_end(sections: Iterable[Section], streams: frozenset[str]) -> float | None:
    """The latest end of a packet of these streams, in seconds on the clock of the file's timestamps.

    Raw H.264 and HEVC have no timestamps: there the durations are added up.
    """
    of_streams = (each for each in sections if each.name == "packet" and each.text("stream_index") in streams)
    latest, without_times = None, 0.0
    for packet in of_streams:
        end = _end(packet)
        if end is None:
            without_times += packet_seconds(packet)
        elif latest is None or end > latest:
            latest = end
    return latest if latest is not None else without_times or None


def _end(packet: Section) -> float | None:
    begin = packet.number("pts_time")
    begin = packet.number("dts_time") if begin is None else begin
    return None if begin is None else begin + packet_seconds(packet)
