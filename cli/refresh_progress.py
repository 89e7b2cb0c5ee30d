"""Search indexes that are being renewed, as people see it: a bar, and a line where one could not be."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pesearch.cli.render import progress_bar

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from pesearch.store.index.maintenance import IndexRefresh, RefreshFailed, RefreshProgress


class RefreshBar:
    """A line of its own below the other progress, there only while an index is being renewed, or cues are embedded."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=1.0, files="", visible=False)

    def show(self, step: RefreshProgress) -> None:
        """How far it is."""
        self.show_share(f"search index: {step.index}", step.share)

    def show_share(self, what: str, share: float) -> None:
        """How far it is with what is done."""
        if share == 0:
            self._bar.reset(self._task, description=what, visible=True)
        self._bar.update(self._task, completed=share, visible=share < 1)


def refresh_failed(troubles: Iterable[RefreshFailed]) -> list[str]:
    """What could not be done and what that means, in one line, or none."""
    reasons = {trouble.index: trouble.reason for trouble in troubles}
    if not reasons:
        return []
    why = "; ".join(dict.fromkeys(reasons.values()))
    return [
        f"the search index of {', '.join(reasons)} could not be renewed ({why}): "
        "nothing is lost, and what it lacks is searched exactly, maybe slowly, until the next run"
    ]


def follow_refresh(steps: Iterable[IndexRefresh]) -> list[str]:
    """Show the steps on stderr; the spaces whose index is new."""
    from pesearch.store.index.maintenance import RefreshFailed

    renewed: list[str] = []
    troubles: list[RefreshFailed] = []
    with progress_bar() as bar:
        line = RefreshBar(bar)
        for step in steps:
            if isinstance(step, RefreshFailed):
                troubles.append(step)
                continue
            line.show(step)
            if step.share == 1:
                renewed.append(step.index)
    for trouble in refresh_failed(troubles):
        print(trouble, file=sys.stderr)
    return renewed
