"""Probing: kind, duration and streams of a media file through ffprobe, without decoding.

Headers are unreliable: an interrupted download claims its full length, some formats state none, cover art is stored as
a video stream. `inspect` measures the streams from their packets, and finds where the file's clock starts.
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
from pesearch.types import AudioStream, MediaInfo, MediaKind, Remark, VideoStream

MAX_FRAME_PIXELS = 8192 * 8192
"""A larger video frame means a damaged header (8K is half of this): a decoder would allocate gigabytes for it."""

_MIN_BYTES_PER_SECOND = 8.0
"""Fewer bytes per second mean damaged timestamps: speech at the lowest bit rate of Opus has 750."""

_CLOCKLESS_FORMATS = {"aac", "ac3", "dts", "eac3", "h264", "hevc", "loas", "m4v", "mp3", "mpegvideo", "truehd"}
"""Raw streams without timestamps: FFmpeg estimates their length from the bit rate at the start."""

_TAIL_SECONDS = 2.0
"""The end of a large file is measured from the packets of this last part of its claimed duration."""

_SMALL_FILE_BYTES = 8 << 20
"""Up to this size, reading all packets is cheaper than starting ffprobe a second time."""

_STREAMS = (
    "format=format_name,start_time,duration:stream=index,codec_type,codec_name,width,height,avg_frame_rate,"
    "r_frame_rate,sample_rate,channels:stream_disposition=attached_pic,default:stream_side_data=rotation"
    ":format_tags:stream_tags:chapter=start_time,end_time:chapter_tags=title"
)
_PACKET_FIELDS = "stream_index,pts_time,dts_time,duration_time"


@dataclass(frozen=True, slots=True)
class Container:
    """A probed video or audio file. Time 0 of the player is `origin_seconds` on the clock of the file's timestamps.

    `format` is FFmpeg's name of the container, the indexes are those of the streams to decode, and `sections` is
    ffprobe's output except the packets. `remarks` say what of the file will not be read.
    """

    info: MediaInfo
    format: str
    origin_seconds: float
    video_index: int | None
    audio_index: int | None
    sections: tuple[Section, ...]
    remarks: tuple[Remark, ...] = ()


def probe(path: Path) -> MediaInfo:
    """Kind, duration and streams of a file. Errors: MediaError with a short reason; FFmpegMissing."""
    kind = sniff(path)
    if kind is MediaKind.IMAGE:
        codec, width, height = image_size(path)
        return MediaInfo(MediaKind.IMAGE, 0.0, VideoStream(codec, width, height, 0.0), None)
    return inspect(path).info


def inspect(path: Path) -> Container:
    """The decodable streams of a video or audio file, and its clock. Errors: MediaError; FFmpegMissing."""
    if sniff(path) is None:
        raise MediaError("not a media file: its format is unknown")
    try:
        status = path.stat()
    except OSError as error:
        raise_unreadable(error)
    return _inspect(path.absolute(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _inspect(path: Path, size_bytes: int, modified_ns: int) -> Container:
    """Cached by path, size and time: the frame reader and the audio reader open the same file."""
    is_small = size_bytes <= _SMALL_FILE_BYTES
    sections = ffprobe(path, f"{_STREAMS}:packet={_PACKET_FIELDS}" if is_small else _STREAMS)
    header = next((section for section in sections if section.name == "format"), None)
    video, audio = _video(sections), _audio(sections)
    if header is None or not (video or audio):
        raise MediaError("damaged or empty: it has no video or audio stream that can be decoded")
    streams = frozenset(stream.text("index") for stream in (video, audio) if stream)
    origin = header.number("start_time") or 0.0
    end = _last_end(sections, streams) if is_small else _measured_end(path, streams, header, origin)
    if end is None or end <= origin:
        raise MediaError("damaged: no video or audio packet can be read")
    duration = end - origin
    if size_bytes < duration * _MIN_BYTES_PER_SECOND:
        raise MediaError(f"damaged: claims {duration / 3600:,.0f} hours in {size_bytes:,} bytes")
    info = MediaInfo(
        MediaKind.VIDEO if video else MediaKind.AUDIO,
        duration,
        _video_stream(video) if video else None,
        AudioStream(audio.text("codec_name"), audio.count("sample_rate"), audio.count("channels")) if audio else None,
    )
    video_index, audio_index = (stream.count("index") if stream else None for stream in (video, audio))
    described = tuple(section for section in sections if section.name != "packet")
    return Container(info, header.text("format_name"), origin, video_index, audio_index, described)


def _video(sections: list[Section]) -> Section | None:
    """The first video stream of a known codec and size that is not cover art."""
    for section in sections:
        is_cover = section.count("disposition:attached_pic")
        if section.name == "stream" and section.text("codec_type") == "video" and not is_cover and _is_known(section):
            return section
    return None


def _audio(sections: list[Section]) -> Section | None:
    """The audio stream that players choose: the one marked as default, else the first."""
    streams = [section for section in sections if section.name == "stream" and section.text("codec_type") == "audio"]
    known = [stream for stream in streams if _is_known(stream)]
    return max(known, key=lambda stream: stream.count("disposition:default"), default=None)


def _is_known(stream: Section) -> bool:
    sizes = ("width", "height") if stream.text("codec_type") == "video" else ("sample_rate", "channels")
    return stream.text("codec_name") not in ("", "unknown", "none") and all(stream.count(size) > 0 for size in sizes)


def _video_stream(stream: Section) -> VideoStream:
    width, height = stream.count("width"), stream.count("height")
    if width * height > MAX_FRAME_PIXELS:
        raise MediaError(f"video frames of {width}x{height} pixels: the limit is {MAX_FRAME_PIXELS:,}")
    turn = next((stream.number(field) for field in stream.fields if field.endswith("rotation")), None)
    if round((turn or 0.0) / 90) % 2:
        width, height = height, width
    rate = stream.ratio("avg_frame_rate") or stream.ratio("r_frame_rate")
    return VideoStream(stream.text("codec_name"), width, height, rate)


def _measured_end(path: Path, streams: frozenset[str], header: Section, origin: float) -> float | None:
    """Where the streams end, from the packets near the claimed end, else from all packets."""
    claimed = header.number("duration")
    if claimed is not None and claimed > _TAIL_SECONDS and header.text("format_name") not in _CLOCKLESS_FORMATS:
        tail = packets(path, _PACKET_FIELDS, from_seconds=origin + claimed - _TAIL_SECONDS)
        if (end := _last_end(tail, streams)) is not None:
            return end
    return _last_end(packets(path, _PACKET_FIELDS), streams)


def _last_end(sections: Iterable[Section], streams: frozenset[str]) -> float | None:
    """The latest end of a packet of these streams, in seconds on the clock of the file's timestamps."""
    of_streams = (each for each in sections if each.name == "packet" and each.text("stream_index") in streams)
    return max((end for packet in of_streams if (end := _end(packet)) is not None), default=None)


def _end(packet: Section) -> float | None:
    begin = packet.number("pts_time")
    begin = packet.number("dts_time") if begin is None else begin
    return None if begin is None else begin + (packet.number("duration_time") or 0.0)
