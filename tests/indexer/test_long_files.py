"""A long file is written to disk while it is embedded: the library is the same, and a failed file leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.indexer import pipeline, row_buffer
from pesearch.indexer.commit import EmbeddedFile
from pesearch.indexer.progress_events import Failed, Progress
from pesearch.indexer.run import index
from pesearch.indexer.survey import EmbedTask
from pesearch.indexer.timings import StageTimings
from pesearch.locations import Location
from pesearch.media.probe import probe
from pesearch.store.library import Library, create_library
from pesearch.store.write import streaming
from pesearch.types import MEDIA_SPACES
from tests.indexer.runs import names_by_kind, of, run
from tests.media.samples import ffmpeg


@pytest.fixture(scope="module")
def starter() -> ModelSet:
    return open_model_set("starter", "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    media = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=5:d=25", "-f", "lavfi", "-i", "anoisesrc=r=16000:d=25")
    ffmpeg(*media, "-c:v", "libx264", "-preset", "ultrafast", folder / "long.mp4")
    return folder


@pytest.fixture
def long(tmp_path: Path, starter: ModelSet, monkeypatch: pytest.MonkeyPatch) -> Library:
    """An empty library for which every file counts as long."""
    monkeypatch.setattr(pipeline, "STREAMING_THRESHOLD_SECONDS", 1.0)
    monkeypatch.setattr(row_buffer, "BATCH_ROWS", 5)
    monkeypatch.setattr(streaming, "BATCH_ROWS", 7)
    return create_library(tmp_path / "long", starter.name, starter.spaces)


def on_disk(library: Library) -> Iterator[Path]:
    return (path for kind in ("vectors", "features") for path in (library.folder / kind).rglob("*") if path.is_file())


def batches_of_frames(library: Library) -> int:
    (shard,) = (library.folder / "vectors" / "frame").iterdir()
    return int(pa.ipc.open_file(shard).num_record_batches)


@pytest.mark.slow
def test_a_streamed_file_gives_the_same_library(tmp_path: Path, folder: Path, starter: ModelSet, long: Library) -> None:
    assert names_by_kind(run(folder, long, starter)) == {"Indexed": ["long.mp4"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "STREAMING_THRESHOLD_SECONDS", 100.0)
        short = create_library(tmp_path / "short", starter.name, starter.spaces)
        run(folder, short, starter)
    assert (batches_of_frames(long), batches_of_frames(short)) == (6, 1)  # 40 rows, as they came and as a whole
    (one,), (other,) = long.files(), short.files()
    for space in MEDIA_SPACES:
        ours, expected = long.vectors(one.id, space), short.vectors(other.id, space)
        assert np.array_equal(ours.segments, expected.segments)
        np.testing.assert_allclose(ours.vectors, expected.vectors, atol=1e-3)
    ours, expected = long.features(one.id), short.features(other.id)
    assert ours is not None and expected is not None
    assert ours.steps.shape == expected.steps.shape == (25 * 25, ours.steps.shape[1])
    np.testing.assert_allclose(ours.steps, expected.steps, atol=1e-2)


@pytest.mark.slow
def test_a_finished_file_stays_when_the_run_is_stopped(folder: Path, starter: ModelSet, long: Library) -> None:
    path = folder / "long.mp4"
    tasks = [EmbedTask(Location.of_file(path), (), "fingerprint", probe(path))]
    embedding = pipeline.embed(tasks, starter, StageTimings(), long.folder)
    with long.writer() as writer:
        (finished,) = next(each for each in embedding if not isinstance(each, Progress))
        embedding.close()
        assert isinstance(finished, EmbeddedFile)
        writer.add([finished.file])
    (file,) = long.files()
    assert all(len(long.vectors(file.id, space).vectors) for space in MEDIA_SPACES)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["stopped", "vanished"])
def test_an_unfinished_file_leaves_nothing_on_disk(
    tmp_path: Path, folder: Path, starter: ModelSet, long: Library, end: str
) -> None:
    media = tmp_path / "media"
    media.mkdir()
    (media / "long.mp4").write_bytes((folder / "long.mp4").read_bytes())
    outcomes = index([media], long, starter)
    next(outcome for outcome in outcomes if isinstance(outcome, Progress))
    assert list(on_disk(long))
    if end == "stopped":
        outcomes.close()
    else:
        (media / "long.mp4").unlink()
        (failed,) = of(Failed, outcomes)
        assert "vanished" in failed.failure.reason
    assert list(on_disk(long)) == []
