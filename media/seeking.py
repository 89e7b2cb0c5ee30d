"""Which picture a film shows at a time, and how FFmpeg gives it: the one rule of index, thumbnails, proxies and clips.

Shown is the picture with the latest timestamp at or before the time; before the first picture the first, after the
last the last. FFmpeg's own `-ss` gives the next picture instead, and seeks of formats without an index may end behind
the key frame that the picture depends on. So decoding starts at or before that key frame (`start_for`), and a filter
selects by timestamp (`shown_filter`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from pesearch.media.clock import MIN_STEP_BACK_SECONDS, Run
from pesearch.media.container import Container
from pesearch.media.extent import CLOCKLESS_FORMATS
from pesearch.media.ffmpeg import input_url, run_program
from pesearch.media.ffprobe import packets, timeout_for

_INDEXED_FORMATS = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mxf"})
"""FFmpeg's names of the formats whose index leads to the key frame at or before a time."""

_UNSEEKABLE_FORMATS = CLOCKLESS_FORMATS | {"gif", "apng", "webp", "mjpeg", "dv"}
"""Formats that are read from the start: without timestamps, or with frames that are changes to all earlier ones."""

_FIRST_STEP_SECONDS = 2.0
"""The first search for a key frame starts this long before a time: broadcasts have one every 0.5 to 2 s. Each further
search starts twice as early."""

_COPY_MARGINS_SECONDS = (0.3, 0.9)
"""How much before a key frame a seek arrives before it: packets are interleaved with later ones of other streams, and
program streams of low bit rate have few points to seek to."""

_PATIENT_CODECS = frozenset({"h264"})
"""Codecs whose decoders show nothing until pictures are whole. Live encoders send key frames in parts (intra refresh),
so that a packet that is marked as a key may only be the first of many. FFmpeg's decoder of HEVC shows grey instead."""

_MAX_RUNS = 1000
"""Restarts of a clock that fit into an argument of FFmpeg (128 KiB). Later ones count as the last of them."""

_TOLERANCE_SECONDS = 0.001
"""Many formats round timestamps to the millisecond."""

_MIN_RATE, _MAX_RATE = 10.0, 120.0
"""Pictures per second of films of constant rate whose rate proxies and clips keep."""

_RATE_TOLERANCE = 0.002
"""Relative difference of the mean rate of a film of constant rate from its nominal one: the last picture's duration."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where FFmpeg starts to read, on the player's clock, and the wanted time on that of `clock`, FFmpeg's expression
    for the time of a picture in microseconds."""

    seek_seconds: float
    wanted_seconds: float
    clock: str

    def input_options(self, container: Container, path: Path) -> list[str | bytes]:
        """FFmpeg's options to open the file there. Nothing before the wanted time is dropped yet, and the filters of
        pictures go on where these change their size. (Those of sound could not go on where its channels change.)"""
        seek = seek_options(self.seek_seconds)
        # without -copyts, FFmpeg takes a seek that ends early for a jump of the clock, and shifts all that follows
        options = ("-reinit_filter:v", "0", "-noaccurate_seek", *seek, "-copyts", *container.input_options)
        return [*options, "-i", input_url(path)]


def seek_options(seconds: float) -> list[str]:
    """FFmpeg's input option to seek. None for the start, where some formats do not arrive when asked to seek there."""
    return ["-ss", f"{seconds:.6f}"] if seconds > 0 else []


def has_index(container: Container) -> bool:
    """Whether seeks in a file are reliable: its format has an index of key frames, and one time is one place."""
    return container.format in _INDEXED_FORMATS and container.has_continuous_clock


def start_for(path: Path, container: Container, seconds: float) -> Start:
    """Where to start so that the picture shown at a time can be decoded. Errors: MediaError; FFmpegMissing."""
    seconds = min(max(seconds, 0.0), container.info.duration_seconds)
    if runs := container.picture_runs:
        return Start(0.0, seconds, _clock_of(runs))
    wanted = container.origin_seconds + seconds
    if container.video_index is None or has_index(container):
        return Start(seconds, wanted, "PTS")
    if not is_seekable(container):
        return Start(0.0, wanted, "PTS")
    return Start(_seek_before_key_frame(path, container, seconds), wanted, "PTS")


def key_frame_start(path: Path, container: Container, seconds: float) -> float:
    """Where to seek to copy packets, so that the video starts with the last key frame at or before a time.

    Errors: MediaError; FFmpegMissing.
    """
    if container.video_index is None or has_index(container):
        return seconds
    if not is_seekable(container):
        return 0.0
    begin = _seek_before_key_frame(path, container, seconds)
    key = _last_key_frame(path, container, begin, seconds) or 0.0
    nearer = (key - margin for margin in _COPY_MARGINS_SECONDS if key - margin > begin)
    return next((near for near in nearer if _last_key_frame(path, container, near, seconds) == key), begin)


