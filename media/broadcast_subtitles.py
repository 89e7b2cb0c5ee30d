"""Subtitles of broadcasters: EBU STL (binary), and closed captions in Scenarist's SCC."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import input_url, run_program
from pesearch.media.subtitle_times import Entry

_HEADER_BYTES = 1024
_BLOCK_BYTES = 128
_TEXT = slice(16, 128)
_LINE_BREAK, _UNUSED = 0x8A, 0x8F
_LAST_EXTENSION = 0xFF
_COMMENT = 0xFE
"""Extension numbers from here to before 0xFF are user data (EBU Tech 3264, section 4.2)."""

_ENCODING_OF_TABLE = {b"01": "iso8859-5", b"02": "iso8859-6", b"03": "iso8859-7", b"04": "iso8859-8"}
"""Character code tables but 00, which is ISO 6937."""

_COMBINING = (0x300, 0x301, 0x302, 0x303, 0x304, 0x306, 0x307, 0x308, 0x308, 0x30A, 0x327, 0x332, 0x30B, 0x328, 0x30C)
_ACCENTS = dict(zip(range(0xC1, 0xD0), map(chr, _COMBINING), strict=True))
"""ISO 6937: a byte for the accent, then the letter."""

_LETTERS = dict(
    zip(
        (*range(0xA1, 0xB0), *range(0xB0, 0xC0), *range(0xE0, 0xE5), *range(0xE6, 0xFF)),
        "¡¢£$¥#§¤‘“«←↑→↓°±²³×µ¶·÷’”»¼½¾¿ΩÆÐªĦĲĿŁØŒºÞŦŊŉĸæđðħıĳŀłøœßþŧŋ",
        strict=True,
    )
)


def is_ebu_stl(content: bytes) -> bool:
    """Whether it begins with the header of EBU STL ("850STL25.01": code page, frame rate)."""
    return content[3:6] == b"STL" and content[6:8].isdigit() and content[8:11] == b".01"


def read_ebu_stl(content: bytes) -> Iterator[Entry]:
    """The subtitles of an EBU STL file (EBU Tech 3264), with times as in the file: programmes often start at 10:00:00.

    Comments and user data are left out.
    """
    frames_per_second = int(content[6:8])
    table = content[12:14]
    text: list[bytes] = []
    for first in range(_HEADER_BYTES, len(content) - _BLOCK_BYTES + 1, _BLOCK_BYTES):
        block = content[first : first + _BLOCK_BYTES]
        extension, is_comment = block[3], block[15] == 1
        if _COMMENT <= extension < _LAST_EXTENSION or is_comment:
            continue
        text.append(block[_TEXT].split(bytes([_UNUSED]))[0])
        if extension == _LAST_EXTENSION:
            yield (
                _timecode(block[5:9], frames_per_second),
                _timecode(block[9:13], frames_per_second),
                _decoded(b"".join(text), table),
            )
            text = []


def read_scc(path: Path) -> str:
    """A file of SCC as (Advanced) SubStation Alpha. Errors: MediaError; FFmpegMissing."""
    done = run_program("ffmpeg", "-v", "quiet", "-nostdin", "-f", "scc", "-i", input_url(path), "-f", "ass", "-")
    if not done.stdout:
        raise MediaError("damaged: FFmpeg cannot read it as SCC")
    return done.stdout.decode(errors="replace")


def _timecode(four: bytes, frames_per_second: int) -> float:
    hours, minutes, seconds, frames = four
    return hours * 3600 + minutes * 60 + seconds + frames / max(1, frames_per_second)


def _decoded(content: bytes, table: bytes) -> str:
    """Text without the codes of teletext (colours, boxes), with line breaks."""
    lines = content.split(bytes([_LINE_BREAK]))
    plain = [bytes(byte if not (byte < 0x20 or 0x80 <= byte < 0xA0) else 0x20 for byte in line) for line in lines]
    encoding = _ENCODING_OF_TABLE.get(table)
    return "\n".join(line.decode(encoding, "replace") if encoding else _iso_6937(line) for line in plain)


def _iso_6937(line: bytes) -> str:
    letters: list[str] = []
    accent = ""
    for byte in line:
        if byte in _ACCENTS:
            accent = _ACCENTS[byte]
            continue
        letters.append((chr(byte) if byte < 0x80 else _LETTERS.get(byte, " ")) + accent)
        accent = ""
    return unicodedata.normalize("NFC", "".join(letters))
