"""Lists of selections: CSV tables, M3U playlists, WebVTT chapters."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

from pesearch.cues import EXPORTED_CHAPTERS
from pesearch.errors import ExportError
from pesearch.export.clip_selection import STILL_SECONDS, Selection, combined_title, unique_paths
from pesearch.export.safe_names import file_name, file_url, one_line
from pesearch.formatting import format_event

CSV_COLUMNS = ("label", "path", "start_seconds", "end_seconds", "score", "events")


def csv_document(selections: Sequence[Selection]) -> bytes:
    """A table with a header row (RFC 4180) in UTF-8. Undecodable bytes of a path are written unchanged."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    for selection in selections:
        score = "" if selection.score is None else f"{selection.score:.4f}"
        events = "; ".join(format_event(event) for event in selection.events)
        times = (f"{selection.start_seconds:.3f}", f"{selection.end_seconds:.3f}")
        writer.writerow((selection.label, selection.path, *times, score, events))
    return text.getvalue().encode("utf-8", "surrogateescape")


def m3u_document(selections: Sequence[Selection]) -> bytes:
    """An extended M3U playlist in UTF-8. VLC plays the intervals only; other players play whole files."""
    lines = ["#EXTM3U", f"#PLAYLIST:{one_line(combined_title(selections))}"]
    for selection in selections:
        start, end = selection.interval_seconds
        lines.append(f"#EXTINF:{math.ceil(end - start)},{_entry_title(selection)}")
        if selection.is_still:
            lines.append(f"#EXTVLCOPT:image-duration={STILL_SECONDS:.0f}")
        else:
            lines += [f"#EXTVLCOPT:start-time={start:.3f}", f"#EXTVLCOPT:stop-time={end:.3f}"]
        lines.append(file_url(selection.path))
    return ("\n".join(lines) + "\n").encode()


def vtt_document(selections: Sequence[Selection]) -> bytes:
    """WebVTT chapters of one file in order of time. Raises ExportError for several files, or for stills only."""
    timed = [selection for selection in selections if not selection.is_still]
    files = unique_paths(timed)
    if len(files) != 1:
        found = f"these moments are from {len(files)} files" if files else "still images have no chapters"
        raise ExportError(f"WebVTT has the chapters of one file, but {found}: use --to FOLDER for a document each")
    blocks = ["WEBVTT", f"NOTE {EXPORTED_CHAPTERS}"]
    for number, selection in enumerate(sorted(timed, key=lambda selection: selection.interval_seconds), 1):
        start, end = selection.interval_seconds
        title = _escape_cue(selection.label) or f"Moment {number}"
        blocks.append(f"{number}\n{_timestamp(start)} --> {_timestamp(end)}\n{title}")
    return ("\n\n".join(blocks) + "\n").encode()


def group_by_file(selections: Iterable[Selection]) -> list[list[Selection]]:
    """The selections of each file, without stills: what `vtt_document` takes."""
    timed = [selection for selection in selections if not selection.is_still]
    return [[selection for selection in timed if selection.path == path] for path in unique_paths(timed)]


def _entry_title(selection: Selection) -> str:
    label = one_line(selection.label)
    return f"{label} ({file_name(selection.path)})" if label else file_name(selection.path)


def _escape_cue(text: str) -> str:
    """Escape WebVTT markup, including the arrow between timestamps."""
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _timestamp(seconds: float) -> str:
    minutes, thousandths = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{thousandths / 1000:06.3f}"
