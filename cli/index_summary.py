"""`pesearch index`: progress on stderr, a summary, and what failed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.cli.refresh_progress import RefreshBar, follow_refresh, refresh_failed
from pesearch.cli.render import progress_bar, shown
from pesearch.errors import ClusterError

if TYPE_CHECKING:
    from pesearch.indexer.pipeline import Embedder
    from pesearch.indexer.progress_events import Outcome, RunTimings
    from pesearch.store.index.maintenance import RefreshFailed

SOME_FAILED = 3


@dataclass
class Summary:
    """What a run did, counted from its outcomes."""

    indexed: int = 0
    unchanged: int = 0
    relocated: int = 0
    missing: int = 0
    not_media: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    failed_before: int = 0
    cues_taken: int = 0
    cues_left_out: dict[str, str] = field(default_factory=dict)
    media_seconds: float = 0.0
    unread_seconds: float = 0.0
    elapsed_seconds: float = 0.0
    refresh_failed: dict[str, RefreshFailed] = field(default_factory=dict)
    spent: RunTimings | None = None

    def count(self, outcome: Outcome) -> None:
        """Count one outcome."""
        from pesearch.indexer import progress_events as outcomes
        from pesearch.store.index.maintenance import RefreshFailed, RefreshProgress

        match outcome:
            case outcomes.Indexed():
                self.indexed += 1
                self.media_seconds += outcome.info.duration_seconds
                self.unread_seconds += outcome.unread_seconds
            case outcomes.Failed():
                self.failed[shown(outcome.failure.location.path)] = outcome.failure.reason
            case outcomes.FailedBefore():
                self.failed_before += 1
            case outcomes.Unchanged():
                self.unchanged += 1
            case outcomes.Relocated():
                self.relocated += 1
            case outcomes.Missing():
                self.missing += 1
            case outcomes.NotMedia():
                self.not_media += 1
            case RefreshFailed():
                self.refresh_failed[outcome.index] = outcome
            case RefreshProgress():
                self.refresh_failed.pop(outcome.index, None)
            case outcomes.CuesUpdated():
                self.cues_taken += outcome.cues
            case outcomes.CuesSkipped():
                self.cues_left_out[shown(outcome.path)] = outcome.reason
            case outcomes.RunTimings():
                self.spent = outcome

    def speed(self) -> str:
        """How much media, how fast."""
        times = self.media_seconds / max(self.elapsed_seconds, 1e-9)
        return f"{self.media_seconds / 3600:.2f} h of media, {times:.1f} x real time"

    def stages(self) -> Iterator[tuple[str, float]]:
        """The stages of the run and their seconds."""
        if self.spent:
            for name in ("decode", "wait", "tower", "codec", "transformers", "commit", "index"):
                yield name, getattr(self.spent, f"{name}_seconds")

    def troubles(self) -> list[str]:
        """What went wrong and cost no file: a line each."""
        return [*(self.spent.warnings if self.spent else ()), *refresh_failed(self.refresh_failed.values())]

    def lines(self) -> Iterator[str]:
        """The end of a run, for people."""
        parts = [f"{self.indexed} files indexed"]
        if self.media_seconds:
            parts.append(f"{self.speed()}, in {self.elapsed_seconds:.0f} s")
        named = ("unchanged", "relocated", "missing", "failed_before")
        parts += [f"{getattr(self, name)} {name.replace('_', ' ')}" for name in named if getattr(self, name)]
        if self.cues_taken:
            parts.append(f"{self.cues_taken} cues of known files taken up")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        yield ", ".join(parts)
        if self.spent:
            taken = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.stages())
            yield f"time: {taken}; bound by: {self.spent.bound_by}"
        yield from self.troubles()
        if self.unread_seconds >= 0.1:
            yield f"{self.unread_seconds:.1f} s could not be decoded and are not in the library"
        yield from (f"cues: {path}: {reason}" for path, reason in self.cues_left_out.items())
        yield from (f"failed: {path}: {reason}" for path, reason in self.failed.items())
        if self.failed or self.failed_before:
            yield "failed files are tried again when they change, or with --retry-failed"

    def json(self) -> str:
        """The end of a run, for scripts."""
        counts = {
            name: getattr(self, name)
            for name in ("indexed", "unchanged", "relocated", "missing", "not_media", "failed_before")
        }
        return json.dumps(
            counts
            | {
                "failed": [{"path": path, "reason": reason} for path, reason in self.failed.items()],
                "cues_taken": self.cues_taken,
                "cues_left_out": [{"path": path, "reason": reason} for path, reason in self.cues_left_out.items()],
                "media_seconds": round(self.media_seconds, 3),
                "unread_seconds": round(self.unread_seconds, 3),
                "elapsed_seconds": round(self.elapsed_seconds, 3),
                "stages_seconds": {name: round(taken, 3) for name, taken in self.stages()},
                "bound_by": self.spent.bound_by if self.spent else None,
                "troubles": self.troubles(),
            }
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `pesearch index` is asked to do: its arguments and options."""

    paths: list[Path]
    folder: Path
    model: str | None
    device: str
    excludes: tuple[str, ...]
    retry_failed: bool
    watching: bool
    vectors: str | None
    ray: str | None
    staging: str | None
    as_json: bool

    def __post_init__(self) -> None:
        if self.ray is None and self.staging is not None:
            raise ClusterError("--staging is where workers of --ray leave what they make: give both, or none.")
        if self.ray is not None and self.watching:
            raise ClusterError("--watch looks for single new files, which --ray does not pay for: give one of them.")


