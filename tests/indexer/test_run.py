"""A folder into a library, with real files, the real model classes and the real store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pesearch.encoders.io_types import WindowInput
from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.errors import FFmpegMissing, LibraryBusy, ModelMismatch, PesearchError
from pesearch.indexer.progress_events import Indexed, NotMedia, Plan, Progress
from pesearch.indexer.run import index
from pesearch.media.audio import read_audio
from pesearch.media.image import read_image
from pesearch.media.video import read_frames
from pesearch.store.library import Library, create_library, open_library
from pesearch.timeline import grid
from pesearch.types import MediaKind, SpaceName
from tests.indexer.runs import IndexedFolder, names_by_kind, of, row_counts, run

SEEN_AND_HEARD = {SpaceName.FRAME: 7, SpaceName.VIDEO: 1, SpaceName.AUDIO: 1, SpaceName.AUDIO_VIDEO: 1}


def test_missing_libraries_of_ffmpeg_are_reported_before_a_file_is_embedded(
    media: Path, library: Library, models: ModelSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def video_decoder() -> None:
        raise FFmpegMissing("no libraries")

    monkeypatch.setattr("pesearch.media.ffmpeg.video_decoder", video_decoder)
    outcomes = index([media], library, models)
    with pytest.raises(FFmpegMissing, match="no libraries"):
        list(outcomes)
    assert row_counts(library) == {}


def test_a_folder_is_indexed(indexed_media: IndexedFolder) -> None:
    library, outcomes = indexed_media.library, indexed_media.outcomes
    assert names_by_kind(outcomes) == {"Indexed": ["both.mp4", "cover.png", "tone.wav"]}
    assert [outcome.location.path.name for outcome in of(NotMedia, outcomes)] == ["notes.txt"]
    assert row_counts(library) == {
        "both.mp4": SEEN_AND_HEARD,
        "tone.wav": {SpaceName.AUDIO: 1},
        "cover.png": {SpaceName.FRAME: 1},
    }
    assert {file.info.kind for file in library.files()} == set(MediaKind)
    assert not any(outcome.unread_seconds for outcome in of(Indexed, outcomes))


def test_progress_adds_up_to_the_plan(indexed_media: IndexedFolder) -> None:
    outcomes = indexed_media.outcomes
    (plan,) = of(Plan, outcomes)
    assert plan.files == 3
    assert plan.media_seconds == pytest.approx(8, abs=0.1)
    assert sum(step.media_seconds for step in of(Progress, outcomes)) == pytest.approx(plan.media_seconds)
    embedding = [outcomes.index(each) for each in (*of(Progress, outcomes), *of(Indexed, outcomes))]
    assert outcomes.index(plan) < min(embedding)


def test_vectors_equal_those_of_plain_calls(indexed_media: IndexedFolder, models: ModelSet) -> None:
    media, library = indexed_media.folder, indexed_media.library
    clip, sound, still = media / "film" / "both.mp4", media / "sound" / "tone.wav", media / "cover.png"
    ids = {file.path: file.id for file in library.files()}
    duration = library.file(ids[clip]).info.duration_seconds
    frames = [frame.image for frame in read_frames(clip, grid(0, duration))]
    (both,) = models.embed_windows([WindowInput(frames, read_audio(clip, 0, duration))])
    (heard,) = models.embed_windows([WindowInput(None, read_audio(sound, 0, 4))])
    assert both.video is not None
    assert both.audio is not None
    assert both.audio_video is not None
    assert heard.audio is not None
    expected = {
        (clip, SpaceName.FRAME): models.embed_frames(frames),
        (clip, SpaceName.VIDEO): both.video[None],
        (clip, SpaceName.AUDIO): both.audio[None],
        (clip, SpaceName.AUDIO_VIDEO): both.audio_video[None],
        (sound, SpaceName.AUDIO): heard.audio[None],
        (still, SpaceName.FRAME): models.embed_frames([read_image(still)]),
    }
    for (path, space), vectors in expected.items():
        stored = library.vectors(ids[path], space).vectors
        assert np.allclose(stored, vectors, rtol=2e-3, atol=2e-3), (path.name, space)  # stored as float16


def test_all_pages_of_a_scan_are_searched(tmp_path: Path, library: Library, models: ModelSet) -> None:
    first, second = (Image.new("RGB", (32, 32), colour) for colour in ("red", "blue"))
    scan = tmp_path / "scans" / "letter.tif"
    scan.parent.mkdir()
    first.save(scan, save_all=True, append_images=[second])
    run(scan.parent, library, models)
    (file,) = library.files()
    expected = models.embed_frames([np.array(first), np.array(second)])
    stored = library.vectors(file.id, SpaceName.FRAME)
    assert stored.segments.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert np.allclose(stored.vectors, expected, rtol=2e-3, atol=2e-3)


def test_segments_cover_the_file(indexed_media: IndexedFolder) -> None:
    library = indexed_media.library
    (clip,) = (file for file in library.files() if file.info.kind is MediaKind.VIDEO)
    duration = clip.info.duration_seconds
    assert library.vectors(clip.id, SpaceName.AUDIO_VIDEO).segments.tolist() == [[0.0, duration]]
    shown = library.vectors(clip.id, SpaceName.FRAME).segments
    assert shown[0, 0] == 0
    assert np.array_equal(shown[1:, 0], shown[:-1, 1])
    assert shown[-1, 1] == pytest.approx(duration)
    (still,) = (file for file in library.files() if file.info.kind is MediaKind.IMAGE)
    assert library.vectors(still.id, SpaceName.FRAME).segments.tolist() == [[0.0, 0.0]]


def test_a_model_set_without_a_video_tower(tmp_path: Path, media: Path, tiny_set: Path) -> None:
    light = open_model_set("light", "cpu", tiny_set)
    library = create_library(tmp_path / "light", light.name, light.spaces)
    run(media, library, light)
    assert row_counts(library) == {
        "both.mp4": {SpaceName.FRAME: 7, SpaceName.AUDIO: 1},
        "tone.wav": {SpaceName.AUDIO: 1},
        "cover.png": {SpaceName.FRAME: 1},
    }


def test_a_second_run_changes_nothing(indexed_media: IndexedFolder, models: ModelSet) -> None:
    library = indexed_media.library
    before = library.generation()
    outcomes = run(indexed_media.folder, library, models)
    assert names_by_kind(outcomes) == {"Unchanged": ["both.mp4", "cover.png", "tone.wav"]}
    assert of(Plan, outcomes) == [Plan(0, 0.0)]
    assert library.generation() == before


def test_excludes_and_a_single_file(media: Path, library: Library, models: ModelSet) -> None:
    outcomes = list(index([media], library, models, excludes=["film", "*.png"]))
    assert names_by_kind(outcomes) == {"Indexed": ["tone.wav"]}
    assert names_by_kind(index([media / "cover.png"], library, models)) == {"Indexed": ["cover.png"]}
    assert len(library.files()) == 2


def test_an_invalid_pattern_is_an_error(media: Path, library: Library, models: ModelSet) -> None:
    with pytest.raises(PesearchError, match="not a valid gitignore pattern"):
        list(index([media], library, models, excludes=["a" * 5000]))


def test_a_library_of_another_model_set_is_refused(tmp_path: Path, media: Path, models: ModelSet) -> None:
    other = create_library(tmp_path / "other", "large", models.spaces)
    with pytest.raises(ModelMismatch, match="large"):
        run(media, other, models)


def test_one_writer_at_a_time_while_readers_go_on(media: Path, library: Library, models: ModelSet) -> None:
    first = index([media], library, models)
    next(first)
    with pytest.raises(LibraryBusy):
        run(media, open_library(library.folder), models)
    assert open_library(library.folder).status().files == 0
    assert names_by_kind(first) == {"Indexed": ["both.mp4", "cover.png", "tone.wav"]}
    assert names_by_kind(run(media, library, models)) == {"Unchanged": ["both.mp4", "cover.png", "tone.wav"]}


def test_the_library_may_lie_inside_the_folder(media: Path, models: ModelSet, sample: Callable[[str], Path]) -> None:
    library = create_library(media / "library", models.name, models.spaces)
    thumbnail = media / "library" / "thumbnails" / "1.png"
    thumbnail.parent.mkdir()
    thumbnail.write_bytes(sample("cover.png").read_bytes())
    assert names_by_kind(run(media, library, models)) == {"Indexed": ["both.mp4", "cover.png", "tone.wav"]}
