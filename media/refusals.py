"""What to do with a file that is not read: one line for each kind."""

from __future__ import annotations

from pathlib import Path

from pesearch.media.file_head import read_head
from pesearch.media.signatures import is_text

_PLAYLIST = "a playlist, never followed: index the files it names"
_ARCHIVE = "an archive: unpack it"
_DRAWING = "a drawing: export it as PNG"
_DOCUMENT = "a document: export its pictures, or its pages as PNG"

_REASONS: tuple[tuple[tuple[bytes, ...], str], ...] = (
    ((b"#EXTM3U", b"[playlist]", b"[Playlist]", b"ffconcat", b"v=0", b"<MPD", b"<smil", b"<asx", b"<ASX"), _PLAYLIST),
    ((b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ", b"(\xb5/\xfd", b"Rar!", b"LZIP"), _ARCHIVE),
    ((b"%!PS", b"\xc5\xd0\xd3\xc6", b"gimp xcf", b"<svg", b"id=ImageMagick"), _DRAWING),
    ((b"%PDF-", b"\xd0\xcf\x11\xe0"), _DOCUMENT),
    ((b"MThd",), "MIDI holds notes and no sound: render it to WAV"),
    ((b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe"), "not a media file: it is a program"),
    ((b"\x00\x01\x00\x00\x00", b"OTTO", b"ttcf", b"wOFF", b"wOF2"), "not a media file: it is a font"),
)

_HEADLESS_SUFFIXES = (".yuv", ".raw", ".pcm", ".rgb")
"""Samples alone: nothing in the file says their size, rate and layout."""


def refusal(path: Path) -> str:
    """Why a file whose content is of no kind that is read is not, and what to do, in one line. Errors: MediaError."""
    head = read_head(path)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for prefixes, reason in _REASONS:
        if start.startswith(prefixes) or head.startswith(prefixes):
            return reason
    if is_text(head):
        if b"<svg" in head:
            return _DRAWING
        return _PLAYLIST if b"<MPD" in head else "not a media file: it is text"
    if path.suffix.lower() in _HEADLESS_SUFFIXES:
        return "samples without a header, of unknown size and rate: convert it with FFmpeg"
    return "not a media file: its format is unknown; if a player opens it, convert it to MP4 or WAV"
