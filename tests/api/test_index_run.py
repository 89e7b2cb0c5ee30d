"""`IndexRun`: what it counts, logs and returns, with made-up outcomes."""

from __future__ import annotations

import gc
import logging
from collections.abc import Generator, Iterable
from pathlib import Path
from threading import Event, Thread

import pytest

import pesearch
from pesearch.damage import DamagedFile
from pesearch.indexer.progress_events import Damaged, RunTimings
from pesearch.locations import Location
from pesearch.store.index.maintenance import RefreshFailed, RefreshProgress
from pesearch.types import Failure

PLACE = Location(Path("/v/a\n.mp4"), 1, 1)
INFO = pesearch.MediaInfo(pesearch.MediaKind.AUDIO, 360.0, None, None)
FAILED = pesearch.Failed(Failure(PLACE, "empty file"))
OUTCOMES: tuple[pesearch.Outcome, ...] = (
    pesearch.Plan(1, 360.0),
    pesearch.Progress(360.0),
    pesearch.Indexed(PLACE, INFO, 0.5),
    FAILED,
    pesearch.Remarked(PLACE.path, (pesearch.Remark("no subtitles"),)),
    pesearch.Missing(Path("/v/b.mp4")),
    RefreshProgress("audio", 0.5),
    RefreshProgress("audio", 1.0),
    RefreshFailed("frame", "disk full"),
    Damaged((DamagedFile(Path("/v/c.mp4"), "audio", Path("a.arrow"), rows=4, lost=1, restored=0, reason=""),)),
    RunTimings(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, ("cuda:0: memory ran out",)),
)


def run_of(outcomes: Iterable[pesearch.Outcome]) -> pesearch.IndexRun:
    def generate() -> Generator[pesearch.Outcome, None, None]:
        yield from outcomes

    return pesearch.IndexRun(Path("/library"), generate())


def test_the_summary_counts_what_was_iterated_over() -> None:
    run = run_of(OUTCOMES)
    assert run.finish() == run.summary
    summary = run.summary
    assert (summary.is_complete, summary.indexed, summary.missing, summary.failed) == (
        True, 1, 1, {PLACE.path: "empty file"},
    )  # fmt: skip
    assert (summary.media_seconds, summary.unread_seconds) == (360.0, 0.5)
    assert list(summary.remarks) == [PLACE.path]
    assert summary.warnings[0] == "cuda:0: memory ran out"
    assert "frame could not be updated (disk full)" in summary.warnings[1]
    assert repr(run) == "IndexRun('/library', 1 indexed, complete)"


def test_outcomes_have_the_path_and_the_reason() -> None:
    assert (FAILED.path, FAILED.reason) == (PLACE.path, "empty file")
    assert pesearch.Unchanged(PLACE).path == PLACE.path


def test_changes_and_failures_are_logged_on_one_line_each(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "pesearch"):
        run_of(OUTCOMES).finish()
    *lines, last = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert lines == [
        ("INFO", "indexed: /v/a\\n.mp4"),
        ("WARNING", "failed: /v/a\\n.mp4: empty file"),
        ("WARNING", "remark: /v/a\\n.mp4: no subtitles"),
        ("INFO", "missing: /v/b.mp4"),
        ("INFO", "search index updated: audio"),
        ("WARNING", "search index not updated: frame: disk full"),
        ("WARNING", "damaged: /v/c.mp4: 1 of its 4 audio vectors are damaged and left out: run `pesearch doctor`"),
        ("WARNING", "cuda:0: memory ran out"),
    ]
    assert last[0] == "INFO"
    assert last[1].startswith("/library: 1 file indexed, 1 failed, in ")


def test_a_run_that_was_closed_is_not_complete() -> None:
    run = run_of(OUTCOMES)
    next(run)
    run.close()
    assert list(run) == []
    assert not run.summary.is_complete
    assert repr(run) == "IndexRun('/library', 0 indexed, not complete)"


@pytest.mark.parametrize("error", [KeyboardInterrupt, pesearch.LibraryBusy])
def test_a_run_that_an_error_ended_is_not_complete(error: type[BaseException]) -> None:
    def outcomes() -> Generator[pesearch.Outcome, None, None]:
        yield FAILED
        raise error

    run = run_of(outcomes())
    with pytest.raises(error):
        run.finish()
    assert list(run) == []
    assert (run.summary.is_complete, len(run.summary.failed)) == (False, 1)


def test_another_thread_ends_a_run() -> None:
    has_begun, may_continue, finalized = Event(), Event(), Event()

    def outcomes() -> Generator[pesearch.Outcome, None, None]:
        try:
            has_begun.set()
            may_continue.wait(10)
            yield from OUTCOMES
        finally:
            finalized.set()

    run = run_of(outcomes())
    seen: list[pesearch.Outcome] = []
    thread = Thread(target=lambda: seen.extend(run))
    thread.start()
    assert has_begun.wait(10)
    run.close()
    may_continue.set()
    thread.join(10)
    assert seen == [OUTCOMES[0]]
    assert finalized.is_set()


def test_a_run_that_nobody_iterates_over_warns() -> None:
    run = run_of(OUTCOMES)
    assert repr(run) == "IndexRun('/library', not started: iterate over it, or call finish())"
    with pytest.warns(RuntimeWarning, match="nothing was indexed into /library"):
        del run
        gc.collect()
