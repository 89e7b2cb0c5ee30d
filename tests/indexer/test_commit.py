"""When batches of finished files are committed: by number, by memory, by time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pesearch.indexer import commit
from pesearch.indexer.commit import Committer, EmbeddedFile, FileResult
from pesearch.indexer.progress_events import Failed
from pesearch.indexer.timings import StageTimings
from pesearch.locations import Location
from pesearch.store.derived.previews import Preview
from pesearch.store.write.writer import Writer
from pesearch.types import EncodedFile, Failure, MediaInfo, MediaKind

HERE = Location(Path(__file__), 1, 1)
FAILURE = Failure(HERE, "damaged")
PICTURE = bytes(16 << 20)


class Clock:
    """Stands in for the module `time`."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(commit, "time", clock)
    return clock


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches that are committed, in place of the library."""
    sizes: list[int] = []

    def record(_writer: Writer, batch: Sequence[FileResult]) -> list[Failed]:
        sizes.append(len(batch))
        return [Failed(FAILURE) for _ in batch]

    monkeypatch.setattr(commit, "commit", record)
    return sizes


def committer() -> Committer:
    return Committer(cast(Writer, None), StageTimings())


def embedded() -> EmbeddedFile:
    """16 MiB."""
    file = EncodedFile(HERE, "fingerprint", MediaInfo(MediaKind.IMAGE, 0.0, None, None), (), None)
    return EmbeddedFile(file, (), 0.0, (Preview(0.0, PICTURE),))


def test_a_batch_holds_at_most_64_files(clock: Clock, batches: list[int]) -> None:
    with committer() as files:
        outcomes: list[Any] = []
        for _ in range(150):
            files.add(FAILURE)
            outcomes += files.poll()
        outcomes += files.flush()
    assert batches == [64, 64, 22]
    assert len(outcomes) == 150


def test_a_batch_holds_64_mib_of_vectors_and_pictures(clock: Clock, batches: list[int]) -> None:
    with committer() as files:
        for _ in range(9):
            files.add(embedded())
            files.poll()
    assert batches == [4, 4, 1]


def test_a_file_waits_at_most_five_seconds(clock: Clock, batches: list[int]) -> None:
    with committer() as files:
        for clock.now in (0.0, 2.0, 4.9):
            files.add(FAILURE)
            files.poll()
        clock.now = 5.0
        files.poll()
        files.add(FAILURE)
        clock.now = 9.9
        files.poll()
        files.add(FAILURE)
    assert batches == [3, 2]


def test_files_of_one_call_are_committed_together(clock: Clock, batches: list[int]) -> None:
    """They share shards."""
    with committer() as files:
        files.add(*[FAILURE] * 63)
        files.poll()
        files.add(*[FAILURE] * 63)
        files.poll()
    assert batches == [126]


def test_a_failed_file_that_is_gone_is_reported_but_not_recorded(tmp_path: Path) -> None:
    recorded: list[Failure] = []
    writer = SimpleNamespace(record_failures=lambda *failures: recorded.extend(failures))
    gone = Failure(Location(tmp_path / "gone.mp4", 1, 1), "deleted while it was read")
    assert commit.commit(cast(Writer, writer), [FAILURE, gone]) == [Failed(FAILURE), Failed(gone)]
    assert recorded == [FAILURE]
