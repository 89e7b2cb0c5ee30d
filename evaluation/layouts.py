"""The dataset layouts that `pesearch eval` recognises, with the protocol of each.

dataset = read_dataset(Path("~/audiocaps"))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import QueryError
from pesearch.evaluation import caption_layouts, event_layouts
from pesearch.evaluation.datasets import DatasetClip, DatasetFolder
from pesearch.types import SpaceName


@dataclass(frozen=True, slots=True)
class Task:
    """One retrieval direction; None stands for the captions, embedded in the other space."""

    name: str
    query_space: SpaceName | None
    gallery_space: SpaceName | None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a dataset is stored. `splits` begins with the one that papers report; `annotation` finds its file."""

    name: str
    splits: tuple[str, ...]
    tasks: tuple[Task, ...]
    has_sound_events: bool
    annotation: Callable[[DatasetFolder, str], Path | None]
    read: Callable[[Path, str], tuple[DatasetClip, ...]]


@dataclass(frozen=True, slots=True)
class Dataset:
    """One split of a dataset folder."""

    layout: Layout
    split: str
    folder: DatasetFolder
    clips: tuple[DatasetClip, ...]


TEXT_TO_AUDIO = Task("text -> audio", None, SpaceName.AUDIO)
TEXT_TO_VIDEO = Task("text -> video", None, SpaceName.VIDEO)
TEXT_TO_AUDIO_VIDEO = Task("text -> audio-video", None, SpaceName.AUDIO_VIDEO)
TEXT_TO_FRAMES = Task("text -> frames", None, SpaceName.FRAME)
VIDEO_TO_AUDIO = Task("video -> audio", SpaceName.VIDEO, SpaceName.AUDIO)
AUDIO_TO_TEXT = Task("audio -> text", SpaceName.AUDIO, None)


def _first(paths: list[Path]) -> Path | None:
    return paths[0] if paths else None


def _audiocaps(folder: DatasetFolder, split: str) -> Path | None:
    paths = folder.files(f"{split}.csv", f"audiocaps_{split}.csv")
    return next((path for path in paths if caption_layouts.is_audiocaps(path)), None)


def _msrvtt(folder: DatasetFolder, split: str) -> Path | None:
    if split == "1k":
        return _first(folder.files("MSRVTT_JSFUSION_test.csv"))
    prefix = "test" if split == "test" else "train_val"
    return _first(folder.files(f"{prefix}_videodatainfo.json", "MSRVTT_data.json"))


def _desed(folder: DatasetFolder, split: str) -> Path | None:
    paths = folder.files(f"{split}.tsv")
    return next((path for path in paths if event_layouts.has_columns(path, event_layouts.DESED_COLUMNS)), None)


LAYOUTS = (
    Layout("audiocaps", ("test", "val", "train"), (TEXT_TO_AUDIO, TEXT_TO_VIDEO, VIDEO_TO_AUDIO), False,
           _audiocaps, caption_layouts.read_audiocaps),
    Layout("clotho", ("evaluation", "validation", "development"), (TEXT_TO_AUDIO,), False,
           lambda folder, split: _first(folder.files(f"clotho_captions_{split}.csv")), caption_layouts.read_clotho),
    Layout("valor", ("test", "val", "train"), (TEXT_TO_AUDIO, TEXT_TO_VIDEO, TEXT_TO_AUDIO_VIDEO), False,
           lambda folder, split: _first(folder.files(f"desc_{split}.json")), caption_layouts.read_valor),
    Layout("vggsound", ("test", "train"), (VIDEO_TO_AUDIO,), False,
           lambda folder, split: _first(folder.files("vggsound.csv")), caption_layouts.read_vggsound),
    Layout("msrvtt", ("1k", "test", "validate", "train"), (TEXT_TO_FRAMES, TEXT_TO_VIDEO), False,
           _msrvtt, caption_layouts.read_msrvtt),
    Layout("vctk", ("all",), (AUDIO_TO_TEXT,), False,
           lambda folder, split: folder.subfolder("wav48_silence_trimmed"), caption_layouts.read_vctk),
    Layout("desed", ("validation", "public"), (), True, _desed, event_layouts.read_desed),
    Layout("audioset-strong", ("eval", "train"), (), True,
           lambda folder, split: _first(folder.files(f"audioset_{split}_strong.tsv")), event_layouts.read_audioset),
)  # fmt: skip


def read_dataset(path: Path, layout: str | None = None, split: str | None = None) -> Dataset:
    """Read a dataset folder. By default the layout is recognised, and the first split found is taken.

    Raises QueryError for an unknown layout, or if the folder has no dataset of that layout and split.
    """
    candidates = [known for known in LAYOUTS if layout in (None, known.name)]
    if not candidates:
        raise QueryError(f"there is no layout {layout!r}: choose one of {', '.join(known.name for known in LAYOUTS)}")
    folder = DatasetFolder(path)
    for candidate in candidates:
        for name in candidate.splits if split is None else (split,):
            annotation = candidate.annotation(folder, name) if name in candidate.splits else None
            if annotation is not None:
                clips = candidate.read(annotation, name)
                if not clips:
                    raise QueryError(f"{annotation} lists no clips of the split {name}")
                return Dataset(candidate, name, folder, clips)
    expected = layout or "dataset"
    splits = f" with the split {split!r} (known: {', '.join(candidates[0].splits)})" if split and layout else ""
    raise QueryError(f"{path} contains no {expected}{splits} as `pesearch eval --help` describes")
