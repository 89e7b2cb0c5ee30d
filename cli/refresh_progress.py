"""Progress of search indexes that are being updated, and the failures."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pesearch.cli.render import progress_bar
from pesearch.indexer.summary import refresh_failure_lines

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from pesearch.store.index.maintenance import IndexRefresh, RefreshFailed, RefreshProgress


class RefreshBar:
    """A second progress line, visible only while an index is updated or cues are embedded."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=1.0, files="", visible=False)

    def show(self, step: RefreshProgress) -> None:
        """Show the progress of a search index."""
        self.show_share(f"search index: {step.index}", step.share)

    def show_share(self, description: str, share: float) -> None:
        """Show a share of 0 to 1; the line disappears at 1."""
        if share == 0:
            self._bar.reset(self._task, description=description, visible=True)
        self._bar.update(self._task, completed=share, visible=share < 1)


def follow_refresh(steps: Iterable[IndexRefresh]) -> list[str]:
    """Show progress and failures on stderr; returns the names of the updated indexes."""
    from pesearch.store.index.maintenance import RefreshFailed

    updated: list[str] = []
    failures: list[RefreshFailed] = []
    with progress_bar() as bar:
        line = RefreshBar(bar)
        for step in steps:
            if isinstance(step, RefreshFailed):
                failures.append(step)
                continue
            line.show(step)
            if step.share == 1:
                updated.append(step.index)
    for message in refresh_failure_lines(failures):
        print(message, file=sys.stderr)
    return updated
