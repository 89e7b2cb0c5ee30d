"""Signatures of media formats and of formats that are not media: what the first bytes of a file tell."""

from __future__ import annotations

import codecs
import unicodedata

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
    (b"YUV4MPEG2 ", MediaKind.VIDEO),
    (b"nut/multimedia container\x00", MediaKind.VIDEO),
    (b"\xb7\xd8\x00 7I\xda\x11\xa6N\x00\x07\xe9^\xad\x8d", MediaKind.VIDEO),  # WTV
    (b"\x00\x00\x00\x00\x01\xbc\x00\x00\x00\x00\xe1\xe2", MediaKind.VIDEO),  # GXF
    (b"ID3", MediaKind.AUDIO),
    (b"fLaC", MediaKind.AUDIO),
    (b"MAC ", MediaKind.AUDIO),
    (b"wvpk", MediaKind.AUDIO),
    (b"TTA1", MediaKind.AUDIO),
    (b"tBaK", MediaKind.AUDIO),
    (b"DSD ", MediaKind.AUDIO),
    (b"caff", MediaKind.AUDIO),
    (b"#!AMR", MediaKind.AUDIO),
    (b".snd", MediaKind.AUDIO),
    (b"\x0bw", MediaKind.AUDIO),  # AC-3
    (b"\x7f\xfe\x80\x01", MediaKind.AUDIO),  # DTS
    (b"riff.\x91\xcf\x11\xa5\xd6(\xdb\x04\xc1\x00\x00", MediaKind.AUDIO),  # Wave64
    (b"Creative Voice File\x1a", MediaKind.AUDIO),
    (b"\x89PNG\r\n\x1a\n", MediaKind.IMAGE),
    (b"\xff\xd8\xff", MediaKind.IMAGE),  # JPEG
    (b"II*\x00", MediaKind.IMAGE),  # TIFF
    (b"MM\x00*", MediaKind.IMAGE),
    (b"II+\x00\x08\x00\x00\x00", MediaKind.IMAGE),  # BigTIFF
    (b"MM\x00+\x00\x08\x00\x00", MediaKind.IMAGE),
    (b"8BPS\x00", MediaKind.IMAGE),  # Photoshop
    (b"qoif", MediaKind.IMAGE),
    (b"SIMPLE  = ", MediaKind.IMAGE),  # FITS
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", MediaKind.IMAGE),  # JPEG 2000
    (b"\xff\x4f\xff\x51\x00", MediaKind.IMAGE),  # its codestream
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", MediaKind.IMAGE),  # JPEG XL
    (b"v/1\x01", MediaKind.IMAGE),  # OpenEXR
    (b"SDPX\x00", MediaKind.IMAGE),  # DPX
    (b"XPDS", MediaKind.IMAGE),
    (b"DDS \x7c\x00\x00\x00", MediaKind.IMAGE),
)

CAMERA_RAW_PREFIXES = (
    b"IIRO",
    b"IIRS",
    b"MMOR",
    b"IIU\x00\x18",
    b"IIU\x00\x08",
    b"FUJIFILMCCD-RAW ",
    b"FOVb",
    b"\x00MRM",
)
"""Raw files of cameras whose first bytes are not those of TIFF: ORF, RW2, RAF, X3F, MRW."""

_RIFF_NAMES = (b"RIFF", b"RF64", b"BW64")
_RIFF_FORMS = {
    b"AVI ": MediaKind.VIDEO, b"AMV ": MediaKind.VIDEO, b"CDXA": MediaKind.VIDEO, b"WAVE": MediaKind.AUDIO,
    b"WEBP": MediaKind.IMAGE,
}  # fmt: skip

_QUICKTIME_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"aax "})
HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"mif2", b"msf1"})
"""Brands of HEIF. The generic ones (`mif1`, `msf1`) stand for AVIF too, which then is a compatible brand."""
_IMAGE_BRANDS = HEIF_BRANDS | {b"avif", b"avis", b"crx "}

