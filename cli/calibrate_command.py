"""`pesearch calibrate`: fit the scores of a library to judged queries."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pesearch.cli.eval_command import decimals
from pesearch.cli.exit_codes import NOTHING_FOUND
from pesearch.cli.json_output import figures_json
from pesearch.cli.judged_input import open_with_notice, read_judgements, search_judged
from pesearch.cli.options import (
    DeviceOption,
    JsonOption,
    LayoutOption,
    LibraryOption,
    SplitOption,
    library_folder,
)

if TYPE_CHECKING:
    from pesearch.evaluation.recalibrate import Fit, Fits


def calibrate_command(
    judged: Annotated[
        Path | None,
        typer.Argument(
            metavar="JUDGED",
            help="Judged queries or annotated clips (JSON), or the folder of a dataset, as for `pesearch eval`.",
        ),
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Remove the library's calibration.")] = False,
    layout: LayoutOption = None,
    split: SplitOption = None,
    library: LibraryOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Fit the scores of a library to queries whose answers you know.

    A score is the probability of a match, as measured for the models on other media. Here it is corrected for this
    library, separately for things and sounds and for what is said, and the correction is stored in the library.
    Rankings stay as they are. At least 15 judged scores of a kind are needed. Exit code 1 if nothing was stored.

    \b
    Examples:
      pesearch calibrate queries.json
      pesearch calibrate ~/datasets/desed --library ~/pe/small
      pesearch calibrate --reset
    """
    from pesearch.formatting import printable
    from pesearch.store.recalibration import write_recalibration

    folder = library_folder(library)
    if (judged is None) != reset:
        raise typer.BadParameter("give judged queries, annotated clips or a dataset, or --reset", param_hint="JUDGED")
    if judged is None:
        print(remove_calibration(folder))
        return
    fits = fit_library(judged, layout, split, folder, device)
    recalibration = fits.recalibration(
        f"{printable(judged.name)}: {fits.names.scores + fits.sentences.scores} judged scores"
    )
    if recalibration is not None:
        write_recalibration(folder, recalibration)
    if as_json:
        print(figures_json({"stored": recalibration is not None, **asdict(fits)}))
    else:
        for line in fit_lines(fits):
            print(line)
    raise typer.Exit(0 if recalibration else NOTHING_FOUND)


def remove_calibration(folder: Path) -> str:
    """Remove the calibration of a library. What to say about it."""
    from pesearch.store.library import open_library
    from pesearch.store.recalibration import CALIBRATION_FILE, write_recalibration

    had_one = (open_library(folder).folder / CALIBRATION_FILE).exists()
    write_recalibration(folder, None)
    return f"{'calibration removed' if had_one else 'no calibration'}: scores are those measured for the models"


def fit_library(judged: Path, layout: str | None, split: str | None, folder: Path, device: str) -> Fits:
    """Search all judged queries, with progress on stderr, and fit to their scores."""
    from pesearch.evaluation.recalibrate import fit_scores
    from pesearch.store.recalibration import ensure_writable

    read = read_judgements(judged, layout, split)
    library, models = open_with_notice(folder, device)
    ensure_writable(folder)
    judgements = read(library, models)
    scores = search_judged(judgements, library, models)
    if skipped := len(judgements.queries) - len({score.query for score in scores}):
        print(f"{skipped} queries have no score: copies, exclusions, or answered by a subtitle", file=sys.stderr)
    return fit_scores(scores)


def fit_lines(fits: Fits) -> Iterator[str]:
    """What was fitted, and what changes."""
    for what, fit in (("things", fits.names), ("speech", fits.sentences)):
        yield f"{what:8}{fit.scores} judged scores, {fit.answers} of them of answers: {change_of(fit)}"
    if fits.recalibration("") is None:
        yield "nothing stored: scores stay as they were"


def change_of(fit: Fit) -> str:
    """The change of the calibration error, or why there is none."""
    from pesearch.evaluation.recalibrate import MIN_OF_EACH, MIN_SCORES

    before, after = decimals(fit.error_before), decimals(fit.error_after)
    if after == "-":
        return f"too few, at least {MIN_SCORES} are needed, {MIN_OF_EACH} of answers and {MIN_OF_EACH} of others"
    if fit.correction is None:
        return "unchanged, no correction helps queries that it was not fitted to"
    moved = f"log odds times {fit.correction.slope:.2f}, plus {fit.correction.offset:+.2f}"
    return f"calibration error {before} -> {after} ({moved})"
