"""Clips: an interval of a media file written as a new file by FFmpeg, with its packets copied or re-encoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.media.container import Container
from pesearch.media.display import COLOUR_TAGS, VIDEO_COLOURS, even_size
from pesearch.media.excerpt_sound import direct_sound, heard_sound
from pesearch.media.ffmpeg import file_url, input_url, run_program
from pesearch.media.ffprobe import timeout_for
from pesearch.media.probe import inspect
from pesearch.media.seeking import key_frame_start, seek_options, shown_filter, shown_rate, start_for
from pesearch.temporary_folder import TemporaryFolder

_MAX_SECONDS_PER_VIDEO_SECOND = 60.0
"""Longest time to encode a second of video: 8K on two cores."""

_ENCODE = ("-c:v", "libx264", "-preset", "medium", "-crf", "18", *COLOUR_TAGS, "-c:a", "aac", "-b:a", "192k")


@dataclass(frozen=True, slots=True)
class ClipFormat:
    """How a clip is stored: file suffix, FFmpeg muxer and its output options."""

    suffix: str
    muxer: str
    options: tuple[str, ...]

    @property
    def is_copy(self) -> bool:
        """Whether packets are copied, not encoded again."""
        return self.options[: len(_COPY)] == _COPY


_COPY = ("-c", "copy", "-avoid_negative_ts", "make_zero")
_ENCODED_VIDEO = ClipFormat(".mp4", "mp4", (*_ENCODE, "-movflags", "+faststart"))
_ENCODED_AUDIO = ClipFormat(".flac", "flac", ("-c:a", "flac"))
_COPIED_ANYTHING = ClipFormat(".mkv", "matroska", _COPY)
_COPIED = {
    "mov,mp4,m4a,3gp,3g2,mj2": ClipFormat(".mp4", "mp4", (*_COPY, "-movflags", "+faststart")),
    "flac": _ENCODED_AUDIO,  # lossless anyway, and a copied header would claim the length of the original
    "apng": _ENCODED_VIDEO,
    "gif": _ENCODED_VIDEO,  # each frame is a change to the previous ones
    "mp3": ClipFormat(".mp3", "mp3", _COPY),
    "mpeg": ClipFormat(".mpg", "vob", _COPY),
    "mpegts": ClipFormat(".ts", "mpegts", _COPY),
    "ogg": ClipFormat(".ogg", "ogg", _COPY),
    "wav": ClipFormat(".wav", "wav", _COPY),
}
"""By FFmpeg's name of the source container; all others go into Matroska, which holds nearly every codec."""

_MUXER_OF_SUFFIX = {".m4a": "ipod", ".mov": "mov", ".webm": "webm"}
"""Variants of QuickTime and Matroska that have their own muxers."""


def choose_clip_format(path: Path, reencode: bool) -> ClipFormat:
    """The format for a clip of a file. Errors: MediaError when the file cannot be read; FFmpegMissing."""
    container = inspect(path)
    if reencode or (container.video_index is None and not container.can_seek_sound):
        return _ENCODED_AUDIO if container.video_index is None else _ENCODED_VIDEO
    suffix = path.suffix.lower()
    if suffix in _MUXER_OF_SUFFIX and container.format.startswith(("mov,", "matroska,")):
        return ClipFormat(suffix, _MUXER_OF_SUFFIX[suffix], _COPY)
    return _COPIED.get(container.format, _COPIED_ANYTHING)


def cut_clip(path: Path, start_seconds: float, end_seconds: float, target: Path, clip_format: ClipFormat) -> None:
    """Write an interval of a file to `target`, which is overwritten. Subtitles and chapters are dropped.

    A re-encoded clip is exact to a frame. A copied one starts at the last key frame at or before the start.
    Errors: MediaError when the file cannot be read, cut there or stored in that format; FFmpegMissing.
    """
    container = inspect(path)
    end = min(end_seconds, container.info.duration_seconds)
    with TemporaryFolder() as scratch:
        if clip_format.is_copy:
            begin = key_frame_start(path, container, start_seconds)
            options: list[str | bytes] = [*seek_options(begin), *container.input_options, "-i", input_url(path)]
            options += _stream_options(container)
        else:
            begin = start_seconds
            options = _decoding_options(path, container, begin, end, Path(scratch) / "sound.wav")
        length = max(end - begin, 0.0)
        done = run_program(
            "ffmpeg", "-v", "error", "-nostdin", "-y", *options, "-t", f"{length:.6f}",
            "-map_chapters", "-1", *clip_format.options, "-f", clip_format.muxer, file_url(target),
            timeout_seconds=timeout_for(path) + length * _MAX_SECONDS_PER_VIDEO_SECOND,
        )  # fmt: skip
    if done.returncode or not target.stat().st_size:
        raise MediaError(f"cannot be cut: {_last_line(done.stderr)}")


def _decoding_options(path: Path, container: Container, begin: float, end: float, scratch: Path) -> list[str | bytes]:
    """FFmpeg's options to decode exactly an interval."""
    start, display = start_for(path, container, begin), container.display
    is_direct = container.can_seek_sound or container.sound is None
    sound = direct_sound(container, start) if is_direct else heard_sound(path, begin, end, scratch)
    options: list[str | bytes] = [*start.input_options(container, path), *sound.input_options]
    if display is not None:
        size = even_size(display.width, display.height)
        shown = f"{shown_filter(start, shown_rate(container))},{display.filters(*size)},{VIDEO_COLOURS}"
        options += ["-map", f"0:{container.video_index}", "-vf", shown]
    return [*options, *sound.output_options]


def _stream_options(container: Container) -> list[str]:
    """Selects the streams that are indexed, and no others."""
    sound = () if container.sound is None else container.sound.streams
    indexes = (container.video_index, *sound)
    return [word for index in indexes if index is not None for word in ("-map", f"0:{index}")]


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "FFmpeg gives no reason")
