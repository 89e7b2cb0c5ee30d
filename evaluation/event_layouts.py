"""Readers for sound event detection datasets: DESED and AudioSet-Strong.

Each reader takes the published annotation file of one split and returns its clips. It raises QueryError, which names
the file, if the annotation does not have the documented format.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from pesearch.errors import QueryError
from pesearch.evaluation.caption_layouts import youtube_stems
from pesearch.evaluation.datasets import DatasetClip
from pesearch.evaluation.ground_truth import Truth
from pesearch.evaluation.table_reader import read_json, read_rows

DESED_COLUMNS = ("filename", "onset", "offset", "event_label")
AUDIOSET_COLUMNS = ("segment_id", "start_time_seconds", "end_time_seconds", "label")
DISPLAY_NAMES_FILE = "mid_to_display_name.tsv"
"""AudioSet's table of label id and display name."""

ONTOLOGY_FILE = "ontology.json"
"""AudioSet's ontology, used if there is no table."""


def read_desed(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """metadata/.../{validation,public}.tsv with filename, onset, offset, event_label; a clip without events has a row
    with its name only (github.com/turpaultn/DESED). The label "Alarm_bell_ringing" becomes "alarm bell ringing"."""
    events: dict[str, list[Truth]] = defaultdict(list)
    for row in _rows(path, DESED_COLUMNS):
        clip_events = events[row["filename"]]
        if row["event_label"]:
            clip_events.append(_truth(row["event_label"].replace("_", " "), row["onset"], row["offset"], path))
    return tuple(
        DatasetClip(name, (Path(name).stem,), events=tuple(clip_events)) for name, clip_events in events.items()
    )


def read_audioset(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """audioset_{eval,train}_strong.tsv with segment_id (YOUTUBEID_STARTMS), start_time_seconds, end_time_seconds and
    label; display names come from mid_to_display_name.tsv or ontology.json in the same folder (research.google.com/
    audioset/download_strong.html)."""
    names = _display_names(path.parent)
    events: dict[str, list[Truth]] = defaultdict(list)
    for row in _rows(path, AUDIOSET_COLUMNS):
        if row["label"] not in names:
            raise QueryError(f"{path}: the label {row['label']} has no name in {DISPLAY_NAMES_FILE} or {ONTOLOGY_FILE}")
        times = row["start_time_seconds"], row["end_time_seconds"]
        events[row["segment_id"]].append(_truth(names[row["label"]], *times, path))
    return tuple(
        DatasetClip(name, _stems(name, path), events=tuple(clip_events)) for name, clip_events in events.items()
    )


def has_columns(path: Path, columns: tuple[str, ...]) -> bool:
    """Whether a TSV file has these columns."""
    rows = read_rows(path, "\t")
    return bool(rows) and set(columns) <= set(rows[0])


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows by column name; missing trailing cells are empty."""
    names, *rows = read_rows(path, "\t") or [[]]
    if not set(columns) <= set(names):
        raise QueryError(f"{path} needs the columns {', '.join(columns)}, separated by tabs")
    return [dict(zip(names, [*row, *[""] * len(names)], strict=False)) for row in rows]


def _display_names(folder: Path) -> dict[str, str]:
    """Display name by AudioSet label id."""
    if (folder / DISPLAY_NAMES_FILE).is_file():
        rows = read_rows(folder / DISPLAY_NAMES_FILE, "\t")
        return {row[0]: row[1] for row in rows if len(row) > 1}
    if (folder / ONTOLOGY_FILE).is_file():
        content = read_json(folder / ONTOLOGY_FILE)
        if isinstance(content, list) and all(
            isinstance(entry, dict) and {"id", "name"} <= set(entry) for entry in content
        ):
            return {entry["id"]: entry["name"] for entry in content}
        raise QueryError(f"{folder / ONTOLOGY_FILE} is not the AudioSet ontology: expected objects with id and name")
    raise QueryError(f"{folder} has neither {DISPLAY_NAMES_FILE} nor {ONTOLOGY_FILE}: one is needed for display names")


def _stems(segment: str, path: Path) -> tuple[str, ...]:
    video, _, start = segment.rpartition("_")
    if not video or not start.isdigit():
        raise QueryError(f"{path}: {segment!r} is not a YouTube id and a start in milliseconds")
    return (segment, *youtube_stems(video, int(start) / 1000))


def _truth(label: str, start: str, end: str, path: Path) -> Truth:
    try:
        truth = Truth(label.lower(), float(start), float(end))
    except ValueError as error:
        raise QueryError(f"{path}: {label} has no valid times: {start!r} to {end!r}") from error
    if not 0 <= truth.start_seconds <= truth.end_seconds:
        raise QueryError(f"{path}: {label} has no valid times: {start} to {end} s")
    return truth
