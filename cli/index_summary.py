"""The summary of an indexing run: outcomes counted, then printed as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.cli.refresh_progress import refresh_failure_lines
from pesearch.cli.remark_lines import remark_lines, remark_objects
from pesearch.cli.render import format_path
from pesearch.formatting import count_files

if TYPE_CHECKING:
    from pesearch.indexer.progress_events import Outcome, RunTimings
    from pesearch.store.index.maintenance import RefreshFailed
    from pesearch.types import Remark

STAGES = ("decode", "wait", "tower", "codec", "transformers", "commit", "index")
"""The stages of a run in the order in which they are printed."""

COUNTS = ("indexed", "unchanged", "relocated", "copies", "missing", "excluded", "not_media", "failed_before")
"""The counts of files in a summary as JSON."""

MIN_UNREAD_SECONDS = 0.1
"""Undecodable media is reported only if it is longer than this."""


@dataclass
class Summary:
    """Counts of a run's outcomes.

    `named` are the real paths that the user gave: a file among them that failed before counts as failed.
    `failed` maps printable paths to reasons, `remarks` paths to what of them is not in the library or was guessed,
    `refresh_failed` index names to failures. `replaced` are paths with other content of the same size and time.
    """

    named: frozenset[Path] = frozenset()
    indexed: int = 0
    unchanged: int = 0
    relocated: int = 0
    copies: int = 0
    missing: int = 0
    excluded: int = 0
    not_media: int = 0
    replaced: list[Path] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    failed_before: int = 0
    cues_taken: int = 0
    cues_embedded: int = 0
    properties_read: int = 0
    remarks: dict[Path, tuple[Remark, ...]] = field(default_factory=dict)
    media_seconds: float = 0.0
    unread_seconds: float = 0.0
    elapsed_seconds: float = 0.0
    refresh_failed: dict[str, RefreshFailed] = field(default_factory=dict)
    spent: RunTimings | None = None

    def count(self, outcome: Outcome) -> None:
        """Add one outcome. An index that a later attempt updates is no longer reported as failed."""
        from pesearch.indexer import progress_events as events
        from pesearch.store.index.maintenance import RefreshFailed, RefreshProgress

        match outcome:
            case events.Indexed():
                self.indexed += 1
                self.media_seconds += outcome.info.duration_seconds
                self.unread_seconds += outcome.unread_seconds
            case events.Failed():
                self.failed[format_path(outcome.failure.location.path)] = outcome.failure.reason
            case events.FailedBefore(failure) if failure.location.path in self.named:
                self.failed[format_path(failure.location.path)] = f"{failure.reason} (as before)"
            case events.FailedBefore():
                self.failed_before += 1
            case events.Unchanged():
                self.unchanged += 1
            case events.Relocated(previous=None):
                self.copies += 1
            case events.Relocated():
                self.relocated += 1
            case events.Replaced():
                self.replaced.append(outcome.path)
            case events.Missing():
                self.missing += 1
            case events.Excluded():
                self.excluded += 1
            case events.NotMedia():
                self.not_media += 1
            case RefreshFailed():
                self.refresh_failed[outcome.index] = outcome
            case RefreshProgress():
                self.refresh_failed.pop(outcome.index, None)
            case events.CuesUpdated():
                self.cues_taken += outcome.cues
            case events.CuesEmbedded():
                self.cues_embedded += outcome.committed
            case events.PropertiesRead():
                self.properties_read = outcome.done
            case events.Remarked():
                self.remarks[outcome.path] = (*self.remarks.get(outcome.path, ()), *outcome.remarks)
            case events.RunTimings():
                self.spent = outcome

    def speed(self) -> str:
        """`0.50 h of media, 3.2 x real time`."""
        factor = self.media_seconds / max(self.elapsed_seconds, 1e-9)
        return f"{self.media_seconds / 3600:.2f} h of media, {factor:.1f} x real time"

    def stage_seconds(self) -> dict[str, float]:
        """Seconds by stage; empty for a run that embedded nothing."""
        return {stage: getattr(self.spent, f"{stage}_seconds") for stage in STAGES} if self.spent else {}

    def warnings(self) -> list[str]:
        """Problems that did not fail a file, one line each."""
        return [*(self.spent.warnings if self.spent else ()), *refresh_failure_lines(self.refresh_failed.values())]

    @property
    def _has_media(self) -> bool:
        known = self.unchanged or self.relocated or self.copies or self.missing or self.excluded
        return bool(self.indexed or known or self.failed or self.failed_before)

    def lines(self) -> Iterator[str]:
        """The summary as text."""
        parts = [f"{self.indexed} file{'' if self.indexed == 1 else 's'} indexed"]
        if self.media_seconds:
            parts.append(f"{self.speed()}, in {self.elapsed_seconds:.0f} s")
        counts = ("unchanged", "relocated", "copies", "missing", "excluded", "failed_before")
        names = {name: name.replace("_", " ") for name in counts} | ({"copies": "copy"} if self.copies == 1 else {})
        parts += [f"{getattr(self, name)} {shown}" for name, shown in names.items() if getattr(self, name)]
        if self.cues_taken:
            parts.append(f"{self.cues_taken} new cues of files already indexed")
        if self.cues_embedded:
            parts.append(f"{self.cues_embedded} cue{'' if self.cues_embedded == 1 else 's'} embedded")
        if self.properties_read:
            parts.append(f"dates and places of {self.properties_read} files read")
        if self.not_media and not self._has_media:
            parts.append(f"no media in {count_files(self.not_media)}")
        if self.remarks:
            parts.append(f"{len(self.remarks)} with remarks")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        yield ", ".join(parts)
        if self.missing:
            yield "missing files stay searchable: `pesearch status` lists and `pesearch remove --missing` removes them"
        if self.excluded:
            yield "excluded files stay searchable: `pesearch remove --excluded` removes them"
        if self.spent:
            stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in self.stage_seconds().items())
            yield f"time: {stages}; bound by: {self.spent.bound_by}"
        yield from self.warnings()
        if self.unread_seconds >= MIN_UNREAD_SECONDS:
            yield f"{self.unread_seconds:.1f} s of media could not be decoded and are not in the library"
        yield from (f"remark: {line}" for line in remark_lines(list(self.remarks.items())))
        yield from (f"replaced: {format_path(path)}: other content of the same size and time" for path in self.replaced)
        yield from (f"failed: {path}: {reason}" for path, reason in self.failed.items())
        if self.failed or self.failed_before:
            yield "failed files are retried when they change, or with --retry-failed"

    def json(self) -> str:
        """The summary as one JSON object."""
        counts = {name: getattr(self, name) for name in COUNTS}
        return json.dumps(
            counts
            | {
                "replaced": [format_path(path) for path in self.replaced],
                "failed": [{"path": path, "reason": reason} for path, reason in self.failed.items()],
                "cues_taken": self.cues_taken,
                "cues_embedded": self.cues_embedded,
                "properties_read": self.properties_read,
                "remarks": remark_objects(list(self.remarks.items())),
                "media_seconds": round(self.media_seconds, 3),
                "unread_seconds": round(self.unread_seconds, 3),
                "elapsed_seconds": round(self.elapsed_seconds, 3),
                "stages_seconds": {stage: round(seconds, 3) for stage, seconds in self.stage_seconds().items()},
                "bound_by": self.spent.bound_by if self.spent else None,
                "troubles": self.warnings(),
            }
        )
