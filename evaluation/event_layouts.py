"""Reading datasets of located sounds: DESED and AudioSet-Strong.

Each reader takes the annotation of one split, as the dataset's makers publish it, and gives its clips. It raises
QueryError for an annotation that is not as described, naming the file.
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
NAMES, ONTOLOGY = "mid_to_display_name.tsv", "ontology.json"


def read_desed(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """metadata/.../{validation,public}.tsv with filename, onset, offset, event_label; a clip without events has a row
    of its name alone (github.com/turpaultn/DESED). "Alarm_bell_ringing" is asked as "alarm bell ringing"."""
    events: dict[str, list[Truth]] = defaultdict(list)
    for row in _rows(path, DESED_COLUMNS):
        listed = events[row["filename"]]
        if row["event_label"]:
            listed.append(_truth(row["event_label"].replace("_", " "), row["onset"], row["offset"], path))
    return tuple(DatasetClip(name, (Path(name).stem,), events=tuple(listed)) for name, listed in events.items())


def read_audioset(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """audioset_{eval,train}_strong.tsv with segment_id (YOUTUBEID_STARTMS), start_time_seconds, end_time_seconds and
    label, whose names stand in mid_to_display_name.tsv or ontology.json beside it (research.google.com/audioset/
    download_strong.html)."""
    names = _display_names(path.parent)
    events: dict[str, list[Truth]] = defaultdict(list)
    for row in _rows(path, AUDIOSET_COLUMNS):
        if row["label"] not in names:
            raise QueryError(f"{path}: the sound {row['label']} has no name in {NAMES} or {ONTOLOGY}")
        times = row["start_time_seconds"], row["end_time_seconds"]
        events[row["segment_id"]].append(_truth(names[row["label"]], *times, path))
    return tuple(DatasetClip(name, _stems(name, path), events=tuple(listed)) for name, listed in events.items())


def has_columns(path: Path, columns: tuple[str, ...]) -> bool:
    """Whether a table, its columns parted by tabs, has these."""
    rows = read_rows(path, "\t")
    return bool(rows) and set(columns) <= set(rows[0])


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows by these columns; what a row is short of is empty."""
    names, *rows = read_rows(path, "\t") or [[]]
    if not set(columns) <= set(names):
        raise QueryError(f"{path} should have the columns {', '.join(columns)}, parted by tabs")
    return [dict(zip(names, [*row, *[""] * len(names)], strict=False)) for row in rows]


def _display_names(folder: Path) -> dict[str, str]:
    """What each sound of AudioSet is called."""
    if (folder / NAMES).is_file():
        rows = read_rows(folder / NAMES, "\t")
        return {row[0]: row[1] for row in rows if len(row) > 1}
    if (folder / ONTOLOGY).is_file():
        content = read_json(folder / ONTOLOGY)
        if isinstance(content, list) and all(
            isinstance(entry, dict) and {"id", "name"} <= set(entry) for entry in content
        ):
            return {entry["id"]: entry["name"] for entry in content}
        raise QueryError(f"{folder / ONTOLOGY} is not AudioSet's ontology: a list of sounds with id and name")
    raise QueryError(f"{folder} has neither {NAMES} nor {ONTOLOGY}: the sounds have no names")


def _stems(segment: str, path: Path) -> tuple[str, ...]:
    video, _, start = segment.rpartition("_")
    if not video or not start.isdigit():
        raise QueryError(f"{path}: {segment!r} is not a YouTube id and a start in milliseconds")
    return (segment, *youtube_stems(video, int(start) / 1000))


def _truth(label: str, start: str, end: str, path: Path) -> Truth:
    try:
        truth = Truth(label.lower(), float(start), float(end))
    except ValueError as error:
        raise QueryError(f"{path}: {label} lasts from {start!r} to {end!r}") from error
    if not 0 <= truth.start_seconds <= truth.end_seconds:
        raise QueryError(f"{path}: {label} lasts from {start} to {end} s")
    return truth
