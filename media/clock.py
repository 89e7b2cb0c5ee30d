"""The clock of a file's timestamps: where it goes back or leaps, and the player's time of each timestamp.

Joined recordings (`cat a.ts b.ts`), DVD titles and broadcasts with adverts have a clock that restarts. Players show the
parts one after the other, so each part is placed at the end of the one before.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from pesearch.media.ffprobe import Section
from pesearch.types import Remark

MIN_STEP_BACK_SECONDS = 0.5
"""A decoding time this much before the one before it begins a new part. Muxers repeat or swap packets by less."""

MAX_GAP_SECONDS = 3600.0
"""A longer leap ahead begins a new part too, so that a damaged clock does not claim days without a packet. Shorter
leaps are kept: the recording was paused. A clock that steps back by over a minute reads as a leap of 26.5 hours, as
FFmpeg takes it for the overflow of a 33-bit counter."""

_MIN_GAP_SECONDS = 60.0
"""A shorter time without a packet is no gap: subtitles, slides and time-lapses have few."""

_MAX_OUTLIER_SECONDS = 10.0
"""A single packet far from both neighbours, which are within this of each other, has a damaged timestamp."""

_TOLERANCE_SECONDS = 0.3
"""A decoded frame may lie this far outside the packets of its run: decoders add or drop a frame at either end."""


_OVERFLOWED_SECONDS = 2**32 / 192_000 - 60
"""6.2 hours: no packet lasts as long, and negative durations of up to a minute are beyond it at any sample rate."""


@dataclass(frozen=True, slots=True)
class Run:
    """Packets of a stream on one part of the clock: `player's time = timestamp + shift_seconds`."""

    first_seconds: float
    last_seconds: float
    shift_seconds: float


@dataclass(frozen=True, slots=True)
class Clock:
    """The runs of each stream, by its index and in file order. `end_seconds` is that of the last one, `gaps` are long
    stretches, start and end, in which no stream has a packet: all in the player's time."""

    runs: Mapping[int, tuple[Run, ...]]
    end_seconds: float
    gaps: tuple[tuple[float, float], ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def is_continuous(self) -> bool:
        """Whether every stream has one run, so that FFmpeg's seeks and times hold for the file."""
        return all(len(runs) <= 1 for runs in self.runs.values())


def packet_seconds(packet: Section) -> float:
    """How long a packet lasts; 0 if FFmpeg states no duration, or one that was negative before it overflowed."""
    seconds = packet.number("duration_time") or 0.0
    return seconds if 0.0 <= seconds < _OVERFLOWED_SECONDS else 0.0


class RunFollower:
    """The player's time of a stream's timestamps, given in the order of the file."""

    def __init__(self, runs: tuple[Run, ...], shift_seconds: float) -> None:
        """`shift_seconds` is used if there are no runs."""
        self._runs = runs or (Run(float("-inf"), float("inf"), shift_seconds),)
        self._at = 0
        self._last_seconds = float("-inf")

    def player_seconds(self, timestamp_seconds: float) -> float:
        """The player's time of the next timestamp."""
        while self._at + 1 < len(self._runs) and self._has_left(timestamp_seconds):
            self._at += 1
            self._last_seconds = float("-inf")
        self._last_seconds = max(self._last_seconds, timestamp_seconds)
        return timestamp_seconds + self._runs[self._at].shift_seconds

    def _has_left(self, seconds: float) -> bool:
        run, following = self._runs[self._at], self._runs[self._at + 1]
        if seconds < self._last_seconds - MIN_STEP_BACK_SECONDS / 2:
            return True
        is_inside = run.first_seconds - _TOLERANCE_SECONDS <= seconds <= run.last_seconds + _TOLERANCE_SECONDS
        return not is_inside and abs(seconds - following.first_seconds) < abs(seconds - run.last_seconds)


@dataclass(slots=True)
class _Part:
    """A stretch of the file on one clock, of all streams, with its gaps."""

    first_seconds: float
    end_seconds: float
    gaps: list[tuple[float, float]]


class _Track:
    """One stream while its packets are read: `parts` are the numbers of its runs."""

    def __init__(self) -> None:
        self.parts: list[int] = []
        self.firsts = array("d")
        self.lasts = array("d")
        self.decoded_seconds = 0.0

    def add(self, part: int, begin: float, end: float, decoded: float) -> None:
        if not self.parts or self.parts[-1] != part:
            self.parts.append(part)
            self.firsts.append(begin)
            self.lasts.append(end)
        self.firsts[-1], self.lasts[-1] = min(self.firsts[-1], begin), max(self.lasts[-1], end)
        self.decoded_seconds = decoded


def read_clock(sections: Iterable[Section], streams: frozenset[str], origin_seconds: float) -> Clock | None:
    """The clock of these streams from all packets in file order; None if none of them has a timestamp.

    Packets need `stream_index`, `pts_time`, `dts_time`, `duration_time`. Memory does not grow with the file.
    """
    parts: list[_Part] = []
    tracks: dict[int, _Track] = {}
    for stream, decoded, begin, end in _without_outliers(sections, streams):
        track = tracks.setdefault(stream, _Track())
        number = _part_of(track, parts, decoded)
        gap = begin - parts[number].end_seconds if number < len(parts) else 0.0
        if gap > MAX_GAP_SECONDS:
            number = len(parts)
        elif gap > _MIN_GAP_SECONDS:
            parts[number].gaps.append((parts[number].end_seconds, begin))
        if number == len(parts):
            parts.append(_Part(begin, end, []))
        part = parts[number]
        part.first_seconds, part.end_seconds = min(part.first_seconds, begin), max(part.end_seconds, end)
        track.add(number, begin, end, decoded)
    return _placed(parts, tracks, origin_seconds) if parts else None


def _part_of(track: _Track, parts: list[_Part], decoded: float) -> int:
    """The number of the part that a packet belongs to; `len(parts)` if it begins a new one."""
    current = len(parts) - 1
    if not track.parts:
        return max(current, 0)
    if track.parts[-1] < current:  # another stream is already in a later part: the nearer one
        before, now = track.decoded_seconds, parts[current]
        far = max(now.first_seconds - decoded, decoded - now.end_seconds, 0.0)
        return track.parts[-1] if 0.0 <= decoded - before < far else current
    step = decoded - track.decoded_seconds
    return current + 1 if step < -MIN_STEP_BACK_SECONDS else current


def _placed(parts: list[_Part], tracks: Mapping[int, _Track], origin_seconds: float) -> Clock:
    """Each part at the end of the one before."""
    shifts, end = [], 0.0
    for number, part in enumerate(parts):
        shifts.append(end - part.first_seconds if number else -origin_seconds)
        end = max(end, part.end_seconds + shifts[-1])
    runs = {
        stream: tuple(
            Run(first, last, shifts[part])
            for part, first, last in zip(track.parts, track.firsts, track.lasts, strict=True)
        )
        for stream, track in tracks.items()
    }
    gaps = tuple(
        (first + shift, last + shift) for part, shift in zip(parts, shifts, strict=True) for first, last in part.gaps
    )
    return Clock(runs, end, gaps, tuple(_remarks(parts)))


def _remarks(parts: list[_Part]) -> Iterator[Remark]:
    if len(parts) > 1:
        times = "once" if len(parts) == 2 else f"{len(parts) - 1} times"
        yield Remark(f"its clock restarts {times}: the parts are placed one after the other")


Packet = tuple[int, float, float, float]
"""Stream, decoding time, begin and end in seconds."""


def _without_outliers(sections: Iterable[Section], streams: frozenset[str]) -> Iterator[Packet]:
    """The packets that have a time, without single ones whose neighbours of the same stream agree on another."""
    before: dict[int, float] = {}
    held: dict[int, Packet] = {}
    for packet in filter(None, (_times(section, streams) for section in sections)):
        stream, decoded = packet[0], packet[1]
        if (last := held.get(stream)) is not None and not _is_outlier(before.get(stream), last[1], decoded):
            before[stream] = last[1]
            yield last
        held[stream] = packet
    yield from chain(held.values())


def _is_outlier(before: float | None, at: float, after: float) -> bool:
    if before is None or not -MIN_STEP_BACK_SECONDS <= after - before <= _MAX_OUTLIER_SECONDS:
        return False
    return not before - MIN_STEP_BACK_SECONDS <= at <= before + _MAX_OUTLIER_SECONDS


def _times(packet: Section, streams: frozenset[str]) -> Packet | None:
    if packet.name != "packet" or packet.text("stream_index") not in streams:
        return None
    shown, decoded = packet.number("pts_time"), packet.number("dts_time")
    begin = decoded if shown is None else shown
    if begin is None:
        return None
    return (
        packet.count("stream_index"), begin if decoded is None else decoded, begin,
        begin + packet_seconds(packet),
    )  # fmt: skip
