"""What browsers play by themselves: the formats that Chromium and Firefox and Safari have in common.

By what is in a file, not by its name. https://developer.mozilla.org/docs/Web/Media/Guides/Formats
"""

from __future__ import annotations

from pesearch.errors import MediaError
from pesearch.media.file_head import read_head
from pesearch.types import MediaFile, MediaKind

UNKNOWN = "application/octet-stream"

_PCM = frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"})

_PLAYED: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "mp4": (frozenset({"h264", "av1", "vp9"}), frozenset({"aac", "mp3", "opus", "flac"})),
    "quicktime": (frozenset({"h264"}), frozenset({"aac", "mp3"})),
    "webm": (frozenset({"vp8", "vp9", "av1"}), frozenset({"opus", "vorbis"})),
    "ogg": (frozenset(), frozenset({"opus", "vorbis", "flac"})),
    "mpeg": (frozenset(), frozenset({"mp3"})),
    "aac": (frozenset(), frozenset({"aac"})),
    "flac": (frozenset(), frozenset({"flac"})),
    "wav": (frozenset(), _PCM),
}
"""For each container the codecs of pictures and of sound that are played."""

_SHOWN = frozenset({"png", "jpeg", "gif", "webp", "bmp", "avif"})

_HEADS: tuple[tuple[bytes, str], ...] = (
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"ID3", "mpeg"),
    (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
)

_IMAGE_BRANDS = {b"avif": "avif", b"avis": "avif"}


def content_type(file: MediaFile) -> str:
    """The type to tell a browser: one of media, or UNKNOWN, never one whose content it would run as a page.

    Errors: MediaError when the file is away.
    """
    container = _container(file)
    if container in _SHOWN:
        return f"image/{container}"
    if container is None or file.info.kind is MediaKind.IMAGE:
        return UNKNOWN
    sort = "video" if file.info.video else "audio"
    return f"{sort}/mp4" if container == "quicktime" else f"{sort}/{container}"


def browser_can_play(file: MediaFile) -> bool:
    """Whether a browser plays, or shows, the file as it is; False too while it is away. It reads the file's beginning.

    What this cannot see, like 10 bits a colour, makes the player say that it cannot: the proxy serves then as well.
    """
    try:
        container = _container(file)
    except MediaError:
        return False
    if file.info.kind is MediaKind.IMAGE:
        return container in _SHOWN
    pictures, sounds = _PLAYED.get(container or "", (frozenset(), frozenset()))
    video, audio = file.info.video, file.info.audio
    return (video is None or video.codec in pictures) and (audio is None or audio.codec in sounds)


def _container(file: MediaFile) -> str | None:
    """What kind of file it is by its first bytes; None when browsers have no word for it."""
    head = read_head(file.path)
    if head[4:8] == b"ftyp":
        return _IMAGE_BRANDS.get(head[8:12], "quicktime" if head[8:12] == b"qt  " else "mp4")
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free"):
        return "quicktime"  # as it was before files had to say what they are
    if head[:4] == b"\x1aE\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "x-matroska"
    if head[:4] == b"RIFF":
        return {b"WAVE": "wav", b"WEBP": "webp", b"AVI ": "x-msvideo"}.get(head[8:12])
    if found := next((name for start, name in _HEADS if head.startswith(start)), None):
        return found
    return _bare_sound(head)


def _bare_sound(head: bytes) -> str | None:
    """MPEG audio and AAC without a container begin with 11 set bits; AAC says that it is of no layer."""
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    return "aac" if head[1] & 0xF6 == 0xF0 else "mpeg"
