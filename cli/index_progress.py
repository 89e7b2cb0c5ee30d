"""Progress of `pesearch index` on stderr. Imported when a run starts."""

from __future__ import annotations

import time
from collections.abc import Iterable

from pesearch.cli.index_summary import Summary
from pesearch.cli.refresh_progress import RefreshBar
from pesearch.cli.remark_lines import MAX_FILES, remark_line
from pesearch.cli.render import format_path, progress_bar
from pesearch.formatting import damage_lines
from pesearch.indexer.change_lines import change_lines
from pesearch.indexer.progress_events import (
    CopiesCompared,
    CuesEmbedded,
    Damaged,
    Failed,
    Indexed,
    Missing,
    Outcome,
    Plan,
    Progress,
    PropertiesRead,
    Remarked,
)
from pesearch.store.index.maintenance import RefreshProgress


def follow(outcomes: Iterable[Outcome], summary: Summary, names_files: bool = False) -> None:
    """Count the outcomes as they come, and show progress, failures and the first remarks of each pass on stderr.

    With `names_files` each missing file has a line; without a terminal to show progress on, each file that changed.
    """
    started = time.monotonic()
    with progress_bar() as bar:
        task = bar.add_task("scanning", total=None, files="")
        refresh = RefreshBar(bar)
        planned_files = remarked_files = 0
        for outcome in outcomes:
            summary.count(outcome)
            summary.elapsed_seconds = time.monotonic() - started
            if names_files and (isinstance(outcome, Missing) or not bar.console.is_terminal):
                for line in change_lines(outcome):
                    bar.console.print(line, markup=False)
            match outcome:
                case Plan():
                    planned_files += outcome.files
                    remarked_files = 0
                    bar.update(task, description="indexing", total=max(outcome.media_seconds, 1e-9), completed=0)
                case Progress():
                    bar.advance(task, outcome.media_seconds)
                case RefreshProgress():
                    refresh.show(outcome)
                case CuesEmbedded():
                    refresh.show_share("embedding cues", outcome.done / outcome.total)
                case PropertiesRead():
                    refresh.show_share("reading dates and places", outcome.done / outcome.total)
                case CopiesCompared():
                    refresh.show_share("comparing copies", outcome.done / outcome.total)
                case Damaged():
                    for line in damage_lines(outcome.files):
                        bar.console.print(line, markup=False)
                case Failed():
                    bar.console.print(f"failed: {format_path(outcome.path)}: {outcome.reason}", markup=False)
                case Remarked():
                    remarked_files += 1
                    if remarked_files <= MAX_FILES:
                        line = remark_line((outcome.path, outcome.remarks))
                        bar.console.print(f"remark: {line}", markup=False)
                    elif remarked_files == MAX_FILES + 1:
                        bar.console.print("remark: further ones are in the summary", markup=False)
                case Indexed():
                    bar.update(task, files=f"{summary.indexed}/{planned_files} files, {summary.speed()}")
