"""Previews in the library: a frame every ten seconds of a video, the image itself of a still, none of sound."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pesearch.encoders.model_set import ModelSet
from pesearch.media.thumbnails import thumbnail
from pesearch.store.derived.previews import PREVIEW_FOLDER, nearest_preview
from pesearch.store.library import Library
from pesearch.types import ImageArray, MediaKind
from tests.indexer.runs import IndexedFolder, run
from tests.media.samples import ffmpeg


def seen(jpeg: bytes) -> ImageArray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


@pytest.fixture
def film(media: Path) -> Path:
    path = media / "film.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=640x360:r=5:d=25", "-pix_fmt", "yuv420p", "-g", "5", path)
    return path


def test_a_video_has_a_preview_every_ten_seconds(media: Path, film: Path, library: Library, models: ModelSet) -> None:
    run(media, library, models)
    (file,) = [each for each in library.files() if each.path == film]
    (archive,) = (library.folder / PREVIEW_FOLDER).glob(f"*/{file.fingerprint}.zip")
    with zipfile.ZipFile(archive) as kept:
        times_ms = [int(name.removesuffix(".jpg")) for name in kept.namelist()]
        assert [at_ms // 10_000 for at_ms in times_ms] == [0, 1, 2]
        for at_ms in times_ms:
            picture = seen(kept.read(f"{at_ms}.jpg"))
            assert picture.shape == (180, 320, 3)
            difference = np.abs(picture.astype(int) - seen(thumbnail(film, at_ms / 1000)).astype(int))
            assert difference.mean() < 4
    assert nearest_preview(library.folder, file.fingerprint, 12.0) != nearest_preview(
        library.folder, file.fingerprint, 0.0
    )


def test_a_still_image_has_a_preview_and_sound_has_none(indexed_media: IndexedFolder) -> None:
    media, library = indexed_media.folder, indexed_media.library
    by_kind = {file.info.kind: file.fingerprint for file in library.files()}
    still = nearest_preview(library.folder, by_kind[MediaKind.IMAGE], 0.0)
    assert still is not None
    assert seen(still).shape == seen(thumbnail(media / "cover.png", 0.0, 640)).shape
    assert nearest_preview(library.folder, by_kind[MediaKind.AUDIO], 0.0) is None


def test_previews_are_removed_with_their_file(indexed_copy: Library) -> None:
    library = indexed_copy
    gone, stays = (
        next(file for file in library.files() if file.info.kind is kind) for kind in (MediaKind.VIDEO, MediaKind.IMAGE)
    )
    with library.writer() as writer:
        writer.remove([gone.id])
        assert writer.sweep_previews() > 0
        assert writer.sweep_previews() == 0
    assert nearest_preview(library.folder, gone.fingerprint, 0.0) is None
    assert nearest_preview(library.folder, stays.fingerprint, 0.0) is not None


def test_a_file_is_indexed_even_if_previews_cannot_be_written(media: Path, library: Library, models: ModelSet) -> None:
    (library.folder / PREVIEW_FOLDER).write_text("a file where their folder would be")
    run(media, library, models)
    assert len(library.files()) == 3
