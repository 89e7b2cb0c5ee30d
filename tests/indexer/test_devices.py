"""Several devices: one process per device, one library."""

from __future__ import annotations

import queue
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.encoders.model_set import ModelSet, open_model_set
from pesearch.errors import DeviceError, ModelError
from pesearch.indexer import devices
from pesearch.indexer.devices import ShareDone, split_by_length
from pesearch.indexer.progress_events import Plan, Progress, Remarked, RunTimings
from pesearch.indexer.run import index
from pesearch.indexer.survey import EmbedTask
from pesearch.locations import Location
from pesearch.store.derived.previews import nearest_preview
from pesearch.store.library import Library, create_library
from pesearch.types import MEDIA_SPACES, MediaInfo, MediaKind, Remark
from tests.indexer.runs import names_by_kind, of, row_counts, run
from tests.media.broken import lose_pictures
from tests.media.samples import ffmpeg


def tasks_of(seconds: float) -> EmbedTask:
    return EmbedTask(Location(Path("a"), 1, 1), (), "f", MediaInfo(MediaKind.AUDIO, seconds, None, None))


def test_files_are_shared_out_by_length_not_by_number() -> None:
    lengths = [600.0, 30.0, 3600.0, 60.0, 0.0, 1800.0, 900.0]
    shares = split_by_length([tasks_of(seconds) for seconds in lengths], 2)
    assert [[task.info.duration_seconds for task in share] for share in shares] == [
        [3600.0],
        [1800.0, 900.0, 600.0, 60.0, 30.0, 0.0],
    ]


@given(st.lists(st.floats(0, 10_000), max_size=40), st.integers(1, 8))
def test_every_file_is_in_one_share_and_shares_are_balanced(lengths: list[float], count: int) -> None:
    shares = split_by_length([tasks_of(seconds) for seconds in lengths], count)
    assert sorted(task.info.duration_seconds for share in shares for task in share) == sorted(lengths)
    sums = [sum(task.info.duration_seconds + 1 for task in share) for share in shares]
    assert max(sums) - min(sums) <= max(lengths, default=0) + 1


@pytest.fixture
def both(tiny_set: Path) -> ModelSet:
    return open_model_set("starter", "cpu,cpu", tiny_set)


@pytest.mark.slow
def test_two_processes_make_the_same_library(
    tmp_path: Path, media: Path, library: Library, models: ModelSet, both: ModelSet
) -> None:
    (media / "torn.mp4").write_bytes((media / "film" / "both.mp4").read_bytes()[:900])
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=10:d=4", "-c:v", "mjpeg", media / "holed.avi")
    lose_pictures(media / "holed.avi", 12, 18)
    run(media, library, models)
    shared = create_library(tmp_path / "shared", both.name, both.spaces)
    outcomes = run(media, shared, both)
    assert both._models.loaded == frozenset()  # nothing was embedded here
    assert names_by_kind(outcomes) == {
        "Failed": ["torn.mp4"], "Indexed": ["both.mp4", "cover.png", "holed.avi", "tone.wav"],
    }  # fmt: skip
    lost = Remark("pictures could not be decoded at 00:01.2", 0.625)
    assert of(Remarked, outcomes) == [Remarked(media / "holed.avi", (lost,))]
    for made in (library, shared):
        assert [(file.path.name, file.remarks) for file in made.files_with_remarks()] == [("holed.avi", (lost,))]
    assert row_counts(shared) == row_counts(library)
    files = {file.path: file.id for file in shared.files()}
    for file in library.files():
        for space in MEDIA_SPACES:
            one, other = library.vectors(file.id, space), shared.vectors(files[file.path], space)
            assert np.array_equal(one.segments, other.segments)
            np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-3)
        assert nearest_preview(shared.folder, file.fingerprint, 0) == nearest_preview(
            library.folder, file.fingerprint, 0
        )
    (plan,), (timings,) = of(Plan, outcomes), of(RunTimings, outcomes)
    assert sum(step.media_seconds for step in of(Progress, outcomes)) == pytest.approx(plan.media_seconds)
    assert timings.codec_seconds > 0


@pytest.mark.slow
def test_an_error_in_a_process_is_raised_in_the_parent(tmp_path: Path, media: Path, tiny_set: Path) -> None:
    folder = Path(shutil.copytree(tiny_set, tmp_path / "models"))
    broken = open_model_set("starter", "cpu,cpu", folder)
    library = create_library(tmp_path / "library", broken.name, broken.spaces)
    (folder / "pe_av" / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="pe_av cannot be loaded"):
        list(index([media / "sound"], library, broken))
    assert library.files() == []


PARENT = """
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from pesearch.encoders.model_set import open_model_set
from pesearch.indexer.run import index
from pesearch.store.library import open_library

folder, library, models = map(Path, sys.argv[1:])
for outcome in index([folder], open_library(library), open_model_set("starter", "cpu,cpu", models)):
    print(type(outcome).__name__, flush=True)
"""


def test_messages_are_passed_on_until_a_process_is_done() -> None:
    messages: queue.Queue[Any] = queue.Queue()
    done = ShareDone((), ())
    for message in (Progress(1.0), (), done, Progress(2.0)):
        messages.put(message)
    events = devices._until_done(cast(Any, messages), [])
    assert [next(events), next(events)] == [Progress(1.0), ()]
    with pytest.raises(StopIteration) as end:
        next(events)
    assert end.value.value is done


def test_a_process_that_dies_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its messages are taken first. A process that has ended well is no reason to stop."""
    monkeypatch.setattr(devices, "POLL_SECONDS", 0.001)
    messages: queue.Queue[Any] = queue.Queue()
    messages.put(Progress(1.0))
    processes = [SimpleNamespace(exitcode=0), SimpleNamespace(exitcode=-9)]
    events = devices._until_done(cast(Any, messages), cast(Any, processes))
    assert next(events) == Progress(1.0)
    with pytest.raises(DeviceError, match="A device process has died"):
        next(events)


@pytest.mark.slow
def test_a_process_ends_when_its_parent_is_killed(tmp_path: Path, library: Library, tiny_set: Path) -> None:
    """Both write to the same pipe: it is closed when the last of them has ended."""
    ffmpeg("-f", "lavfi", "-i", "sine=500:r=8000:d=1300", tmp_path / "long.wav")  # long enough to be streamed to disk
    command = [sys.executable, "-c", PARENT, tmp_path, library.folder, tiny_set]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert "Progress\n" in parent.stdout
        parent.kill()
        parent.communicate(timeout=60)
    with library.writer():
        assert not list((library.folder / "vectors").glob("*/*"))
