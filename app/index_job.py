"""An indexing run beside the page, in a process of its own: a damaged file that ends it does not end the page.

python -m pesearch.app.index_job [--retry-failed] [--model NAME] LIBRARY PATH...     one JSON object a line: how far
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pesearch.app.shutdown import end_within_seconds

if TYPE_CHECKING:
    from pesearch.indexer.progress_events import Outcome

TOLD_EACH_SECONDS = 0.3

INTERRUPTED = (130, -signal.SIGINT)
"""How a run ends that was stopped: by itself, or by the signal where that came while it was starting."""


@dataclass(frozen=True, slots=True)
class Run:
    """How far a run is: `done_seconds` of `planned_seconds` of media, the files that are in and that failed.

    `doing` is one line for people; `error` what ended it, if anything did.
    """

    doing: str = "starting"
    planned_seconds: float = 0.0
    done_seconds: float = 0.0
    planned_files: int = 0
    files: int = 0
    failed: int = 0
    is_over: bool = False
    error: str = ""

    @property
    def share(self) -> float:
        """How much of it is done, in 0..1."""
        return min(self.done_seconds / self.planned_seconds, 1.0) if self.planned_seconds else float(self.is_over)


class IndexJob:
    """The one run that a page may have; safe to ask from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self._follower: threading.Thread | None = None
        self._starting = threading.Lock()
        self.run: Run | None = None

    @property
    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self.run is not None and not self.run.is_over

    def start(self, paths: Sequence[Path], retry_failed: bool = False, model: str | None = None) -> None:
        """Begin a run, of that model set where the library is made by it; nothing where one is under way."""
        with self._starting:
            if self.is_running:
                return
            if self._follower is not None:
                self._follower.join()  # the run before is over, and its process about to end
            options = [*(["--retry-failed"] if retry_failed else []), *(["--model", model] if model else [])]
            command = [sys.executable, "-m", "pesearch.app.index_job", *options]
            self._process = subprocess.Popen(
                [*command, "--", str(self._folder), *map(str, paths)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            self.run = Run()
            self._follower = threading.Thread(target=self._follow, args=(self._process,), daemon=True)
            self._follower.start()

    def stop(self) -> None:
        """End the run; what is finished stays."""
        if self._process is not None and self.is_running:
            self._process.send_signal(signal.SIGINT)

    def _follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None and self.run is not None
        with process:
            for line in process.stdout:
                self.run = Run(**json.loads(line))
        if self.run.is_over:
            return
        if process.returncode in INTERRUPTED:
            self.run = replace(self.run, doing="stopped", is_over=True)
        else:
            error = f"The run was ended from outside ({process.returncode}): start it again, it goes on."
            self.run = replace(self.run, doing="ended", is_over=True, error=error)


def main(arguments: Sequence[str]) -> int:
    """The run itself. Ends with 130 when it is interrupted, 2 when it cannot go on."""
    from pesearch.errors import PesearchError

    parser = argparse.ArgumentParser()
    parser.add_argument("--retry-failed", action="store_true")
    parser.add_argument("--model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("paths", type=Path, nargs="+")
    asked, told = parser.parse_args(arguments), _Told()
    signal.signal(signal.SIGINT, _interrupted)
    try:
        threading.Thread(target=_end_with_the_page, daemon=True).start()
        for outcome in _outcomes(asked.folder, asked.paths, asked.model, asked.retry_failed):
            told.count(outcome)
    except KeyboardInterrupt:
        told.end("stopped")
        os._exit(INTERRUPTED[0])  # threads that decode end with it
    except PesearchError as error:
        told.end("ended", str(error))
        return 2
    told.end("done")
    return 0


def _end_with_the_page() -> None:
    """The page holds the other end of stdin: it closes when the page ends, however that ends."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGINT)


def _interrupted(*_: object) -> NoReturn:
    end_within_seconds(INTERRUPTED[0])  # libraries swallow an interrupt that comes while they are loaded
    raise KeyboardInterrupt


def _outcomes(folder: Path, paths: Sequence[Path], model: str | None, retry_failed: bool) -> Iterator[Outcome]:
    from pesearch.indexer.opening import open_for_indexing
    from pesearch.indexer.run import index

    library, models = open_for_indexing(folder, model, "auto")
    yield from index(paths, library, models, retry_failed=retry_failed)


class _Told:
    """How far a run is, told on stdout."""

    def __init__(self) -> None:
        self.run, self._last = Run(), 0.0

    def tell(self) -> None:
        """Say how far it is now."""
        sys.stdout.write(json.dumps(asdict(self.run)) + "\n")
        sys.stdout.flush()
        self._last = time.monotonic()

    def end(self, doing: str, error: str = "") -> None:
        """Say that it is over."""
        self.run = replace(self.run, doing=doing, is_over=True, error=error)
        self.tell()

    def count(self, outcome: Outcome) -> None:
        """Take up one outcome; it is told a few times a second."""
        from pesearch.indexer.progress_events import CuesEmbedded, Failed, Indexed, Plan, Progress

        run = self.run
        match outcome:
            case Plan(files, media_seconds):
                self.run = replace(run, doing="indexing", planned_files=files, planned_seconds=media_seconds)
            case Progress(media_seconds):
                self.run = replace(run, doing="indexing", done_seconds=run.done_seconds + media_seconds)
            case CuesEmbedded():
                self.run = replace(run, doing="embedding subtitles")
            case Indexed():
                self.run = replace(run, files=run.files + 1)
            case Failed():
                self.run = replace(run, failed=run.failed + 1)
        if time.monotonic() - self._last > TOLD_EACH_SECONDS:
            self.tell()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
