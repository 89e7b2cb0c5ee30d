"""The summary of an indexing run: its outcomes, counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pesearch.indexer.progress_events import (
    CuesEmbedded,
    CuesUpdated,
    Excluded,
    Failed,
    FailedBefore,
    Indexed,
    Missing,
    NotMedia,
    Outcome,
    PropertiesRead,
    Relocated,
    Remarked,
    Replaced,
    RunTimings,
    Unchanged,
)
from pesearch.store.index.maintenance import RefreshFailed, RefreshProgress
from pesearch.types import Remark


@dataclass
class OutcomeCounter:
    """Counts the outcomes of a run as they come.

    `named` are the real paths that the user gave: a file among them that failed before counts as failed.
    `failed` maps paths to reasons, `remarks` paths to what of them is not in the library or was guessed,
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
    failed: dict[Path, str] = field(default_factory=dict)
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
        match outcome:
            case Indexed():
                self.indexed += 1
                self.media_seconds += outcome.info.duration_seconds
                self.unread_seconds += outcome.unread_seconds
            case Failed():
                self.failed[outcome.path] = outcome.reason
            case FailedBefore() if outcome.path in self.named:
                self.failed[outcome.path] = f"{outcome.reason} (as before)"
            case FailedBefore():
                self.failed_before += 1
            case Unchanged():
                self.unchanged += 1
            case Relocated(previous=None):
                self.copies += 1
            case Relocated():
                self.relocated += 1
            case Replaced():
                self.replaced.append(outcome.path)
            case Missing():
                self.missing += 1
            case Excluded():
                self.excluded += 1
            case NotMedia():
                self.not_media += 1
            case RefreshFailed():
                self.refresh_failed[outcome.index] = outcome
            case RefreshProgress():
                self.refresh_failed.pop(outcome.index, None)
            case CuesUpdated():
                self.cues_taken += outcome.cues
            case CuesEmbedded():
                self.cues_embedded += outcome.committed
            case PropertiesRead():
                self.properties_read = outcome.done
            case Remarked():
                self.remarks[outcome.path] = (*self.remarks.get(outcome.path, ()), *outcome.remarks)
            case RunTimings():
                self.spent = outcome

    def warnings(self) -> list[str]:
        """Problems that did not fail a file, one line each."""
        return [*(self.spent.warnings if self.spent else ()), *refresh_failure_lines(self.refresh_failed.values())]


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """What a run has done so far; `is_complete` once it has reached its end.

    Numbers of files: `indexed` are new or changed ones, embedded and safe on disk; `relocated` were moved and `copies`
    are further copies, neither embedded again; `missing` and `excluded` were not found and stay searchable;
    `failed_before` failed in an earlier run and have not changed; `not_media` were skipped. `failed` has the reason by
    path. `remarks` say by path what of a file is not in the library, or was guessed.
    `media_seconds` is the length of what was indexed, `unread_seconds` how much of that could not be decoded,
    `elapsed_seconds` how long the run has taken. `warnings` are lines about problems that failed no file.
    """

    is_complete: bool
    indexed: int
    unchanged: int
    relocated: int
    copies: int
    missing: int
    excluded: int
    not_media: int
    failed: Mapping[Path, str]
    failed_before: int
    remarks: Mapping[Path, tuple[Remark, ...]]
    media_seconds: float
    unread_seconds: float
    elapsed_seconds: float
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, counter: OutcomeCounter, is_complete: bool) -> IndexSummary:
        """The summary of the outcomes that were counted so far."""
        return cls(
            is_complete=is_complete,
            indexed=counter.indexed,
            unchanged=counter.unchanged,
            relocated=counter.relocated,
            copies=counter.copies,
            missing=counter.missing,
            excluded=counter.excluded,
            not_media=counter.not_media,
            failed=dict(counter.failed),
            failed_before=counter.failed_before,
            remarks=dict(counter.remarks),
            media_seconds=counter.media_seconds,
            unread_seconds=counter.unread_seconds,
            elapsed_seconds=counter.elapsed_seconds,
            warnings=tuple(counter.warnings()),
        )


def refresh_failure_lines(failures: Iterable[RefreshFailed]) -> list[str]:
    """The failed indexes, their reasons and the consequence in one line; none without failures."""
    reasons = {failure.index: failure.reason for failure in failures}
    if not reasons:
        return []
    why = "; ".join(dict.fromkeys(reasons.values()))
    return [
        f"the search index of {', '.join(reasons)} could not be updated ({why}): no data is lost; "
        "rows that it lacks are searched exactly, which may be slow, until the next run updates it"
    ]
