"""Indexing runs in the log `pesearch`: a line for each file that changed or failed, and each search index."""

from __future__ import annotations

import logging
from pathlib import Path

from pesearch.formatting import count_files, damage_lines, format_remark, printable
from pesearch.indexer.change_lines import change_lines
from pesearch.indexer.progress_events import Damaged, Failed, Outcome, Remarked, RunTimings
from pesearch.indexer.summary import IndexSummary
from pesearch.store.index.maintenance import RefreshFailed, RefreshProgress

_log = logging.getLogger("pesearch")


def log_outcome(outcome: Outcome) -> None:
    """Changes are INFO; failures, damage and remarks are WARNING. Progress is not logged."""
    match outcome:
        case Failed():
            _log.warning("failed: %s: %s", printable(str(outcome.path)), outcome.reason)
        case Remarked():
            for remark in outcome.remarks:
                _log.warning("remark: %s: %s", printable(str(outcome.path)), format_remark(remark))
        case Damaged():
            for line in damage_lines(outcome.files):
                _log.warning("damaged: %s", line)
        case RefreshFailed():
            _log.warning("search index not updated: %s: %s", outcome.index, outcome.reason)
        case RefreshProgress(share=1):
            _log.info("search index updated: %s", outcome.index)
        case RunTimings():
            for warning in outcome.warnings:
                _log.warning("%s", warning)
        case _:
            for line in change_lines(outcome):
                _log.info("%s", line)


def log_summary(folder: Path, summary: IndexSummary) -> None:
    """The end of a run."""
    _log.info(
        "%s: %s indexed, %d failed, in %.1f s",
        printable(str(folder)),
        count_files(summary.indexed),
        len(summary.failed),
        summary.elapsed_seconds,
    )
