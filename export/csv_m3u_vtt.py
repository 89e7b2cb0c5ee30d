"""Choices as lists: a table (CSV), a playlist (M3U), chapters of one file (WebVTT)."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

from pesearch.errors import ExportError
from pesearch.export.clip_selection import STILL_SECONDS, Selection, files_of, title_of
from pesearch.export.safe_names import file_name, file_url, one_line
from pesearch.formatting import format_event

CSV_COLUMNS = ("label", "path", "start_seconds", "end_seconds", "score", "events")


def csv_document(choices: Sequence[Selection]) -> bytes:
    """A table with a header (RFC 4180), in UTF-8. A path keeps its very bytes, whatever they are."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    for each in choices:
        score = "" if each.score is None else f"{each.score:.4f}"
        events = "; ".join(format_event(event) for event in each.events)
        times = (f"{each.start_seconds:.3f}", f"{each.end_seconds:.3f}")
        writer.writerow((each.label, each.path, *times, score, events))
    return text.getvalue().encode("utf-8", "surrogateescape")


def m3u_document(choices: Sequence[Selection]) -> bytes:
    """A playlist in UTF-8 that VLC plays moment after moment; other players take it as a list of whole files."""
    lines = ["#EXTM3U", f"#PLAYLIST:{one_line(title_of(choices))}"]
    for each in choices:
        start, end = each.stretch_seconds
        lines.append(f"#EXTINF:{math.ceil(end - start)},{_named(each)}")
        if each.is_still:
            lines.append(f"#EXTVLCOPT:image-duration={STILL_SECONDS:.0f}")
        else:
            lines += [f"#EXTVLCOPT:start-time={start:.3f}", f"#EXTVLCOPT:stop-time={end:.3f}"]
        lines.append(file_url(each.path))
    return ("\n".join(lines) + "\n").encode()


def vtt_document(choices: Sequence[Selection]) -> bytes:
    """Chapters in the order of their times. Errors: ExportError where the moments are not of one file with a time."""
    timed = [each for each in choices if not each.is_still]
    files = files_of(timed)
    if len(files) != 1:
        of = f"{len(files)} files" if files else "pictures, which have none"
        raise ExportError(
            f"WebVTT chapters are of one file, and these moments of {of}: name a folder for one of each file"
        )
    blocks = ["WEBVTT"]
    for number, each in enumerate(sorted(timed, key=lambda each: each.stretch_seconds), 1):
        start, end = each.stretch_seconds
        blocks.append(f"{number}\n{_stamp(start)} --> {_stamp(end)}\n{_as_cue(each.label) or f'Moment {number}'}")
    return ("\n\n".join(blocks) + "\n").encode()


def by_file(choices: Iterable[Selection]) -> list[list[Selection]]:
    """The choices of each file that has a time together, for chapters."""
    timed = [each for each in choices if not each.is_still]
    return [[each for each in timed if each.path == path] for path in files_of(timed)]


def _named(choice: Selection) -> str:
    label = one_line(choice.label)
    return f"{label} ({file_name(choice.path)})" if label else file_name(choice.path)


def _as_cue(text: str) -> str:
    """As WebVTT reads it back: markup and its arrow are escaped."""
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _stamp(seconds: float) -> str:
    minutes, thousandths = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{thousandths / 1000:06.3f}"