def run_index(wanted: Wanted) -> int:
    """Index and report; the exit code: 0, or 3 when some files failed."""
    from pesearch.indexer.opening import open_for_indexing
    from pesearch.indexer.run import index
    from pesearch.indexer.watch import watch
    from pesearch.store.index.milvus.sync import resolve_vectors

    if wanted.vectors is not None:
        resolve_vectors(wanted.vectors)  # before a library is made
    device = wanted.device if wanted.ray is None else "cpu"
    paths, excludes, summary = wanted.paths, wanted.excludes, Summary()
    with _embedding(wanted) as embed:  # before a library is made: a cluster may be out of reach
        library, models = open_for_indexing(wanted.folder, wanted.model, device)
        if wanted.vectors is not None:
            choose_vectors(wanted.folder, wanted.vectors)
        if models.notice:
            print(models.notice, file=sys.stderr)
        outcomes = index(paths, library, models, excludes=excludes, retry_failed=wanted.retry_failed, embed=embed)
        try:
            with closing(outcomes):
                news = watch(paths, library, models, excludes=excludes) if wanted.watching else ()
                follow(chain(outcomes, news), summary)
        finally:
            for line in summary.lines():
                print(line, file=sys.stderr)
            if wanted.as_json:
                print(summary.json())
    return SOME_FAILED if summary.failed else 0


def choose_vectors(folder: Path, vectors: str) -> None:
    """Search a library's vectors where `vectors` says from now on, and bring them there."""
    from pesearch.store.index.milvus.sync import resolve_vectors
    from pesearch.store.library import open_library

    library = open_library(folder)
    milvus = resolve_vectors(vectors)
    with library.writer() as writer:
        before = library.milvus
        for name in writer.set_vector_backend(milvus):
            print(f"the collection {name} stays on {before}, which cannot be reached: drop it there", file=sys.stderr)
        follow_refresh(writer.maintain())
    policies = library.status().policies
    print("vectors: " + "; ".join(f"{space}: {policy}" for space, policy in policies.items()), file=sys.stderr)


def _embedding(wanted: Wanted) -> AbstractContextManager[Embedder]:
    """What embeds: the devices of this machine, or a Ray cluster."""
    if wanted.ray is None:
        from pesearch.indexer.devices import embed_on

        return nullcontext(embed_on)
    from pesearch.indexer.cluster.embed import on_ray

    return on_ray(wanted.ray, wanted.device, wanted.staging)


def follow(outcomes: Iterable[Outcome], summary: Summary) -> None:
    """Show each outcome as it comes and count it."""
    from pesearch.indexer.progress_events import CuesEmbedded, Failed, Indexed, Plan, Progress
    from pesearch.store.index.maintenance import RefreshProgress

    started = time.monotonic()
    with progress_bar() as bar:
        task = bar.add_task("looking at files", total=None, files="")
        renewal = RefreshBar(bar)
        planned = 0
        for outcome in outcomes:
            summary.count(outcome)
            summary.elapsed_seconds = time.monotonic() - started
            match outcome:
                case Plan():
                    planned += outcome.files
                    bar.update(task, description="indexing", total=max(outcome.media_seconds, 1e-9), completed=0)
                case Progress():
                    bar.advance(task, outcome.media_seconds)
                case RefreshProgress():
                    renewal.show(outcome)
                case CuesEmbedded():
                    renewal.show_share("cues by meaning", outcome.done / outcome.total)
                case Failed():
                    bar.console.print(
                        f"failed: {shown(outcome.failure.location.path)}: {outcome.failure.reason}", markup=False
                    )
                case Indexed():
                    bar.update(task, files=f"{summary.indexed}/{planned} files, {summary.speed()}")
