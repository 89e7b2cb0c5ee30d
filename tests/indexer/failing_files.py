"""A file that fails at the n-th time it is looked at: it vanishes, or its disk or share does not answer.

python -m tests.indexer.failing_files    # every call of a whole run, every errno: about ten minutes
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any
from unittest import mock

from pesearch.media import probe, sniff

VANISHED = 0
"""In place of an errno: the file is renamed at that moment, so that FFmpeg does not find it either."""

UNREADABLE = -1
"""The file can be opened from then on, but no read succeeds: it is opened for writing."""

ERRNOS = (VANISHED, UNREADABLE, errno.ENOENT, errno.EIO, errno.EACCES, errno.ESTALE)


class CallCount:
    """How many calls on the file there were, and whether one of them failed."""

    def __init__(self) -> None:
        self.calls = 0
        self.failed = False


@contextmanager
def failing(path: Path, at_call: int, code: int) -> Iterator[CallCount]:
    """From its `at_call`-th stat, open or listing by Python on, `path` fails with an errno, VANISHED or UNREADABLE."""
    count, lock = CallCount(), Lock()
    hidden = path.with_name(f".{path.name}.hidden")

    def interposed(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            target = arguments[0] if arguments else "."
            if isinstance(target, int) or os.fspath(target) != str(path):
                return real(*arguments, **options)
            with lock:
                count.calls += 1
                if count.calls < at_call:
                    return real(*arguments, **options)
                count.failed = True
            if code == UNREADABLE:
                return real(target, os.O_WRONLY) if name == "open" else real(*arguments, **options)
            if code != VANISHED:
                raise OSError(code, os.strerror(code), str(path))
            with suppress(FileNotFoundError):
                path.rename(hidden)
            return real(*arguments, **options)

        return call

    names = {name: getattr(os, name) for name in ("stat", "lstat", "scandir")}
    patches = [mock.patch.object(os, name, interposed(name, real)) for name, real in names.items()]
    patches.append(mock.patch.object(os, "open", interposed("open", os.open)))
    for patch in patches:
        patch.start()
    try:
        yield count
    finally:
        for patch in patches:
            patch.stop()
        with suppress(FileNotFoundError):
            hidden.rename(path)


def forget_probes() -> None:
    """Empty the caches of probes, so that the next run opens each file again."""
    probe.containers.clear()
    probe._sections.cache_clear()
    sniff._kind_by_ffmpeg.cache_clear()


def main() -> None:
    """Each call of whole runs over three files while one of them, or its sidecar, fails with each errno."""
    from pesearch.encoders.model_set import open_model_set
    from pesearch.store.library import create_library
    from tests.indexer.runs import names_by_kind, row_counts, run
    from tests.media import samples

    models = open_model_set("starter", "cpu")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "media")
        folder.mkdir()
        Path(name, "samples").mkdir()
        for sample in ("both.mp4", "tone.wav", "cover.png"):
            (folder / sample).write_bytes(samples.make(sample, Path(name, "samples")).read_bytes())
        (folder / "both.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nhello\n")
        clean = create_library(Path(name, "clean"), models.name, models.spaces)
        run(folder, clean, models)
        expected, runs = row_counts(clean), 0
        for target in ("both.mp4", "tone.wav", "cover.png", "both.srt"):
            for code in ERRNOS:
                at_call, failed = 1, True
                while failed:
                    forget_probes()
                    library = create_library(Path(name, f"library{runs}"), models.name, models.spaces)
                    with failing(folder / target, at_call, code) as count:
                        outcomes = names_by_kind(run(folder, library, models))
                    rows = row_counts(library)
                    lost = {each for each in expected if each not in rows}
                    assert lost <= {target}, (target, code, at_call, outcomes)
                    assert all(rows[each] == expected[each] for each in rows), (target, code, at_call)
                    assert not lost or target in outcomes.get("Failed", []) or at_call == 1, (target, code, at_call)
                    at_call, runs, failed = at_call + 1, runs + 1, count.failed
            print(f"{target}: {at_call - 2} calls, each with {len(ERRNOS)} kinds of failure")
    print(f"{runs} runs: the other files are indexed, with the same rows")


if __name__ == "__main__":
    main()
