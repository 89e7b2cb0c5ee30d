"""Dataset evaluation on small folders in each documented layout, with clips of the generated world."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.errors import LibraryError, QueryError
from pesearch.evaluation.caption_layouts import youtube_stems
from pesearch.evaluation.dataset_evaluation import DatasetEvaluation, DatasetRun
from pesearch.evaluation.layouts import LAYOUTS, Dataset, read_dataset
from pesearch.indexer.run import index
from pesearch.store.library import Library, open_library

VIDEOS = ("bell", "dog_bark", "drum", "engine_car", "rain_thunder")
SOUNDS = {
    "bell": "a ringing bell",
    "dog_bark": "a dog barking",
    "drum": "drums",
    "engine_car": "an engine",
    "rain_thunder": "rain and thunder",
}
PICTURES = {
    "bell": "a bell by day",
    "dog_bark": "a dog jumping in a field",
    "drum": "a yellow drum in a field",
    "engine_car": "a white car moving right in the city",
    "rain_thunder": "rain at night",
}
SPOKEN = {"speech_platform": "mind the gap", "speech_house": "the coffee is ready"}
EVENTS = [
    ("bell", "Ringing_bell", 0.7, 3.3),
    ("drum", "Drum", 0.6, 3.2),
    ("rain_thunder", "Rain", 0.2, 2.1),
    ("rain_thunder", "Thunder", 2.2, 3.9),
]


class DatasetWriter:
    """Writes clips and annotations into a folder."""

    def __init__(self, folder: Path, media: Path) -> None:
        self.folder, self._media = folder, media

    def clip(self, name: str, where: str) -> None:
        (path := self.folder / where).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(next(self._media.glob(f"{name}.*")), path)

    def text(self, where: str, content: str) -> None:
        (path := self.folder / where).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def table(self, where: str, rows: list[tuple[object, ...]], delimiter: str = ",") -> None:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
        self.text(where, text.getvalue())


def audiocaps(writer: DatasetWriter) -> None:
    rows: list[tuple[object, ...]] = [("audiocap_id", "youtube_id", "start_time", "caption")]
    for number, name in enumerate(VIDEOS):
        rows += [
            (number, f"{name}-AB", 30, SOUNDS[name]),
            (100 + number, f"{name}-AB", 30, f"the sound of {SOUNDS[name]}"),
        ]
        writer.clip(name, f"video/{name}-AB.mp4")
    writer.table("dataset/test.csv", [*rows, (9, "gone-AB", 0, "nothing, any more")])


def clotho(writer: DatasetWriter) -> None:
    rows: list[tuple[object, ...]] = [("file_name", *(f"caption_{number}" for number in range(1, 6)))]
    for name in VIDEOS:
        rows.append((f"{name} (take 1).mp4", *(f"{SOUNDS[name]}{'.' * number}" for number in range(5))))
        writer.clip(name, f"evaluation/{name} (take 1).mp4")
    writer.table("clotho_captions_evaluation.csv", [*rows, ("gone.wav", "a", "b", "c", "d", "e")])


def valor(writer: DatasetWriter) -> None:
    names = {name: f"{name}-_x_30.000_40.000" for name in VIDEOS}
    for name, clip in names.items():
        writer.clip(name, f"videos/{clip}.mp4")
    listed = [{"video_id": clip, "desc": f"{SOUNDS[name]}, {PICTURES[name]}"} for name, clip in names.items()]
    writer.text(
        "VALOR-32K-annotations/desc_test.json", json.dumps([*listed, {"video_id": "gone_0.000_10.000", "desc": "x"}])
    )


def vggsound(writer: DatasetWriter) -> None:
    rows: list[tuple[object, ...]] = [(f"{name}_ab", 40, f"{name}, indoors", "test") for name in VIDEOS]
    for name in VIDEOS:
        writer.clip(name, f"video/{name}_ab_000040.mp4")
    writer.table("vggsound.csv", [*rows, ("gone", 0, "a gong", "test"), ("other", 0, "a gong", "train")])


def msrvtt(writer: DatasetWriter) -> None:
    rows: list[tuple[object, ...]] = [("key", "vid_key", "video_id", "sentence")]
    for number, name in enumerate(VIDEOS):
        rows.append((f"ret{number}", f"msr{number}", f"video{7010 + number}", PICTURES[name]))
        writer.clip(name, f"TestVideo/video{7010 + number}.mp4")
    writer.table("MSRVTT_JSFUSION_test.csv", [*rows, ("ret9", "msr9", "video9999", "nothing")])
    videos = [{"video_id": f"video{7010 + number}", "split": "test"} for number in range(3)]
    sentences = [{"video_id": one["video_id"], "caption": text} for one in videos for text in ("one", "two")]
    writer.text("test_videodatainfo.json", json.dumps({"videos": videos, "sentences": sentences}))


def vctk(writer: DatasetWriter) -> None:
    for number, (name, words) in enumerate(SPOKEN.items(), start=1):
        writer.text(f"VCTK-Corpus-0.92/txt/p225/p225_00{number}.txt", f"{words}\n")
        writer.clip(name, f"VCTK-Corpus-0.92/wav48_silence_trimmed/p225/p225_00{number}_mic{number}.mp4")
    writer.text("VCTK-Corpus-0.92/txt/p315/p315_001.txt", "no recording\n")


def desed(writer: DatasetWriter) -> None:
    rows: list[tuple[object, ...]] = [("filename", "onset", "offset", "event_label")]
    rows += [(f"Y{name}_0.000_4.000.wav", start, end, label) for name, label, start, end in EVENTS]
    for name in ("bell", "drum", "rain_thunder", "silent_sun", "dog_bark"):
        writer.clip(name, f"dataset/audio/validation/Y{name}_0.000_4.000.mp4")
    rows += [("Ydog_bark_0.000_4.000.wav", "", "", ""), ("Ygone_0.000_10.000.wav", 0, 1, "Drum")]
    writer.table("dataset/metadata/validation/validation.tsv", rows, "\t")


def audioset(writer: DatasetWriter) -> None:
    rows: list[tuple[object, ...]] = [("segment_id", "start_time_seconds", "end_time_seconds", "label")]
    rows += [(f"{name}_x_30000", start, end, f"/m/{label}") for name, label, start, end in EVENTS]
    names = [(f"/m/{label}", label.replace("_", " ")) for _, label, _, _ in EVENTS]
    for name in ("bell", "drum", "rain_thunder"):
        writer.clip(name, f"audio/Y{name}_x_30.000_40.000.mp4")
    writer.table("metadata/audioset_eval_strong.tsv", [*rows, ("gone_0", 0, 1, "/m/Drum")], "\t")
    writer.table("metadata/mid_to_display_name.tsv", list(names), "\t")


WRITERS: dict[str, Callable[[DatasetWriter], None]] = {
    "audiocaps": audiocaps,
    "clotho": clotho,
    "valor": valor,
    "vggsound": vggsound,
    "msrvtt": msrvtt,
    "vctk": vctk,
    "desed": desed,
    "audioset-strong": audioset,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample_media: Path) -> Path:
    """A folder with one dataset of each layout."""
    folder = tmp_path_factory.mktemp("datasets")
    for name, write in WRITERS.items():
        write(DatasetWriter(folder / name, sample_media))
    return folder


@pytest.fixture(scope="module")
def library(
    folder: Path, sample_library: Library, starter: ModelSet, tmp_path_factory: pytest.TempPathFactory
) -> Library:
    """A library with all their clips. They are copies of the sample media, so nothing is encoded again."""
    copy = tmp_path_factory.mktemp("library") / "library"
    shutil.copytree(sample_library.folder, copy)
    library = open_library(copy)
    list(index([folder], library, starter))
    return library


def evaluated(dataset: Dataset, library: Library, models: ModelSet) -> DatasetEvaluation:
    run = DatasetRun(dataset, library, models)
    assert len(list(run.detect_sounds())) == run.sound_clip_count()
    return run.evaluation()


def test_every_layout_has_a_test() -> None:
    assert list(WRITERS) == [layout.name for layout in LAYOUTS]


@pytest.mark.parametrize("name", WRITERS)
def test_layout_and_split_are_recognised(folder: Path, name: str) -> None:
    dataset = read_dataset(folder / name)
    assert dataset.layout.name == name
    assert dataset.split == dataset.layout.splits[0]
    assert dataset.clips == read_dataset(folder / name, name, dataset.split).clips
    missing = [clip.name for clip in dataset.clips if not dataset.folder.media(clip.stems)]
    assert len(missing) == 1
    assert len(dataset.clips) > 1


def test_captions_and_events_of_clips(folder: Path) -> None:
    by_name = {clip.name: clip for clip in read_dataset(folder / "audiocaps").clips}
    assert by_name["bell-AB"].captions == ("a ringing bell", "the sound of a ringing bell")
    assert {len(clip.captions) for clip in read_dataset(folder / "clotho").clips} == {5}
    assert read_dataset(folder / "vggsound").clips[0].captions == ("bell, indoors",)
    assert [clip.captions for clip in read_dataset(folder / "msrvtt", split="test").clips] == [("one", "two")] * 3
    assert read_dataset(folder / "vctk").clips[0].captions == ("mind the gap",)
    rain = next(clip for clip in read_dataset(folder / "desed").clips if "rain" in clip.name)
    assert [(event.what, event.start_seconds, event.end_seconds) for event in rain.events] == [
        ("rain", 0.2, 2.1),
        ("thunder", 2.2, 3.9),
    ]
    assert next(clip for clip in read_dataset(folder / "desed").clips if "dog" in clip.name).events == ()
    assert read_dataset(folder / "audioset-strong").clips[0].events[0].what == "ringing bell"


def test_youtube_stems_of_common_downloaders() -> None:
    stems = youtube_stems("-x_Y", 30.0)
    assert {"-x_Y_000030", "-x_Y_30.000_40.000", "-x_Y_30000", "Y-x_Y", "Y-x_Y_30.000_40.000", "-x_Y"} <= set(stems)


def test_folders_without_a_dataset_and_unknown_layouts_or_splits(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="contains no dataset as `pesearch eval --help` describes"):
        read_dataset(tmp_path)
    with pytest.raises(QueryError, match="no layout 'imagenet': choose one of audiocaps, clotho"):
        read_dataset(folder / "clotho", "imagenet")
    with pytest.raises(QueryError, match=r"contains no clotho with the split 'test' \(known: evaluation"):
        read_dataset(folder / "clotho", "clotho", "test")


@pytest.mark.parametrize(
    ("where", "content", "message"),
    [
        ("desc_test.json", '{"a": 1}', "is not a list of clips"),
        ("desc_test.json", '[{"desc": "x"}]', "without a 'video_id'"),
        ("desc_test.json", "[]", "lists no clips"),
        ("vggsound.csv", "a,1\n", "each row needs an id"),
        ("vggsound.csv", "a,soon,x,test\n", "'soon' is not a time"),
        ("clotho_captions_evaluation.csv", "name\nx\n", "has no column 'file_name'"),
        ("clotho_captions_evaluation.csv", "file_name,caption_1\nx\n", "row 2 has fewer than 2 columns"),
        (
            "audioset_eval_strong.tsv",
            "segment_id\tstart_time_seconds\n",
            "neither mid_to_display_name.tsv nor ontology",
        ),
        ("validation.tsv", "filename\tonset\toffset\tevent_label\na.wav\t3\t1\tDog\n", "no valid times: 3 to 1 s"),
    ],
)
def test_invalid_annotations_are_reported(tmp_path: Path, where: str, content: str, message: str) -> None:
    (tmp_path / where).write_text(content, encoding="utf-8")
    with pytest.raises(QueryError, match=message) as caught:
        read_dataset(tmp_path)
    assert where.partition("_")[0] in str(caught.value) or str(tmp_path) in str(caught.value)


def test_audioset_labels_are_named_by_the_ontology(tmp_path: Path) -> None:
    rows = "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\nab_cd_30000\t0.5\t1.5\t/m/1\n"
    (tmp_path / "audioset_eval_strong.tsv").write_text(rows, encoding="utf-8")
    (tmp_path / "ontology.json").write_text('[{"id": "/m/1", "name": "Male speech"}]', encoding="utf-8")
    (clip,) = read_dataset(tmp_path).clips
    assert clip.events[0].what == "male speech"
    assert "ab_cd_30.000_40.000" in clip.stems


@pytest.mark.slow
@pytest.mark.parametrize("name", ["audiocaps", "clotho", "valor", "vggsound", "msrvtt", "vctk"])
def test_retrieval_metrics(folder: Path, library: Library, starter: ModelSet, name: str) -> None:
    evaluation = evaluated(read_dataset(folder / name), library, starter)
    count = len(SPOKEN if name == "vctk" else VIDEOS)
    assert (evaluation.clips.listed, evaluation.clips.on_disk, evaluation.clips.indexed) == (count + 1, count, count)
    assert len(evaluation.clips.missing) == 1
    assert [task.task for task in evaluation.tasks] == [task.name for task in read_dataset(folder / name).layout.tasks]
    for task in evaluation.tasks:
        for metrics in (task.dot, task.cosine, task.dual_softmax):
            assert 0 <= metrics.r1 <= metrics.r5 <= metrics.r10 == 1.0
            assert metrics.r1 <= metrics.map <= metrics.ndcg10
        if task.task.startswith("text") or name == "vctk":
            assert task.dot.r1 >= 0.8  # the starter set is trained on this world
    assert evaluation.tasks[0].queries == {"audiocaps": 10, "clotho": 25}.get(name, count)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["desed", "audioset-strong"])
def test_detection_metrics(folder: Path, library: Library, starter: ModelSet, name: str) -> None:
    evaluation = evaluated(read_dataset(folder / name), library, starter)
    assert evaluation.tasks == ()
    sounds = evaluation.sounds
    assert sounds is not None
    assert sounds.labels == 4
    assert sounds.clips == (4 if name == "desed" else 3)  # silent_sun.mp4 has no audio stream
    assert sounds.auroc > 0.9
    assert min(sounds.event_f1, sounds.segment_f1, sounds.psds2) > 0.3
    assert max(sounds.event_f1, sounds.segment_f1, sounds.psds1, sounds.psds2) <= 1.0


@pytest.mark.slow
def test_availability_counts_clips_outside_the_library(
    folder: Path, library: Library, starter: ModelSet, sample_media: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder / "clotho", tmp_path / "clotho")
    dataset = read_dataset(tmp_path / "clotho")
    with pytest.raises(LibraryError, match=r"clotho lists 6 clips: 5 are in .* and none is in the library"):
        DatasetRun(dataset, library, starter)
    original = folder / "clotho" / "evaluation" / "bell (take 1).mp4"
    (tmp_path / "clotho" / "evaluation" / original.name).unlink()
    (tmp_path / "clotho" / "evaluation" / original.name).symlink_to(original)
    availability = DatasetRun(read_dataset(tmp_path / "clotho"), library, starter).availability
    assert (availability.on_disk, availability.indexed, len(availability.unindexed)) == (5, 1, 4)
