"""What a media file holds, told by ffprobe without decoding it.

Headers lie: a download that stopped claims its full length, some formats do not state any, a cover is stored as a
video stream. `inspect` gives what is there in fact, and where the file's own clock starts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.media.ffprobe import Section, ffprobe, packets
from pesearch.media.file_head import raise_unreadable
from pesearch.media.image import image_size
from pesearch.media.sniff import sniff
from pesearch.types import AudioStream, MediaInfo, MediaKind, VideoStream

MAX_FRAME_PIXELS = 8192 * 8192
"""Video of larger pictures is a damaged header (8K is half of this): a decoder would take gigabytes for it."""

_MIN_BYTES_PER_SECOND = 8.0
"""Less than this is a damaged clock, not media: speech at the lowest bit rate of Opus is 750 bytes a second."""

_CLOCKLESS_FORMATS = {"aac", "ac3", "dts", "eac3", "h264", "hevc", "loas", "m4v", "mp3", "mpegvideo", "truehd"}
"""Bare streams without timestamps: FFmpeg guesses their length from the bit rate of the beginning."""

_TAIL_SECONDS = 2.0

_SMALL_FILE_BYTES = 8 << 20
"""Up to here reading all packets costs less than starting ffprobe a second time."""

_STREAMS = (
    "format=format_name,start_time,duration:stream=index,codec_type,codec_name,width,height,avg_frame_rate,"
    "r_frame_rate,sample_rate,channels:stream_disposition=attached_pic,default:stream_side_data=rotation"
    ":format_tags:stream_tags=language:chapter=start_time,end_time:chapter_tags=title"
)
_TIMES = "stream_index,pts_time,dts_time,duration_time"


@dataclass(frozen=True, slots=True)
class Container:
    """A video or audio file opened up. Its time 0 is `origin_seconds` on the clock of its own timestamps.

    `format` is FFmpeg's name of the container; the indexes are those of the streams that are read. `told` is what
    ffprobe says of all of it but its packets.
    """

    info: MediaInfo
    format: str
    origin_seconds: float
    video_index: int | None
    audio_index: int | None
    told: tuple[Section, ...]


def probe(path: Path) -> MediaInfo:
    """What a file is and holds. Errors: MediaError with a short reason; FFmpegMissing."""
    kind = sniff(path)
    if kind is MediaKind.IMAGE:
        codec, width, height = image_size(path)
        return MediaInfo(MediaKind.IMAGE, 0.0, VideoStream(codec, width, height, 0.0), None)
    return inspect(path).info


def inspect(path: Path) -> Container:
    """The streams of a video or audio file that can be decoded, and its clock. Errors: MediaError; FFmpegMissing."""
    if sniff(path) is None:
        raise MediaError("not a media file: its content is of no known kind")
    try:
        status = path.stat()
    except OSError as error:
        raise_unreadable(error)
    return _inspect(path.absolute(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _inspect(path: Path, size_bytes: int, modified_ns: int) -> Container:
    """Cached by size and time as well as by path: a reader of pictures and one of sound open the same file."""
    is_small = size_bytes <= _SMALL_FILE_BYTES
    sections = ffprobe(path, f"{_STREAMS}:packet={_TIMES}" if is_small else _STREAMS)
    form = next((section for section in sections if section.name == "format"), None)
    video, sound = _video(sections), _sound(sections)
    if form is None or not (video or sound):
        raise MediaError("damaged or empty: holds neither pictures nor sound that can be decoded")
    streams = frozenset(stream.text("index") for stream in (video, sound) if stream)
    origin = form.number("start_time") or 0.0
    end = _last_end(sections, streams) if is_small else _measured_end(path, streams, form, origin)
    if end is None or end <= origin:
        raise MediaError("damaged: no picture and no sound can be read from it")
    duration = end - origin
    if size_bytes < duration * _MIN_BYTES_PER_SECOND:
        raise MediaError(f"damaged: claims {duration / 3600:,.0f} hours in {size_bytes:,} bytes")
    info = MediaInfo(
        MediaKind.VIDEO if video else MediaKind.AUDIO,
        duration,
        _video_stream(video) if video else None,
        AudioStream(sound.text("codec_name"), sound.count("sample_rate"), sound.count("channels")) if sound else None,
    )
    video_index, audio_index = (stream.count("index") if stream else None for stream in (video, sound))
    told = tuple(section for section in sections if section.name != "packet")
    return Container(info, form.text("format_name"), origin, video_index, audio_index, told)


def _video(sections: list[Section]) -> Section | None:
    """The first video stream that plays: no cover, of a known codec and size."""
    for section in sections:
        is_cover = section.count("disposition:attached_pic")
        if section.name == "stream" and section.text("codec_type") == "video" and not is_cover and _is_known(section):
            return section
    return None


def _sound(sections: list[Section]) -> Section | None:
    """The audio stream that a player plays: the one marked as default, else the first."""
    streams = [section for section in sections if section.name == "stream" and section.text("codec_type") == "audio"]
    known = [stream for stream in streams if _is_known(stream)]
    return max(known, key=lambda stream: stream.count("disposition:default"), default=None)


def _is_known(stream: Section) -> bool:
    sizes = ("width", "height") if stream.text("codec_type") == "video" else ("sample_rate", "channels")
    return stream.text("codec_name") not in ("", "unknown", "none") and all(stream.count(size) > 0 for size in sizes)


def _video_stream(stream: Section) -> VideoStream:
    width, height = stream.count("width"), stream.count("height")
    if width * height > MAX_FRAME_PIXELS:
        raise MediaError(f"pictures of {width}x{height} pixels: more than is read ({MAX_FRAME_PIXELS:,})")
    turn = next((stream.number(field) for field in stream.fields if field.endswith("rotation")), None)
    if round((turn or 0.0) / 90) % 2:
        width, height = height, width
    rate = stream.ratio("avg_frame_rate") or stream.ratio("r_frame_rate")
    return VideoStream(stream.text("codec_name"), width, height, rate)


def _measured_end(path: Path, streams: frozenset[str], form: Section, origin: float) -> float | None:
    """Where the streams end: from the packets near the end that the header claims, else from all packets."""
    claimed = form.number("duration")
    if claimed is not None and claimed > _TAIL_SECONDS and form.text("format_name") not in _CLOCKLESS_FORMATS:
        tail = packets(path, _TIMES, from_seconds=origin + claimed - _TAIL_SECONDS)
        if (end := _last_end(tail, streams)) is not None:
            return end
    return _last_end(packets(path, _TIMES), streams)


def _last_end(sections: Iterable[Section], streams: frozenset[str]) -> float | None:
    """The latest end of a packet of these streams, in seconds on the clock of the file's timestamps."""
    wanted = (each for each in sections if each.name == "packet" and each.text("stream_index") in streams)
    return max((end for packet in wanted if (end := _end(packet)) is not None), default=None)


def _end(packet: Section) -> float | None:
    begin = packet.number("pts_time")
    begin = packet.number("dts_time") if begin is None else begin
    return None if begin is None else begin + (packet.number("duration_time") or 0.0)
