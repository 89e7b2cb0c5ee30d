"""What a media file holds, told by ffprobe without decoding it.

Headers lie: a download that stopped claims its full length, some formats do not state any, a cover is stored as a
video stream. `inspect` gives what is there in fact, and where the file's own clock starts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import input_url, output_of
from pesearch.media.image import image_size
from pesearch.media.recognise import raise_unreadable, recognise
from pesearch.types import AudioStream, MediaInfo, MediaKind, VideoStream

MAX_SIDE_PIXELS = 16_384
"""Wider or higher video is a damaged header: 8K is 7680 wide, H.264 and HEVC end near this."""

_MIN_BYTES_PER_SECOND = 8.0
"""Less than this is a damaged clock, not media: speech at the lowest bit rate of Opus is 750 bytes a second."""

_CLOCKLESS_FORMATS = {"aac", "ac3", "dts", "eac3", "h264", "hevc", "loas", "m4v", "mp3", "mpegvideo", "truehd"}
"""Bare streams without timestamps: FFmpeg guesses their length from the bit rate of the beginning."""

_TAIL_SECONDS = 2.0
_TOLERANCE_SECONDS = 0.5
_ENTRIES = (
    "format=format_name,start_time,duration:stream=index,codec_type,codec_name,width,height,avg_frame_rate,r_frame_rate,"
    "sample_rate,channels:stream_disposition=attached_pic,default:stream_side_data=rotation"
)


@dataclass(frozen=True, slots=True)
class Container:
    """A video or audio file opened up. Its time 0 is `origin_seconds` on the clock of its own timestamps."""

    info: MediaInfo
    origin_seconds: float
    video_index: int | None
    audio_index: int | None


def probe(path: Path) -> MediaInfo:
    """What a file is and holds. Errors: MediaError with a short reason; FFmpegMissing."""
    kind = recognise(path)
    if kind is MediaKind.IMAGE:
        codec, width, height = image_size(path)
        return MediaInfo(MediaKind.IMAGE, 0.0, VideoStream(codec, width, height, 0.0), None)
    return inspect(path).info


def inspect(path: Path) -> Container:
    """The streams of a video or audio file that can be decoded, and its clock. Errors: MediaError; FFmpegMissing."""
    if recognise(path) is None:
        raise MediaError("not a media file: its content is of no known kind")
    try:
        status = path.stat()
    except OSError as error:
        raise_unreadable(error)
    return _inspect(path.absolute(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _inspect(path: Path, size_bytes: int, modified_ns: int) -> Container:
    """Cached by size and time as well as by path: a reader of pictures and one of sound open the same file."""
    found = _ffprobe(path)
    streams: list[dict[str, Any]] = found.get("streams", [])
    video = next((stream for stream in streams if _is_moving(stream)), None)
    sounds = sorted(filter(_is_sound, streams), key=lambda stream: -stream.get("disposition", {}).get("default", 0))
    sound = sounds[0] if sounds else None
    kept = [int(stream["index"]) for stream in (video, sound) if stream]
    if not kept:
        raise MediaError("holds neither pictures nor sound that can be decoded")
    origin = _number(found["format"].get("start_time")) or 0.0
    claimed = None if found["format"]["format_name"] in _CLOCKLESS_FORMATS else found["format"].get("duration")
    duration = _duration(path, kept, origin, _number(claimed))
    if size_bytes < duration * _MIN_BYTES_PER_SECOND:
        raise MediaError(f"damaged: claims {duration / 3600:.0f} hours in {size_bytes:,} bytes")
    info = MediaInfo(
        MediaKind.VIDEO if video else MediaKind.AUDIO,
        duration,
        _video_stream(video) if video else None,
        AudioStream(sound["codec_name"], int(sound["sample_rate"]), int(sound["channels"])) if sound else None,
    )
    return Container(info, origin, int(video["index"]) if video else None, int(sound["index"]) if sound else None)


def _ffprobe(path: Path) -> dict[str, Any]:
    done = output_of("ffprobe", "-v", "error", "-of", "json", "-show_entries", _ENTRIES, input_url(path))
    try:
        found: dict[str, Any] = json.loads(done.stdout.decode(errors="replace"))
    except json.JSONDecodeError:
        found = {}
    if done.returncode == 0 and "format" in found:
        return found
    if b"moov atom not found" in done.stderr:
        raise MediaError("cut short: its index (moov) is missing, as when a recording or a download stopped")
    if b"Permission denied" in done.stderr:
        raise MediaError("no permission to read it")
    raise MediaError("damaged: FFmpeg cannot open it")


def _is_moving(stream: dict[str, Any]) -> bool:
    """A video stream that plays: not a cover, of a known codec and size."""
    is_cover = stream.get("disposition", {}).get("attached_pic")
    known = stream.get("codec_name", "unknown") != "unknown" and stream.get("width") and stream.get("height")
    return bool(stream.get("codec_type") == "video" and known and not is_cover)


def _is_sound(stream: dict[str, Any]) -> bool:
    known = stream.get("codec_name", "unknown") != "unknown" and int(stream.get("sample_rate") or 0)
    return bool(stream.get("codec_type") == "audio" and known and stream.get("channels"))


def _video_stream(stream: dict[str, Any]) -> VideoStream:
    width, height = int(stream["width"]), int(stream["height"])
    if max(width, height) > MAX_SIDE_PIXELS:
        raise MediaError(f"pictures of {width}x{height} pixels: more than is read ({MAX_SIDE_PIXELS} a side)")
    turn = next((side["rotation"] for side in stream.get("side_data_list", []) if "rotation" in side), 0)
    if round(float(turn) / 90) % 2:
        width, height = height, width
    rate = _ratio(stream.get("avg_frame_rate")) or _ratio(stream.get("r_frame_rate"))
    return VideoStream(stream["codec_name"], width, height, rate)


def _duration(path: Path, streams: list[int], origin: float, claimed: float | None) -> float:
    """Where the kept streams end, in seconds from the origin: as claimed when packets near the end bear it out."""
    end = None
    if claimed is not None and claimed > _TAIL_SECONDS:
        end = _last_end(path, streams, from_seconds=origin + claimed - _TAIL_SECONDS)
    if end is None:
        end = _last_end(path, streams)
    if end is None or end <= origin:
        raise MediaError("damaged: no picture and no sound can be read from it")
    measured = end - origin
    return claimed if claimed is not None and abs(measured - claimed) <= _TOLERANCE_SECONDS else measured


def _last_end(path: Path, streams: list[int], from_seconds: float | None = None) -> float | None:
    """The latest end of a packet of these streams, reading from a time (or all) to the end of the file."""
    interval = ["-read_intervals", f"{from_seconds:.3f}%"] if from_seconds is not None else []
    entries = ["-show_entries", "packet=stream_index,pts_time,dts_time,duration_time", "-of", "csv=p=0:nk=1"]
    done = output_of("ffprobe", "-v", "quiet", *interval, *entries, input_url(path))
    return max(_ends(done.stdout.decode(errors="replace").splitlines(), streams), default=None)


def _ends(lines: Iterable[str], streams: list[int]) -> Iterable[float]:
    for line in lines:
        fields = line.split(",")
        if len(fields) < 4 or not fields[0].isdigit() or int(fields[0]) not in streams:
            continue
        begin = _number(fields[1]) if _number(fields[1]) is not None else _number(fields[2])
        if begin is not None:
            yield begin + (_number(fields[3]) or 0.0)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _ratio(text: str | None) -> float:
    numerator, _, denominator = (text or "0/1").partition("/")
    return int(numerator) / int(denominator) if int(denominator or 1) else 0.0
