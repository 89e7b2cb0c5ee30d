"""Output of the ffprobe program as sections of fields."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import MediaError
from pesearch.media.ffmpeg import TIMEOUT_SECONDS, input_url, run_program, stream_lines
from pesearch.media.file_head import file_status

_MIN_DISK_BYTES_PER_SECOND = 2_000_000
"""Slowest disk or network share that a time limit allows for."""

MAX_SECTIONS = 30_000
"""Sections that are kept of a file, of about 600 bytes each: 20 minutes of sound have 60,000 packets at most. Packets
beyond are read one by one."""

_MAX_DESCRIBED_BYTES = 32 << 20
"""Of all sections but the packets. 10,000 chapters take 1 MB."""

_FIELD = re.compile(r"(?:^|\|)((?:[^|\\]|\\.)*)")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Section:
    """One line of ffprobe's compact output: `format`, `stream`, `chapter` or `packet` with its fields."""

    name: str
    fields: dict[str, str]

    def text(self, field: str) -> str:
        """A field; empty if missing."""
        return self.fields.get(field, "")

    def number(self, field: str) -> float | None:
        """A field as a finite number; None if missing ("N/A") or not a number."""
        try:
            value = float(self.text(field))
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    def count(self, field: str) -> int:
        """A field as an integer; 0 if missing."""
        return int(self.number(field) or 0)

    def ratio(self, field: str) -> float:
        """A field such as 30000/1001; 0.0 if missing."""
        numerator, _, denominator = self.text(field).partition("/")
        return int(numerator) / int(denominator) if numerator.isdigit() and denominator.strip("0").isdigit() else 0.0


class TooManySections(Exception):
    """A file has more packets than are kept at a time."""


def ffprobe(path: Path, entries: str, options: Sequence[str] = ()) -> list[Section]:
    """The sections of a file that `entries` selects (ffprobe's -show_entries). `options` are input options.

    Tags that are not UTF-8 (of AVI and WAV) are read as Latin-1, which keeps their bytes: see `media/mojibake.py`.

    Errors: MediaError when FFmpeg cannot open the file, or its tags are too large; TooManySections; FFmpegMissing.
    """
    sections: list[Section] = []
    size_bytes = 0
    for line in _lines(path, entries, options):
        section = _section(line)
        size_bytes += 0 if section.name == "packet" else len(line)
        if size_bytes > _MAX_DESCRIBED_BYTES:
            raise MediaError(f"damaged: it describes itself in more than {_MAX_DESCRIBED_BYTES >> 20} MB")
        if len(sections) == MAX_SECTIONS:
            raise TooManySections
        sections.append(section)
    if not sections:
        failed = run_program("ffprobe", *options, "-v", "error", input_url(path), timeout_seconds=timeout_for(path))
        raise MediaError(_reason(failed.stderr))
    return sections


def packets(
    path: Path,
    fields: str,
    stream: int | None = None,
    from_seconds: float | None = None,
    options: Sequence[str] = (),
) -> Iterator[Section]:
    """Iterate over the packets of one stream or of all, from a time on (there may be millions).

    Yields nothing if FFmpeg cannot open the file. Errors: MediaError when it crashes or times out; FFmpegMissing.
    """
    interval = () if from_seconds is None else ("-read_intervals", f"{from_seconds:.3f}%")
    selected = () if stream is None else ("-select_streams", str(stream))
    for line in _lines(path, f"packet={fields}", (*options, *interval, *selected)):
        section = _section(line)
        if section.name == "packet":
            yield section


def _lines(path: Path, entries: str, options: Sequence[str]) -> Iterator[str]:
    """ffprobe's output without empty lines, as Latin-1."""
    shown = ("-v", "error", "-of", "compact=string_validation=ignore", "-show_entries", entries)
    timeout = timeout_for(path)
    for line in stream_lines("ffprobe", *options, *shown, input_url(path), timeout_seconds=timeout):
        if line:
            yield line.decode("latin-1")


def timeout_for(path: Path) -> float:
    """Time limit in seconds for a call that reads the whole file. Errors: MediaError."""
    return TIMEOUT_SECONDS + file_status(path).st_size / _MIN_DISK_BYTES_PER_SECOND


def _section(line: str) -> Section:
    is_plain = "\\" not in line
    name, *fields = line.split("|") if is_plain else _FIELD.findall(line)
    pairs = (field.partition("=") for field in fields)
    return Section(name, {_utf8(key): _utf8(value if is_plain else _unescaped(value)) for key, _, value in pairs})


def _utf8(text: str) -> str:
    """The text of bytes that were decoded as Latin-1, if they are UTF-8."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _unescaped(value: str) -> str:
    """Undo ffprobe's escapes of line breaks, its separator and the backslash."""
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), value)


def _reason(stderr: bytes) -> str:
    if b"moov atom not found" in stderr:
        return "cut short: its index (moov) is missing; download it again, or repair the recording with untrunc"
    if b"Permission denied" in stderr:
        return "no permission to read it"
    return "damaged: FFmpeg cannot open it"
