"""After `doctor --repair`, the next run embeds the files that lost data again, and no others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pesearch.encoders.model_set import ModelSet
from pesearch.store.doctor import examine, repair
from pesearch.store.library import Library, create_library, open_library
from pesearch.types import SpaceName
from tests.indexer.runs import IndexedFolder, location_counts, names_by_kind, row_counts, run

pytestmark = pytest.mark.slow


def repair_lines(library: Library) -> int:
    """The number of lines that the repair reports."""
    return len(list(repair(library.folder)))


def damage(folder: Path) -> None:
    """Overwrite the only shard in a folder."""
    (shard,) = folder.iterdir()
    shard.write_bytes(b"damage")


def test_lost_vectors_are_embedded_again(indexed_media: IndexedFolder, indexed_copy: Library, models: ModelSet) -> None:
    media, library = indexed_media.folder, indexed_copy
    whole = row_counts(library)
    damage(library.folder / "vectors" / "frame")
    assert repair_lines(library) == 1
    for name, counts in row_counts(library).items():
        assert counts == {space: rows for space, rows in whole[name].items() if space is not SpaceName.FRAME}
    assert names_by_kind(run(media, library, models)) == {
        "Indexed": ["both.mp4", "cover.png"],
        "Unchanged": ["tone.wav"],
    }
    assert row_counts(library) == whole
    assert names_by_kind(run(media, library, models)) == {"Unchanged": ["both.mp4", "cover.png", "tone.wav"]}
    assert library.failures() == []


def test_lost_features_are_embedded_again(media: Path, tmp_path: Path, starter: ModelSet) -> None:
    """With a model set that stores features."""
    library, models = create_library(tmp_path / "library", starter.name, starter.spaces), starter
    run(media, library, models)
    whole = row_counts(library)
    damage(library.folder / "features")
    assert repair_lines(library) == 1
    assert row_counts(library) == whole
    assert names_by_kind(run(media, library, models)) == {
        "Indexed": ["both.mp4", "tone.wav"],
        "Unchanged": ["cover.png"],
    }
    assert row_counts(library) == whole
    assert sum(library.features(file.id) is not None for file in library.files()) == 2


def test_a_damaged_file_that_moved_is_embedded_again(media: Path, library: Library, models: ModelSet) -> None:
    run(media, library, models)
    whole = row_counts(library)["tone.wav"]
    damage(library.folder / "vectors" / "audio")
    repair_lines(library)
    (media / "sound" / "tone.wav").rename(media / "moved.wav")
    assert names_by_kind(run(media, library, models))["Indexed"] == ["both.mp4", "moved.wav"]
    assert row_counts(library)["moved.wav"] == whole
    assert set(location_counts(library)) == {"both.mp4", "cover.png", "moved.wav"}


def test_an_offline_copy_is_not_embedded_when_it_is_back(
    media: Path, library: Library, models: ModelSet, tmp_path: Path
) -> None:
    copy, offline = media / "copy.wav", tmp_path / "offline.wav"
    copy.write_bytes((media / "sound" / "tone.wav").read_bytes())
    run(media, library, models)
    damage(library.folder / "vectors" / "audio")
    repair_lines(library)
    copy.rename(offline)
    assert names_by_kind(run(media, library, models))["Indexed"] == ["both.mp4", "tone.wav"]
    offline.rename(copy)
    assert names_by_kind(run(media, library, models))["Relocated"] == ["copy.wav"]


def test_a_damaged_catalogue_is_replaced_by_its_copy(
    indexed_media: IndexedFolder, indexed_copy: Library, models: ModelSet
) -> None:
    media, library = indexed_media.folder, indexed_copy
    whole = row_counts(library)
    (library.folder / "library.duckdb").write_bytes(b"garbage" * 999)
    assert repair_lines(library) == 1
    assert names_by_kind(run(media, library, models)) == {"Unchanged": ["both.mp4", "cover.png", "tone.wav"]}
    assert row_counts(library) == whole


@pytest.mark.parametrize("content", [b"", b"garbage" * 999])
def test_a_damaged_catalogue_without_a_copy(
    indexed_media: IndexedFolder, indexed_copy: Library, models: ModelSet, content: bytes
) -> None:
    media, library = indexed_media.folder, indexed_copy
    whole = row_counts(library)
    shutil.rmtree(library.folder / "backup")
    (library.folder / "library.duckdb").write_bytes(content)
    assert repair_lines(library) == 1
    again = create_library(library.folder, models.name, models.spaces)
    run(media, again, models)
    assert row_counts(open_library(library.folder)) == whole
    assert examine(library.folder).damaged == ()
