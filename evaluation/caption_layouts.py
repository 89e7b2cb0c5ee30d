"""Reading datasets of captioned clips: AudioCaps, Clotho, VALOR-32K, VGGSound, MSR-VTT and VCTK.

Each reader takes the annotation of one split, as the dataset's makers publish it, and gives its clips. It raises
QueryError for an annotation that is not as described, naming the file.
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


def youtube_stems(video: str, start_seconds: float) -> tuple[str, ...]:
    """The names under which the usual downloaders save ten seconds of a YouTube video."""
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
    """{test,val,train}.csv with audiocap_id, youtube_id, start_time, caption: one row a caption (github.com/cdjkim/
    audiocaps, dataset/README.md). A clip has all the captions of its video, as in Meta's perception_models."""
    rows = _records(path, AUDIOCAPS_COLUMNS)
    by_video = defaultdict(list)
    for row in rows:
        by_video[row["youtube_id"]].append(row)
    return tuple(
        DatasetClip(
            name=video,
            stems=(*youtube_stems(video, _number(of[0]["start_time"], path)), *(row["audiocap_id"] for row in of)),
            captions=tuple(row["caption"].strip() for row in of),
        )
        for video, of in by_video.items()
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
    (casia-iva-group.github.io/projects/VALOR). The videos are named by their ids."""
    captions: dict[str, list[str]] = defaultdict(list)
    for entry in _entries(read_json(path), path):
        captions[_text(entry, "video_id", path)].append(_text(entry, "desc", path))
    return tuple(DatasetClip(name, (name, *_shorter(name)), tuple(texts)) for name, texts in captions.items())


def read_vggsound(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """vggsound.csv without a header: YouTube id, start in seconds, label, split (robots.ox.ac.uk/~vgg/data/vggsound).
    The label serves as the caption."""
    rows = read_rows(path)
    if any(len(row) != 4 for row in rows):
        raise QueryError(f"{path} is not VGGSound's list: each row should be an id, a start, a label and a split")
    return tuple(
        DatasetClip(f"{video}_{start}", youtube_stems(video, _number(start, path)), (label.strip(),))
        for video, start, label, of in rows
        if of.strip() == split
    )


def read_msrvtt(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """MSRVTT_JSFUSION_test.csv (key, vid_key, video_id, sentence: the 1k-A split of one caption a video), or the
    videodatainfo JSON of MSR-VTT's makers: {"videos": [{"video_id", "split"}], "sentences": [{"video_id", "caption"}]}.
    """
    if path.suffix == ".csv":
        rows = _records(path, ("video_id", "sentence"))
        return tuple(DatasetClip(row["video_id"], (row["video_id"],), (row["sentence"].strip(),)) for row in rows)
    content = read_json(path)
    if not isinstance(content, dict):
        raise QueryError(f"{path} should hold videos and sentences")
    captions: dict[str, list[str]] = defaultdict(list)
    for entry in _entries(content.get("sentences"), path):
        captions[_text(entry, "video_id", path)].append(_text(entry, "caption", path))
    videos = [
        _text(entry, "video_id", path) for entry in _entries(content.get("videos"), path) if entry["split"] == split
    ]
    return tuple(DatasetClip(video, (video,), tuple(captions[video])) for video in videos)


def read_vctk(path: Path, split: str) -> tuple[DatasetClip, ...]:
    """VCTK 0.92: txt/p225/p225_001.txt beside wav48_silence_trimmed/p225/p225_001_mic1.flac, which is `path`; the first
    microphone where there are two (datashare.ed.ac.uk/handle/10283/3443)."""
    texts = sorted((path.parent / "txt").glob("*/*.txt"))
    if not texts:
        raise QueryError(f"{path.parent / 'txt'} has no transcripts: it should hold p225/p225_001.txt and so on")
    return tuple(
        DatasetClip(text.stem, (f"{text.stem}_mic1", f"{text.stem}_mic2"), (read_text(text).strip(),)) for text in texts
    )


def is_audiocaps(path: Path) -> bool:
    """Whether a table has AudioCaps' columns."""
    rows = read_rows(path)
    return bool(rows) and set(AUDIOCAPS_COLUMNS) <= set(rows[0])


def _shorter(name: str) -> tuple[str, ...]:
    """Other names of a clip that is called by video, start and end."""
    video, _, times = name.rpartition("_")
    video, _, start = video.rpartition("_")
    try:
        return youtube_stems(video, float(start)) if video and times else ()
    except ValueError:
        return ()


def _records(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    records = read_records(path)
    lacking = [name for name in columns if records and name not in records[0]]
    if lacking:
        raise QueryError(f"{path} has no column {lacking[0]!r}")
    return records


def _entries(listed: Any, path: Path) -> list[dict[str, Any]]:
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise QueryError(f"{path} is not a list of clips as described in docs/evaluation.md")
    return listed


def _text(entry: dict[str, Any], name: str, path: Path) -> str:
    if not isinstance(entry.get(name), str):
        raise QueryError(f"{path} has an entry without a {name!r}")
    return str(entry[name]).strip()


def _number(text: str, path: Path) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise QueryError(f"{path}: {text!r} is not a time in seconds") from error
