"""Readers for datasets of captioned clips: AudioCaps, Clotho, VALOR-32K, VGGSound, MSR-VTT and VCTK.

Each reader takes the published annotation file of one split and returns its clips. It raises QueryError, which names
the file, if the annotation does not have the documented format.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pesearch.errors import QueryError
from pesearch.evaluation.datasets import DatasetClip
from pesearch.evaluation.table_reader import read_json, read_records, read_rows, read_text

AUDIOCAPS_COLUMNS = ("audiocap_id", "youtube_id", "start_time", "caption")
CLIP_SECONDS = 10
"""Length of the excerpts that AudioCaps, VGGSound and AudioSet take from YouTube videos."""


def youtube_stems(video: str, start_seconds: float) -> tuple[str, ...]:
    """File stems under which the common downloaders save ten seconds of a YouTube video."""
    start = round(start_seconds)
    end = start + CLIP_SECONDS
    names = (
        f"{video}_{start:06d}",
        f"{video}_{start}.000_{end}.000",
        f"{video}_{start * 1000}_{end * 1000}",
        f"{video}_{start * 1000}",
        f"{video}_{start}_{end}",
        f"{video}_{start}",
        video,
    )
    return (*names, *(f"Y{name}" for name in names))


def read_audiocaps(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """{test,val,train}.csv with audiocap_id, youtube_id, start_time, caption: one row per caption (github.com/cdjkim/
    audiocaps, dataset/README.md). A clip has all captions of its video, as in Meta's perception_models."""
    by_video = defaultdict(list)
    for row in _records(path, AUDIOCAPS_COLUMNS):
        by_video[row["youtube_id"]].append(row)
    return tuple(
        DatasetClip(
            name=video,
            stems=(
                *youtube_stems(video, _number(rows[0]["start_time"], path)),
                *(row["audiocap_id"] for row in rows),
            ),
            captions=tuple(row["caption"].strip() for row in rows),
        )
        for video, rows in by_video.items()
    )


def read_clotho(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """clotho_captions_{evaluation,validation,development}.csv with file_name, caption_1 ... caption_5 (zenodo.org,
    record 3490684)."""
    rows = _records(path, ("file_name", "caption_1"))
    return tuple(
        DatasetClip(
            name=row["file_name"],
            stems=(Path(row["file_name"]).stem, Path(row["file_name"]).stem.strip()),
            captions=tuple(text.strip() for name, text in row.items() if name.startswith("caption_") and text.strip()),
        )
        for row in rows
    )


def read_valor(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """desc_{test,val,train}.json of VALOR-32K: a list of {"video_id": "YOUTUBEID_30.000_40.000", "desc": "..."}
    (casia-iva-group.github.io/projects/VALOR). Video files are named after their ids."""
    captions: dict[str, list[str]] = defaultdict(list)
    for entry in _entries(read_json(path), path):
        captions[_text(entry, "video_id", path)].append(_text(entry, "desc", path))
    return tuple(DatasetClip(name, (name, *_downloader_stems(name)), tuple(descs)) for name, descs in captions.items())


def read_vggsound(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """vggsound.csv without a header: YouTube id, start in seconds, label, split (robots.ox.ac.uk/~vgg/data/vggsound).
    The label is used as the caption."""
    rows = read_rows(path)
    if any(len(row) != 4 for row in rows):
        raise QueryError(f"{path} is not the VGGSound list: each row needs an id, a start, a label and a split")
    return tuple(
        DatasetClip(f"{video}_{start}", youtube_stems(video, _number(start, path)), (label.strip(),))
        for video, start, label, row_split in rows
        if row_split.strip() == split
    )


def read_msrvtt(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """MSRVTT_JSFUSION_test.csv (key, vid_key, video_id, sentence: the 1k-A split, one caption per video), or the
    original videodatainfo JSON: {"videos": [{"video_id", "split"}], "sentences": [{"video_id", "caption"}]}.
    """
    if path.suffix == ".csv":
        rows = _records(path, ("video_id", "sentence"))
        return tuple(DatasetClip(row["video_id"], (row["video_id"],), (row["sentence"].strip(),)) for row in rows)
    content = read_json(path)
    if not isinstance(content, dict):
        raise QueryError(f"{path} needs the keys 'videos' and 'sentences'")
    captions: dict[str, list[str]] = defaultdict(list)
    for entry in _entries(content.get("sentences"), path):
        captions[_text(entry, "video_id", path)].append(_text(entry, "caption", path))
    videos = [
        _text(entry, "video_id", path) for entry in _entries(content.get("videos"), path) if entry["split"] == split
    ]
    return tuple(DatasetClip(video, (video,), tuple(captions[video])) for video in videos)


def read_vctk(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """VCTK 0.92: `path` is the folder wav48_silence_trimmed (p225/p225_001_mic1.flac), with the transcripts in txt next
    to it (p225/p225_001.txt). The first of two microphones is used (datashare.ed.ac.uk/handle/10283/3443)."""
    texts = sorted((path.parent / "txt").glob("*/*.txt"))
    if not texts:
        raise QueryError(f"{path.parent / 'txt'} has no transcripts: expected p225/p225_001.txt and so on")
    return tuple(
        DatasetClip(text.stem, (f"{text.stem}_mic1", f"{text.stem}_mic2"), (read_text(text).strip(),)) for text in texts
    )


def is_audiocaps(path: Path) -> bool:
    """Whether a CSV file has the columns of AudioCaps."""
    rows = read_rows(path)
    return bool(rows) and set(AUDIOCAPS_COLUMNS) <= set(rows[0])


def _downloader_stems(name: str) -> tuple[str, ...]:
    """The downloader stems of a clip named VIDEO_START_END; none for other names."""
    video, _, times = name.rpartition("_")
    video, _, start = video.rpartition("_")
    try:
        return youtube_stems(video, float(start)) if video and times else ()
    except ValueError:
        return ()


def _records(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    records = read_records(path)
    missing = [name for name in columns if records and name not in records[0]]
    if missing:
        raise QueryError(f"{path} has no column {missing[0]!r}")
    return records


def _entries(content: Any, path: Path) -> list[dict[str, Any]]:
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise QueryError(f"{path} is not a list of clips as `pesearch eval --help` describes")
    return content


def _text(entry: dict[str, Any], name: str, path: Path) -> str:
    if not isinstance(entry.get(name), str):
        raise QueryError(f"{path} has an entry without a {name!r}")
    return str(entry[name]).strip()


def _number(text: str, path: Path) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise QueryError(f"{path}: {text!r} is not a time in seconds") from error
