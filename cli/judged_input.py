"""What `pesearch eval` and `pesearch calibrate` read: a library, its models, and judgements about it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.evaluation.datasets import ClipAvailability
    from pesearch.evaluation.judged_scores import JudgedScore, Judgements
    from pesearch.evaluation.recalibrate import CalibrationErrors
    from pesearch.store.library import Library

MAX_NAMES = 3
"""Missing clips named in a warning; --json lists all of them."""

_Item = TypeVar("_Item")


def open_with_notice(folder: Path, device: str) -> tuple[Library, ModelSet]:
    """Open the library and its models, and print their notice on stderr."""
    from pesearch.search.opening import open_for_search

    library, models = open_for_search(folder, device)
    if models.notice:
        print(models.notice, file=sys.stderr)
    return library, models


def with_progress(items: Iterable[_Item], total: int, verb: str, noun: str) -> Iterator[_Item]:
    """Pass the items through, with a progress bar on stderr: `searching ... 3/20 queries`."""
    from pesearch.cli.render import progress_bar

    with progress_bar() as bar:
        task = bar.add_task(verb, total=total, files=f"0/{total} {noun}")
        for number, item in enumerate(items, start=1):
            bar.update(task, completed=number, files=f"{number}/{total} {noun}")
            yield item


def read_judgements(judged: Path, layout: str | None, split: str | None) -> Callable[[Library, ModelSet], Judgements]:
    """Read a file or a dataset, before models are loaded. The result gives the judgements about a library; clips of a
    dataset that are missing are named on stderr."""
    from pesearch.evaluation.dataset_evaluation import DatasetRun
    from pesearch.evaluation.ground_truth import read_truths
    from pesearch.evaluation.judged_scores import Judgements, of_clips, of_dataset
    from pesearch.evaluation.judgements import has_queries, read_queries
    from pesearch.evaluation.layouts import read_dataset
    from pesearch.locations import is_folder

    if is_folder(judged):
        dataset = read_dataset(judged, layout, split)

        def of_folder(library: Library, models: ModelSet) -> Judgements:
            run = DatasetRun(dataset, library, models)
            for line in missing_lines(run.availability, judged, library.folder):
                print(line, file=sys.stderr)
            return of_dataset(run.clips)

        return of_folder
    if has_queries(judged):
        queries = read_queries(judged)
        return lambda library, models: Judgements(queries)
    clips = read_truths(judged)
    return lambda library, models: of_clips(clips, library)


def missing_lines(presence: ClipAvailability, dataset: Path, library: Path) -> Iterator[str]:
    """Warnings about listed clips that are not on disk or not indexed, and the command that indexes them."""
    from pesearch.cli.render import format_path
    from pesearch.formatting import quote_path

    for names, place in ((presence.missing, "on disk"), (presence.unindexed, "in the library")):
        if names:
            examples = [format_path(Path(name)) for name in names[:MAX_NAMES]]
            examples += ["..."] if len(names) > MAX_NAMES else []
            yield f"{len(names)} of {presence.listed} listed clips are not {place}: {', '.join(examples)}"
    if presence.unindexed:
        yield f"to include them, run: pesearch index {quote_path(dataset)} --library {quote_path(library)}"


def search_judged(
    judgements: Judgements, library: Library, models: ModelSet, is_recalibrated: bool = False
) -> list[JudgedScore]:
    """The scores of judged queries, with a progress bar on stderr."""
    from pesearch.evaluation.judged_scores import judged_scores

    searched = judged_scores(judgements, library, models, is_recalibrated)
    progress = with_progress(searched, len(judgements.queries), "searching", "queries")
    return [score for scores in progress for score in scores]


def errors_of_calibration(judgements: Judgements, library: Library, models: ModelSet) -> CalibrationErrors | None:
    """The calibration errors of judged queries before and after the calibration of the library; None without one."""
    from pesearch.evaluation.recalibrate import calibration_errors
    from pesearch.store.recalibration import read_recalibration

    if read_recalibration(library.folder) is None:
        return None
    return calibration_errors(*(search_judged(judgements, library, models, state) for state in (False, True)))
