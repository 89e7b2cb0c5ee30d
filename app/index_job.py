"""An indexing run in a process of its own, so that a file that crashes the decoder does not end the server.

python -m pesearch.app.index_job [--retry-failed] [--model NAME] LIBRARY PATH...

The process writes its progress to stdout, one JSON object (`IndexProgress`) a line, and ends when its stdin is closed:
that stops it on any system, and so does the end of the server.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.app.shutdown import exit_after_grace, exit_now
from pesearch.interrupts import interrupt_main_thread, is_interrupt, remember_interrupts

if TYPE_CHECKING:
    from pesearch.indexer.progress_events import Outcome

REPORT_INTERVAL_SECONDS = 0.3

INTERRUPTED = 130
"""The exit status of a run that was stopped (128 + SIGINT)."""


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """Progress of a run: seconds of media done and planned, files planned, indexed, failed and with remarks.

    `stage` is a word or two for display; `error` is one line with the reason if the run ended early.
    """

    stage: str = "starting"
    planned_seconds: float = 0.0
    done_seconds: float = 0.0
    planned_files: int = 0
    files: int = 0
    failed: int = 0
    remarked: int = 0
    is_over: bool = False
    error: str = ""

    @property
    def fraction(self) -> float:
        """The part of the media that is done, in 0..1."""
        return min(self.done_seconds / self.planned_seconds, 1.0) if self.planned_seconds else float(self.is_over)


class IndexJob:
    """Indexes into one library, one run at a time. Safe to share among threads."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._process: subprocess.Popen[str] | None = None
        self._follower: threading.Thread | None = None
        self._start_lock = threading.Lock()
        self.progress: IndexProgress | None = None
        self.paths: tuple[Path, ...] = ()
        """Those of the last run."""

    @property
    def is_running(self) -> bool:
        """Whether a run has started and is not over."""
        return self.progress is not None and not self.progress.is_over

    def start(self, paths: Sequence[Path], retry_failed: bool = False, model_set: str | None = None) -> bool:
        """Start a run; returns False while another one is running. `model_set` is for a library that it creates."""
        with self._start_lock:
            if self.is_running:
                return False
            if self._follower is not None:
                self._follower.join()  # the previous run is over and its process is about to end
            options = [*(["--retry-failed"] if retry_failed else []), *(["--model", model_set] if model_set else [])]
            command = [sys.executable, "-m", "pesearch.app.index_job", *options]
            self._process = subprocess.Popen(
                [*command, "--", str(self._library), *map(str, paths)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            self.progress, self.paths = IndexProgress(), tuple(paths)
            self._follower = threading.Thread(target=self._follow, args=(self._process,), daemon=True)
            self._follower.start()
            return True

    def stop(self) -> None:
        """Interrupt the run; indexed files stay."""
        if self._process is not None and self._process.stdin is not None and self.is_running:
            self._process.stdin.close()

    def _follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None and self.progress is not None
        with process:
            for line in process.stdout:
                self.progress = IndexProgress(**json.loads(line))
        if self.progress.is_over:
            return
        if process.returncode in (INTERRUPTED, -signal.SIGINT):  # the latter while Python itself was starting
            self.progress = replace(self.progress, stage="stopped", is_over=True)
        else:
            error = f"The indexing process died (exit status {process.returncode}). Start it again to continue."
            self.progress = replace(self.progress, stage="failed", is_over=True, error=error)


def main(arguments: Sequence[str]) -> int:
    """The process of a run. Exit status 0 when all is done, 130 when it was interrupted, 2 after an error."""
    from pesearch.errors import PesearchError

    parser = argparse.ArgumentParser()
    parser.add_argument("--retry-failed", action="store_true")
    parser.add_argument("--model")
    parser.add_argument("library", type=Path)
    parser.add_argument("paths", type=Path, nargs="+")
    options, reporter = parser.parse_args(arguments), _ProgressReporter()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
    remember_interrupts(lambda: exit_after_grace(INTERRUPTED))
    try:
        threading.Thread(target=_stop_with_server, daemon=True).start()
        for outcome in _outcomes(options.library, options.paths, options.model, options.retry_failed):
            reporter.update(outcome)
    except (KeyboardInterrupt, Exception) as error:
        if is_interrupt(error):
            reporter.finish("stopped")
            exit_now(INTERRUPTED)  # decoding threads would be waited for
        if not isinstance(error, PesearchError):
            raise
        reporter.finish("failed", str(error))
        return 2
    reporter.finish("done")
    return 0


def _stop_with_server() -> None:
    """Wait until stdin is closed, which happens when the server ends for whatever reason, then interrupt the run."""
    sys.stdin.read()
    interrupt_main_thread()


def _outcomes(library: Path, paths: Sequence[Path], model_set: str | None, retry_failed: bool) -> Iterator[Outcome]:
    from pesearch.indexer.opening import open_for_indexing
    from pesearch.indexer.run import index

    opened, models = open_for_indexing(library, model_set, "auto")
    yield from index(paths, opened, models, retry_failed=retry_failed)


class _ProgressReporter:
    """Writes progress to stdout, at most once every REPORT_INTERVAL_SECONDS and at the end."""

    def __init__(self) -> None:
        self._progress, self._reported_at = IndexProgress(), 0.0

    def finish(self, stage: str, error: str = "") -> None:
        """Report that the run is over."""
        self._progress = replace(self._progress, stage=stage, is_over=True, error=error)
        self._report()

    def update(self, outcome: Outcome) -> None:
        """Count one outcome of the indexer, and report if the interval has passed."""
        from pesearch.indexer.progress_events import (
            CopiesCompared,
            CuesEmbedded,
            Failed,
            Indexed,
            Plan,
            Progress,
            PropertiesRead,
            Remarked,
        )

        now = self._progress
        match outcome:
            case Plan(files, media_seconds):
                self._progress = replace(now, stage="indexing", planned_files=files, planned_seconds=media_seconds)
            case Progress(media_seconds):
                self._progress = replace(now, stage="indexing", done_seconds=now.done_seconds + media_seconds)
            case CuesEmbedded():
                self._progress = replace(now, stage="embedding subtitles")
            case PropertiesRead():
                self._progress = replace(now, stage="reading dates and places")
            case CopiesCompared():
                self._progress = replace(now, stage="comparing copies")
            case Indexed():
                self._progress = replace(now, files=now.files + 1)
            case Failed():
                self._progress = replace(now, failed=now.failed + 1)
            case Remarked():
                self._progress = replace(now, remarked=now.remarked + 1)
        if time.monotonic() - self._reported_at > REPORT_INTERVAL_SECONDS:
            self._report()

    def _report(self) -> None:
        sys.stdout.write(json.dumps(asdict(self._progress)) + "\n")
        sys.stdout.flush()
        self._reported_at = time.monotonic()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
