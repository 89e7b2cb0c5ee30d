"""Lines about files that an indexing run has added to a library, changed in it, or did not find."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pesearch.formatting import printable
from pesearch.indexer.progress_events import (
    CuesUpdated,
    Excluded,
    Indexed,
    Missing,
    Outcome,
    Relocated,
    Replaced,
    Restored,
)


def change_lines(outcome: Outcome) -> Iterator[str]:
    """The line about the file of an outcome; none for a file that did not change, or failed, and for progress."""
    match outcome:
        case Indexed():
            yield f"indexed: {_text(outcome.path)}"
        case Relocated(previous=None):
            yield f"copy: {_text(outcome.path)}"
        case Relocated(previous=Path() as previous):
            yield f"relocated: {_text(outcome.path)}, before {_text(previous)}"
        case Replaced():
            yield f"replaced: {_text(outcome.path)}: other content of the same size and time"
        case Missing():
            yield f"missing: {_text(outcome.path)}"
        case Excluded():
            yield f"excluded: {_text(outcome.path)}"
        case Restored():
            yield f"restored: {_text(outcome.path)}"
        case CuesUpdated():
            yield f"cues: {_text(outcome.path)}: {outcome.cues} new or changed"


def _text(path: Path) -> str:
    return printable(str(path))