def is_seekable(container: Container) -> bool:
    """Whether a time can be found in a file without reading all that is before it."""
    return container.format not in _UNSEEKABLE_FORMATS and container.has_continuous_clock


def shown_filter(start: Start, rate: str) -> str:
    """FFmpeg's filters from decoded pictures to those shown at 0, 1, 2, ... / `rate` seconds after the wanted time.

    They go on without end, and look at timestamps only, so that pictures may change their size. `rate` is a number or
    a ratio.
    """
    shift = round((start.wanted_seconds + _TOLERANCE_SECONDS) * 1_000_000)
    # `fps` drops a picture as soon as the next one is due; `tpad` repeats the last one without end
    return f"tpad=stop=-1:stop_mode=clone,settb=AVTB,setpts='{start.clock}-{shift}',fps={rate}:round=up:start_time=0"


def shown_rate(container: Container) -> str:
    """The rate for `shown_filter` that proxies and clips have: the film's own, or 30 or 60 a second if it varies or is
    low, so that a picture is at most a thirtieth of a second late."""
    stream = next(each for each in container.sections if each.text("index") == str(container.video_index))
    mean, least = stream.ratio("avg_frame_rate"), stream.ratio("r_frame_rate")
    if _MIN_RATE <= mean <= _MAX_RATE and abs(mean - least) <= _RATE_TOLERANCE * mean:
        return stream.text("r_frame_rate")
    return "60" if mean > 30.5 else "30"


def sound_filter(start: Start) -> str:
    """FFmpeg's filters from decoded sound to that from the wanted time on."""
    return f"atrim=start={start.wanted_seconds:.6f},asetpts=PTS-{start.wanted_seconds:.6f}/TB"


def _clock_of(runs: tuple[Run, ...]) -> str:
    """FFmpeg's expression for the player's time in microseconds of pictures whose clock restarts with each run."""
    runs = runs[:_MAX_RUNS]
    back = f"lt(PTS-PREV_INPTS,{-MIN_STEP_BACK_SECONDS / 2 * 1e6:.0f})"
    ends, shifts = "", ""
    for number, (run, following) in enumerate(pairwise(runs)):
        middle = (run.last_seconds + following.first_seconds) / 2
        is_ahead = following.first_seconds > run.last_seconds
        ends += f"+eq(ld(0),{number})*" + (f"gt(PTS,{middle * 1e6:.0f})" if is_ahead else back)
        shifts += f"{(following.shift_seconds - run.shift_seconds) * 1e6:+.0f}*gt(ld(0),{number})"
    return f"st(0,ld(0){ends});PTS{runs[0].shift_seconds * 1e6:+.0f}{shifts}"


@lru_cache(maxsize=64)
def _seek_before_key_frame(path: Path, container: Container, seconds: float) -> float:
    """Where to seek so that the last key frame at or before a time is read.

    Cached, as a moment that was played is often exported.
    """
    step = _FIRST_STEP_SECONDS
    while step < seconds:
        if _shows_from(path, container, seconds - step, seconds):
            return seconds - step
        step *= 2
    return 0.0


def _shows_from(path: Path, container: Container, begin: float, seconds: float) -> bool:
    """Whether the picture shown at a time can be decoded after a seek. Most decoders show garbage before the first key
    frame, so that only its packet says where to begin."""
    if container.info.video is not None and container.info.video.codec in _PATIENT_CODECS:
        first = _first_picture(path, container, begin)
        return first is not None and first <= seconds + _TOLERANCE_SECONDS
    return _last_key_frame(path, container, begin, seconds) is not None


def _last_key_frame(path: Path, container: Container, begin: float, seconds: float) -> float | None:
    """The last key frame at or before a time among the packets that are read after a seek; None if there is none.

    It is the last one of the file too: packets that follow in the file are shown later, or need a later key frame.
    """
    found = None
    fields, clock = "pts_time,dts_time,flags", container.origin_seconds
    for packet in packets(path, fields, container.video_index, clock + begin, container.input_options):
        stamp = packet.number("pts_time")
        stamp = packet.number("dts_time") if stamp is None else stamp
        if stamp is None:
            continue
        if stamp > clock + seconds + _TOLERANCE_SECONDS:
            break
        if packet.text("flags").startswith("K"):
            found = stamp - clock
    return found


def _first_picture(path: Path, container: Container, begin: float) -> float | None:
    """The time of the first picture that is decoded after a seek; None if there is none."""
    options = Start(begin, 0.0, "PTS").input_options(container, path)
    log = run_program(
        "ffmpeg", "-v", "info", "-nostats", "-nostdin", "-threads", "1", *options,
        "-map", f"0:{container.video_index}", "-frames:v", "1", "-vf", "showinfo=checksum=0", "-f", "null", "-",
        timeout_seconds=timeout_for(path),
    ).stderr  # fmt: skip
    first = re.search(rb"pts_time:(-?[\d.]+)", log)
    return None if first is None else float(first[1]) - container.origin_seconds
