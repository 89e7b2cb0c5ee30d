"""Probing: kind, duration and streams of a media file through ffprobe, without decoding.

Headers are unreliable: an interrupted download claims its full length, some formats state none, cover art is stored as
a video stream. `inspect` measures the streams from their packets, and finds where the file's clock starts.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from pesearch.audio_track import AudioTrack
from pesearch.errors import MediaError
from pesearch.media.appended import appended_remarks, has_wrapped_size
from pesearch.media.audio_choice import AudioChoice, choose_audio
from pesearch.media.container import Container
from pesearch.media.decoded_audio import is_digital_silence
from pesearch.media.display import Display, display_of
from pesearch.media.extent import PACKET_FIELDS, RESTARTING_FORMATS, measure_extent
from pesearch.media.ffprobe import MAX_SECTIONS, Section, TooManySections, ffprobe
from pesearch.media.file_head import file_status, raise_unreadable
from pesearch.media.missing_decoders import has_decoder, missing_decoder, unread_pictures
from pesearch.media.mp4_index import INDEX_BUDGET, claimed_index_bytes
from pesearch.media.probe_cache import ProbeCache
from pesearch.media.refusals import refusal
from pesearch.media.sniff import sniff
from pesearch.types import AudioStream, MediaInfo, MediaKind, Remark, VideoStream

MAX_FRAME_PIXELS = 12_288 * 8192
"""A larger video frame means a damaged header (12K cameras record 12288x6480): a decoder would allocate gigabytes."""

_NO_STREAM = "damaged or empty: it has no video or audio stream that can be decoded"

_SMALL_FILE_BYTES = 8 << 20
"""Up to this size, reading all packets is cheaper than starting ffprobe a second time."""

_KEPT_CONTAINERS = 512
"""Files whose probe is kept for the readers, so that a run over fewer new files starts ffprobe once for each."""

_KEPT_BYTES = 32 << 20
"""Of all that these files say about themselves. One takes about 2 KB, but a file may have 32 MB of tags."""

_DEFAULT_PROBE_BYTES = 5_000_000
"""What FFmpeg reads to find the streams of a file."""

_PROBE_FURTHER = ("-probesize", "100M", "-analyzeduration", "200M")
"""100 MB or 200 s: broadcasts and DVDs whose sound begins after a silent title. FFmpeg holds these bytes in memory."""

_IGNORE_SIZE = ("-ignore_length", "1")
"""Read a WAV file to its end, whatever size its header states."""

_STREAMS = (
    "format=format_name,start_time,duration:stream=index,codec_type,codec_name,codec_tag_string,width,height,"
    "avg_frame_rate,r_frame_rate,sample_aspect_ratio,color_transfer,nb_frames,sample_rate,channels,channel_layout,duration"
    ":stream_disposition:stream_side_data=rotation,displaymatrix"
    ":format_tags:stream_tags:chapter=start_time,end_time:chapter_tags=title"
)

_STILL_CODECS = frozenset({"mjpeg", "png", "bmp", "tiff", "webp", "gif"})
"""Codecs of pictures: beside a film they hold its poster, although some films are stored as such pictures too."""


def probe(path: Path, track: AudioTrack | None = None, kind: MediaKind | None = None) -> MediaInfo:
    """Kind, duration and streams of a file; `kind` is what `sniff` just said, if it was asked.

    Errors: MediaError with a short reason; FFmpegMissing.
    """
    if (kind or sniff(path)) is MediaKind.IMAGE:
        from pesearch.media.image import image_size  # imports Pillow

        codec, width, height = image_size(path)
        return MediaInfo(MediaKind.IMAGE, 0.0, VideoStream(codec, width, height, 0.0), None)
    return inspect(path, track).info


def inspect(path: Path, track: AudioTrack | None = None) -> Container:
    """The decodable streams of a video or audio file, and its clock. `track` is the audio stream that the user wants.

    Errors: MediaError; FFmpegMissing.
    """
    status = file_status(path)
    key = (path.absolute(), status.st_size, status.st_mtime_ns, track)

    def inspected() -> Container:
        if sniff(path) is None:
            raise MediaError(refusal(path))
        with INDEX_BUDGET.hold(claimed_index_bytes(path)):
            return _inspect(*key)

    try:
        return containers.get(key, inspected)
    except OSError as error:  # a read failed
        raise_unreadable(error)


def _size_of(container: Container) -> int:
    """The bytes of what a container says about itself, about."""
    return sum(len(name) + len(text) for each in container.sections for name, text in each.fields.items())


containers = ProbeCache(_KEPT_CONTAINERS, _KEPT_BYTES, _size_of)
"""By path, size, time and track: the survey, the frame reader and the audio reader open the same file."""


def _inspect(path: Path, size_bytes: int, modified_ns: int, track: AudioTrack | None) -> Container:
    sections, options = _sections(path, size_bytes, modified_ns)
    header = next((section for section in sections if section.name == "format"), None)
    if header is None:
        raise MediaError(_NO_STREAM)
    video, audio = _video(sections), _audio(path, sections, header.text("format_name"), options, track)
    if not (video or audio):
        raise MediaError(missing_decoder(sections) or _NO_STREAM)
    found = [stream for stream in (video, audio.stream if audio else None) if stream]
    streams = frozenset(stream.text("index") for stream in found)
    extent = measure_extent(path, size_bytes, sections, header, streams, options)
    display = display_of(video) if video else None
    info = MediaInfo(
        MediaKind.VIDEO if video else MediaKind.AUDIO,
        extent.duration_seconds,
        _video_stream(video, display) if video and display else None,
        _audio_stream(audio.stream) if audio else None,
    )
    described = tuple(section for section in sections if section.name != "packet")
    return Container(
        info=info,
        format=header.text("format_name"),
        origin_seconds=extent.origin_seconds,
        video_index=video.count("index") if video else None,
        audio_index=audio.stream.count("index") if audio else None,
        sections=described,
        display=display,
        remarks=(
            *appended_remarks(
                path,
                header.text("format_name"),
                streams=sum(each.name == "stream" for each in sections),
                read=max(map(len, extent.clock.runs.values())) if extent.clock else 1,
            ),
            *(extent.clock.remarks if extent.clock else ()),
            *(_video_remarks(sections, video) if video else unread_pictures(sections)),
            *(audio.remarks if audio else ()),
        ),
        sound=audio.sound if audio else None,
        input_options=options,
        clock=extent.clock,
    )


@lru_cache(maxsize=2)
def _sections(path: Path, size_bytes: int, modified_ns: int) -> tuple[list[Section], tuple[str, ...]]:
    """ffprobe's output, and the input options with which the streams of the file were found.

    Cached, as pictures are asked for without the audio track that the user wants. Few, as they hold packets.
    """
    options = _IGNORE_SIZE if has_wrapped_size(path) else ()
    sections = _described(path, size_bytes, options)
    if size_bytes > _DEFAULT_PROBE_BYTES and _may_begin_later(sections):
        options = (*options, *_PROBE_FURTHER)
        sections = _described(path, size_bytes, options)
    return sections, options


def _described(path: Path, size_bytes: int, options: tuple[str, ...]) -> list[Section]:
    """The streams of a file, and the packets of a small one unless they are many: a megabyte may hold a million."""
    if size_bytes <= _SMALL_FILE_BYTES:
        with suppress(TooManySections):
            return ffprobe(path, f"{_STREAMS}:packet={PACKET_FIELDS}", options)
    try:
        return ffprobe(path, _STREAMS, options)
    except TooManySections as error:
        raise MediaError(f"damaged: it claims more than {MAX_SECTIONS:,} streams and chapters") from error


def _may_begin_later(sections: list[Section]) -> bool:
    """Whether pictures or sound are missing or not described, in a format whose streams may begin at any time."""
    formats = {section.text("format_name") for section in sections if section.name == "format"}
    streams = [section for section in sections if section.name == "stream"]
    kinds = {kind: [each for each in streams if each.text("codec_type") == kind] for kind in ("video", "audio")}
    return formats <= RESTARTING_FORMATS and any(not each or not all(map(_is_known, each)) for each in kinds.values())


def _video(sections: list[Section]) -> Section | None:
    """The stream to show: of the video streams of a known codec and size that are not cover art, the first one marked
    as default, else the first. Streams of one picture, or of a codec for stills, come last."""
    films = _films(sections)
    return max(films, key=lambda each: (not _is_still(each), each.count("disposition:default")), default=None)


def _films(sections: list[Section]) -> list[Section]:
    found = (section for section in sections if section.name == "stream" and section.text("codec_type") == "video")
    streams = {stream.text("index"): stream for stream in found}  # ffprobe lists those of a program twice
    return [each for each in streams.values() if not each.count("disposition:attached_pic") and _is_known(each)]


def _is_still(stream: Section) -> bool:
    return stream.count("nb_frames") == 1 or stream.text("codec_name") in _STILL_CODECS


def _video_remarks(sections: list[Section], chosen: Section | None) -> tuple[Remark, ...]:
    others = [stream for stream in _films(sections) if stream is not chosen and not _is_still(stream)]
    if not others:
        return ()
    streams = "1 other video stream" if len(others) == 1 else f"{len(others)} other video streams"
    return (Remark(f"{streams} of the file: only the main one is searched"),)


def _audio(
    path: Path, sections: list[Section], format_name: str, options: tuple[str, ...], track: AudioTrack | None
) -> AudioChoice | None:
    """The audio streams that are heard; None if none can be decoded."""
    found = (section for section in sections if section.name == "stream" and section.text("codec_type") == "audio")
    streams = {stream.text("index"): stream for stream in found}  # ffprobe lists those of a program twice
    known = [stream for stream in streams.values() if _is_known(stream)]

    def is_silent(stream: Section) -> bool:
        return is_digital_silence(path, stream.count("index"), options)

    return choose_audio(known, format_name, track, is_silent)


def _audio_stream(stream: Section) -> AudioStream:
    return AudioStream(stream.text("codec_name"), stream.count("sample_rate"), stream.count("channels"))


def _is_known(stream: Section) -> bool:
    sizes = ("width", "height") if stream.text("codec_type") == "video" else ("sample_rate", "channels")
    return all(stream.count(size) > 0 for size in sizes) and has_decoder(stream)


def _video_stream(stream: Section, display: Display) -> VideoStream:
    width, height = stream.count("width"), stream.count("height")
    if width * height > MAX_FRAME_PIXELS:
        raise MediaError(f"video frames of {width}x{height} pixels: the limit is {MAX_FRAME_PIXELS:,}")
    rate = stream.ratio("avg_frame_rate") or stream.ratio("r_frame_rate")
    return VideoStream(stream.text("codec_name"), display.width, display.height, rate)
