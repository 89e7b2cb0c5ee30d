"""Format detection by the first bytes of a file, never by its name.

A container's signature does not say which streams it holds (an .mp4 may be audio only): `sniff` is cheap enough for
every file of a folder and gives the usual kind; `probe` opens the file and decides.
"""

from __future__ import annotations

from pathlib import Path

from pesearch.media.file_head import read_head
from pesearch.types import MediaKind

_PREFIXES: tuple[tuple[bytes, MediaKind], ...] = (
    (b"\x1aE\xdf\xa3", MediaKind.VIDEO),  # Matroska, WebM
    (b"FLV\x01", MediaKind.VIDEO),
    (b"0&\xb2u\x8ef\xcf\x11", MediaKind.VIDEO),  # ASF: wmv, wma
    (b"\x00\x00\x01\xba", MediaKind.VIDEO),  # MPEG program stream
    (b"\x00\x00\x01\xb3", MediaKind.VIDEO),  # MPEG-1/2 elementary stream
    (b"\x06\x0e+4\x02\x05\x01\x01", MediaKind.VIDEO),  # MXF
    (b".RMF", MediaKind.VIDEO),
    (b"DKIF", MediaKind.VIDEO),  # IVF
    (b"ID3", MediaKind.AUDIO),
    (b"fLaC", MediaKind.AUDIO),
    (b"MAC ", MediaKind.AUDIO),
    (b"wvpk", MediaKind.AUDIO),
    (b"TTA1", MediaKind.AUDIO),
    (b"DSD ", MediaKind.AUDIO),
    (b"caff", MediaKind.AUDIO),
    (b"#!AMR", MediaKind.AUDIO),
    (b".snd", MediaKind.AUDIO),
    (b"\x0bw", MediaKind.AUDIO),  # AC-3
    (b"\x7f\xfe\x80\x01", MediaKind.AUDIO),  # DTS
    (b"\x89PNG\r\n\x1a\n", MediaKind.IMAGE),
    (b"\xff\xd8\xff", MediaKind.IMAGE),  # JPEG
    (b"II*\x00", MediaKind.IMAGE),  # TIFF
    (b"MM\x00*", MediaKind.IMAGE),
)

_RIFF_FORMS = {b"AVI ": MediaKind.VIDEO, b"WAVE": MediaKind.AUDIO, b"WEBP": MediaKind.IMAGE}

_QUICKTIME_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A "})
_IMAGE_BRANDS = frozenset({b"avif", b"avis", b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})

_MEDIA_SUFFIXES = {
    MediaKind.VIDEO: "3g2 3gp asf avi divx dv f4v flv ivf m2t m2ts m2v m4v mkv mov mp4 mpeg mpg mts mxf ogm ogv rm "
    "rmvb vob webm wmv",
    MediaKind.AUDIO: "aac ac3 aif aifc aiff amr ape caf flac m4a m4b mka mp2 mp3 oga ogg opus tta wav wma wv",
    MediaKind.IMAGE: "avif bmp gif heic heif jfif jpeg jpg png tif tiff webp",
}
"""Suffixes of media files. `.ts` is missing on purpose: most such files are TypeScript."""


def sniff(path: Path) -> MediaKind | None:
    """The most likely kind of a file by its content; None for formats that are not media.

    Errors: MediaError when the file is empty, unreadable, missing, or not a regular file.
    """
    head = read_head(path)
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _kind_of_gif(path)
    for prefix, kind in _PREFIXES:
        if head.startswith(prefix):
            return kind
    if head[:4] in (b"RIFF", b"RF64"):
        return _RIFF_FORMS.get(head[8:12])
    if head[:4] == b"FORM":
        return MediaKind.AUDIO if head[8:12] in (b"AIFF", b"AIFC") else None
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return MediaKind.IMAGE
    if head[4:8] in _QUICKTIME_BOXES:
        return _kind_of_brand(head)
    if head[:4] == b"OggS":
        return MediaKind.VIDEO if b"theora" in head[:256] else MediaKind.AUDIO
    if _is_transport_stream(head):
        return MediaKind.VIDEO
    return MediaKind.AUDIO if _is_mpeg_audio(head) else None


def is_mpeg_stream(path: Path) -> bool:
    """Whether it is an MPEG program or transport stream, which has no index: a seek is inexact. Errors: those of
    `sniff`."""
    head = read_head(path)
    return head.startswith(b"\x00\x00\x01\xba") or _is_transport_stream(head)


def has_media_name(path: Path) -> bool:
    """Whether the suffix is one of a media file; such files are reported when their content is not media."""
    suffix = path.suffix.lower().removeprefix(".")
    return any(suffix in suffixes.split(" ") for suffixes in _MEDIA_SUFFIXES.values())


def _kind_of_brand(head: bytes) -> MediaKind:
    if head[4:8] != b"ftyp":
        return MediaKind.VIDEO
    brand = head[8:12]
    if brand in _IMAGE_BRANDS:
        return MediaKind.IMAGE
    return MediaKind.AUDIO if brand in _AUDIO_BRANDS else MediaKind.VIDEO


def _kind_of_gif(path: Path) -> MediaKind:
    from pesearch.media.image import is_animated

    return MediaKind.VIDEO if is_animated(path) else MediaKind.IMAGE


def _is_transport_stream(head: bytes) -> bool:
    """Sync byte 0x47 at each packet of 188 bytes, or of 192 with the 4-byte timecode of Blu-ray and AVCHD."""
    starts = (range(0, 188 * 4, 188), range(4, 192 * 4, 192))
    return any(len(head) > at[-1] and all(head[place] == 0x47 for place in at) for at in starts)


def _is_mpeg_audio(head: bytes) -> bool:
    """A frame header of MPEG audio or ADTS: 11 sync bits, then no reserved layer, bit rate or sample rate."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    if head[1] & 0xF6 == 0xF0:  # ADTS: layer 0, sampling index below 13
        return (head[2] >> 2) & 0x0F < 13
    layer, bit_rate, sample_rate = (head[1] >> 1) & 3, head[2] >> 4, (head[2] >> 2) & 3
    version = (head[1] >> 3) & 3
    return version != 1 and layer != 0 and bit_rate not in (0, 15) and sample_rate != 3