_NOT_MEDIA = (
    b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf\x27\x1c", b"\xfd7zXZ\x00", b"(\xb5/\xfd",
    b"Rar!\x1a", b"LZIP", b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf",
    b"\x00asm", b"%PDF-", b"%!PS", b"\xc5\xd0\xd3\xc6", b"\x00\x01\x00\x00\x00", b"OTTO", b"ttcf", b"true", b"wOFF",
    b"wOF2", b"SQLite format 3\x00", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x89HDF\r\n\x1a\n", b"gimp xcf", b"MThd",
    b"\x93NUMPY",
)  # fmt: skip
"""Archives, programs, documents, fonts, databases, drawings: never handed to FFmpeg, whatever their name."""

_CONTROL = bytes(sorted({*range(32), 127} - {*b"\t\n\f\r\x1b"}))
"""Control characters that do not occur in text."""

_BYTE_ORDER_MARKS = (  # that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip

_NOT_TEXT = ("Cc", "Cn", "Co", "Cs")
"""Unicode's categories of control, unassigned and private characters and of surrogates."""

_TEXTUAL_HEADS = (b"YUV4MPEG2 ", b"#!AMR", b"SIMPLE  = ")
"""Formats with a header of text, after which a long stretch may hold no control character."""

_PACKET_SIZES = (188, 192, 204)
"""Bytes of a packet of a transport stream: plain, with the timecode of Blu-ray and AVCHD, with error correction."""

_MIN_PACKETS = 4
"""Sync bytes that must follow each other."""


def kind_of_head(head: bytes) -> MediaKind | None:
    """The usual kind of a format by the first bytes of a file; None if they are not a known signature, or are text."""
    if is_text(head) and not head.startswith(_TEXTUAL_HEADS):
        return None
    for prefix, kind in _PREFIXES:
        if head.startswith(prefix):
            return kind
    if head.startswith((b"GIF87a", b"GIF89a", *CAMERA_RAW_PREFIXES)) or (
        head[:2] == b"BM" and head[6:10] == b"\0\0\0\0"
    ):
        return MediaKind.IMAGE
    if head[:4] in _RIFF_NAMES:
        return _RIFF_FORMS.get(head[8:12])
    if head[:4] == b"FORM":
        return MediaKind.AUDIO if head[8:12] in (b"AIFF", b"AIFC") else None
    if head[4:8] in _QUICKTIME_BOXES:
        return _kind_of_brand(head)
    if head[:4] == b"OggS":
        return MediaKind.VIDEO if b"theora" in head[:256] else MediaKind.AUDIO
    if head[:2] == b"\xff\x0a":
        return MediaKind.IMAGE  # codestream of JPEG XL
    if is_transport_stream(head):
        return MediaKind.VIDEO
    return MediaKind.AUDIO if _is_mpeg_audio(head) else None


def is_other_format(head: bytes) -> bool:
    """Whether these are the first bytes of text (programs, playlists, subtitles) or of a format that is not media."""
    return head.startswith(_NOT_MEDIA) or head[257:262] == b"ustar" or is_text(head)


def is_text(head: bytes) -> bool:
    """Whether these bytes are text: UTF-16 or UTF-32 with a byte order mark, or 8 bits without control characters."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return _is_readable(head, encoding)
    return head.translate(None, _CONTROL) == head


def _is_readable(head: bytes, encoding: str) -> bool:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return all(unicodedata.category(each) not in _NOT_TEXT or each.isspace() for each in text)


def is_transport_stream(head: bytes) -> bool:
    """Whether sync bytes (0x47) follow each other at the distance of a packet, to the end of these bytes.

    The first packet may be incomplete: a recording often begins within one.
    """
    for size in _PACKET_SIZES:
        for start in range(min(size, len(head))):
            syncs = head[start::size]
            if len(syncs) >= _MIN_PACKETS and syncs.count(0x47) == len(syncs):
                return True
    return False


def _kind_of_brand(head: bytes) -> MediaKind:
    if head[4:8] != b"ftyp":
        return MediaKind.VIDEO
    brand = head[8:12]
    if brand in _IMAGE_BRANDS:
        return MediaKind.IMAGE
    return MediaKind.AUDIO if brand in _AUDIO_BRANDS else MediaKind.VIDEO


def _is_mpeg_audio(head: bytes) -> bool:
    """A frame header of MPEG audio or ADTS: 11 sync bits, then no reserved layer, bit rate or sample rate."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    if head[1] & 0xF6 == 0xF0:  # ADTS: layer 0, sampling index below 13
        return (head[2] >> 2) & 0x0F < 13
    layer, bit_rate, sample_rate = (head[1] >> 1) & 3, head[2] >> 4, (head[2] >> 2) & 3
    version = (head[1] >> 3) & 3
    return version != 1 and layer != 0 and bit_rate not in (0, 15) and sample_rate != 3
