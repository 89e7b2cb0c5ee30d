"""Files whose shards were written elsewhere are stored like those that the writer writes itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pesearch.errors import ClusterError
from pesearch.store.library import Library
from pesearch.store.shards.format import Shard
from pesearch.store.shards.records import StreamedFile
from pesearch.store.shards.staging import Staging
from pesearch.store.write.batch import store_files
from tests.store.contents import FRAME, SPACES, encoded

FILES = [encoded("/a", "one", rows=3, steps=4), encoded("/b", "two", rows=1), encoded("/c", "three", rows=5, steps=2)]


def check(library: Library) -> None:
    assert [file.path for file in library.files()] == [file.location.path for file in FILES]
    for file, whole in zip(library.files(), FILES, strict=True):
        for expected in whole.vectors:
            stored = library.vectors(file.id, expected.space)
            assert np.array_equal(stored.segments, expected.segments)
            assert np.array_equal(stored.vectors, expected.vectors)
        kept = library.features(file.id)
        assert (kept is None) == (whole.features is None)
        assert kept is None or whole.features is None or np.array_equal(kept.steps, whole.features.steps)


def shards_of(files: list[StreamedFile]) -> list[Shard]:
    return list({extent.shard for file in files for extent in file.extents})


def test_files_of_a_batch_share_shards(library: Library) -> None:
    with library.writer() as writer:
        files = store_files(library.folder, FILES, SPACES)
        assert len(shards_of(files)) == len(SPACES) + 1
        writer.add(files)
        writer.sweep()
    check(library)


def test_duplicate_content_is_stored_once(library: Library) -> None:
    """A batch that two workers embedded, with a content that was known before."""
    with library.writer() as writer:
        writer.add(FILES[:1])
        writer.add([*store_files(library.folder, FILES, SPACES), *store_files(library.folder, FILES, SPACES)])
        writer.sweep()
    check(library)


def test_shards_pass_through_a_staging_folder(library: Library, tmp_path: Path) -> None:
    staging = Staging(tmp_path.as_uri(), "staging")
    staging.clear()
    with library.writer() as writer:
        files = store_files(tmp_path / "worker", FILES, SPACES)
        staging.put(tmp_path / "worker", shards_of(files))
        assert not list((tmp_path / "worker").rglob("*.arrow"))
        staging.fetch(library.folder, shards_of(files))
        writer.add(files)
    check(library)
    assert not list((tmp_path / "staging").rglob("*.arrow"))
    staging.clear()
    assert not (tmp_path / "staging").exists()


def test_damaged_staged_shard_is_refused(library: Library, tmp_path: Path) -> None:
    staging = Staging(tmp_path.as_uri(), "staging")
    shards = shards_of(store_files(tmp_path / "worker", FILES[:1], SPACES[1:] + SPACES[:1]))
    staging.put(tmp_path / "worker", shards)
    damaged = next((tmp_path / "staging").rglob(f"{FRAME.name}/*.arrow"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    with pytest.raises(ClusterError, match=r"returned a damaged vectors/frame/"):
        staging.fetch(library.folder, shards)
    assert not list(library.folder.rglob("*/frame/*"))


def test_error_of_a_staging_folder_is_one_line_without_secrets() -> None:
    with pytest.raises(ClusterError, match="The staging folder nothing://here cannot be used") as caught:
        Staging("nothing://key:secret@here?token=secret", "staging").clear()
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
