"""When batches of finished files are committed: by number, by memory, by time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.errors import NoSpaceLeft
from pesearch.indexer import commit
from pesearch.indexer.commit import Committer, EmbeddedFile, ResultGroup
from pesearch.indexer.cues import FileCues
from pesearch.indexer.progress_events import Failed, Indexed
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

    def record(_writer: Writer, batch: Sequence[ResultGroup]) -> list[Failed]:
        sizes.append(sum(map(len, batch)))
        return [Failed(FAILURE) for group in batch for _ in group]

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


@pytest.mark.parametrize("error", [NoSpaceLeft("the disk is full"), KeyboardInterrupt()])
def test_outcomes_that_nobody_took_are_reported_at_the_end(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, error: BaseException
) -> None:
    """Of the commit before the one that failed, and the rest of a batch whose first outcome was taken."""
    fails = False

    def commit_or_fail(_writer: Writer, batch: Sequence[ResultGroup]) -> list[Failed]:
        if fails:
            raise error
        return [Failed(each) for group in batch for each in group if isinstance(each, Failure)]

    monkeypatch.setattr(commit, "commit", commit_or_fail)
    rest: list[Any] = []
    with (
        pytest.raises(type(error)),
        Committer(cast(Writer, None), StageTimings(), rest.append) as files,
    ):
        files.add(*[FAILURE] * 3)
        assert next(files.flush()) == Failed(FAILURE)
        fails = True
        files.add(FAILURE)
        files.flush()
    assert rest == [Failed(FAILURE)] * 2


def test_a_failed_file_that_is_gone_is_reported_but_not_recorded(tmp_path: Path) -> None:
    recorded: list[Failure] = []
    writer = SimpleNamespace(record_failures=lambda *failures: recorded.extend(failures))
    gone = Failure(Location(tmp_path / "gone.mp4", 1, 1), "deleted while it was read")
    assert commit.commit(cast(Writer, writer), [(FAILURE, gone)]) == [Failed(FAILURE), Failed(gone)]
    assert recorded == [FAILURE]


def test_files_with_many_cues_are_committed_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cues of a file are read once those of the files before it are stored; files that share shards stay
    together."""
    events: list[str] = []

    def read(locations: Sequence[Location], *_: Any) -> FileCues:
        events.append(f"read {locations[0].path}")
        return FileCues((CueSource(None, None, (Cue(0.0, 1.0, "said", CueKind.SUBTITLE, "stream 2"),) * 6),), ())

    def add(files: Sequence[EncodedFile]) -> None:
        events.append(" ".join(["commit", *(str(file.location.path) for file in files)]))

    def named(name: str) -> EmbeddedFile:
        file = embedded()
        return replace(file, file=replace(file.file, location=Location(Path(name), 1, 1)))

    monkeypatch.setattr(commit, "read_cues", read)
    monkeypatch.setattr(commit, "MAX_BATCH_CUES", 12)
    writer = SimpleNamespace(add=add, keep_previews=lambda *_: None)
    groups = [(named("a"),), (named("b"), named("c")), (named("d"),)]
    outcomes = commit.commit(cast(Writer, writer), groups)
    assert [each.location.path.name for each in outcomes if isinstance(each, Indexed)] == ["a", "b", "c", "d"]
    assert events == ["read a", "read b", "read c", "commit a b c", "read d", "commit d"]
