"""Formats that Chromium, Firefox and Safari all play, detected by a file's first bytes and never by its name.

https://developer.mozilla.org/docs/Web/Media/Guides/Formats
"""

from __future__ import annotations

from pesearch.errors import MediaError
from pesearch.media.verified_file import OpenFile, open_indexed
from pesearch.types import MediaFile, MediaKind

UNKNOWN_TYPE = "application/octet-stream"

_HEAD_BYTES = 64
"""Enough for the signatures of containers, and for the document type of Matroska."""

_PCM = frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"})

_PLAYABLE_CODECS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "mp4": (frozenset({"h264", "av1", "vp9"}), frozenset({"aac", "mp3", "opus", "flac"})),
    "quicktime": (frozenset({"h264"}), frozenset({"aac", "mp3"})),
    "webm": (frozenset({"vp8", "vp9", "av1"}), frozenset({"opus", "vorbis"})),
    "ogg": (frozenset(), frozenset({"opus", "vorbis", "flac"})),
    "mpeg": (frozenset(), frozenset({"mp3"})),
    "aac": (frozenset(), frozenset({"aac"})),
    "flac": (frozenset(), frozenset({"flac"})),
    "wav": (frozenset(), _PCM),
}
"""The video codecs and the audio codecs that are played, by container."""

_IMAGE_FORMATS = frozenset({"png", "jpeg", "gif", "webp", "bmp", "avif"})

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"ID3", "mpeg"),
    (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
)

_IMAGE_BRANDS = {b"avif": "avif", b"avis": "avif"}


def content_type(file: MediaFile, opened: OpenFile) -> str:
    """The Content-Type of a file that is open: an audio, video or image type, or UNKNOWN_TYPE, so that a browser never
    runs the file as a page.
    """
    container = _container(opened)
    if container in _IMAGE_FORMATS:
        return f"image/{container}"
    if container is None or file.info.kind is MediaKind.IMAGE:
        return UNKNOWN_TYPE
    media = "video" if file.info.video else "audio"
    return f"{media}/mp4" if container == "quicktime" else f"{media}/{container}"


def browser_can_play(file: MediaFile) -> bool:
    """Whether a browser can play or show the file itself; False when it is offline or has changed. Reads its first
    bytes.

    Details that are not checked here, like 10-bit video, make the browser's player fail; it then falls back to the
    proxy as well.
    """
    try:
        with open_indexed(file) as opened:
            container = _container(opened)
    except MediaError:
        return False
    if file.info.kind is MediaKind.IMAGE:
        return container in _IMAGE_FORMATS
    video_codecs, audio_codecs = _PLAYABLE_CODECS.get(container or "", (frozenset(), frozenset()))
    video, audio = file.info.video, file.info.audio
    return (video is None or video.codec in video_codecs) and (audio is None or audio.codec in audio_codecs)


def _container(opened: OpenFile) -> str | None:
    """The container as the second half of a media type; None when there is no such type."""
    head = opened.read_at(0, _HEAD_BYTES)
    if head[4:8] == b"ftyp":
        return _IMAGE_BRANDS.get(head[8:12], "quicktime" if head[8:12] == b"qt  " else "mp4")
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free"):
        return "quicktime"  # QuickTime files from before the ftyp box existed
    if head[:4] == b"\x1aE\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "x-matroska"
    if head[:4] == b"RIFF":
        return {b"WAVE": "wav", b"WEBP": "webp", b"AVI ": "x-msvideo"}.get(head[8:12])
    if container := next((name for signature, name in _SIGNATURES if head.startswith(signature)), None):
        return container
    return _elementary_stream(head)


def _elementary_stream(head: bytes) -> str | None:
    """MPEG audio and AAC (ADTS) without a container start with 11 set bits; the layer bits of AAC are 0."""
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    return "aac" if head[1] & 0xF6 == 0xF0 else "mpeg"
