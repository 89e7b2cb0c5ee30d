"""`pesearch eval`: retrieval and detection figures of a library, as tables or JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pesearch.cli.judged_input import errors_of_calibration, missing_lines, open_with_notice, with_progress
from pesearch.cli.options import DeviceOption, JsonOption, LayoutOption, LibraryOption, SplitOption, library_folder

if TYPE_CHECKING:
    from pesearch.evaluation.dataset_evaluation import DatasetEvaluation
    from pesearch.evaluation.evaluate import Evaluation
    from pesearch.evaluation.ranked_metrics import QueryMetrics
    from pesearch.evaluation.recalibrate import CalibrationErrors

RANKING = ("r1", "r5", "r10", "map", "ndcg10")
"""Columns of a ranking table: recall at 1, 5 and 10, mean average precision, nDCG at 10."""

DIRECTIONS = {
    "text_audio": "text -> audio",
    "text_video": "text -> video",
    "text_audio_video": "text -> audio-video",
    "audio_video": "audio -> video",
    "speech": "speech",
}
"""Rows of the table for annotated clips: fields of Evaluation and their titles."""


def eval_command(
    judged: Annotated[
        Path,
        typer.Argument(
            metavar="JUDGED",
            help="Annotated clips or judged queries (JSON), or the folder of a dataset.",
        ),
    ],
    layout: LayoutOption = None,
    split: SplitOption = None,
    library: LibraryOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Measure the search quality of a library.

    JUDGED is a file of your own judged queries or of annotated clips, or a public dataset as it was downloaded.
    Paths are relative to the folder of the file; "start" and "end" are seconds, and optional.
    Datasets: AudioCaps, Clotho, VALOR, VGGSound, MSR-VTT, VCTK, DESED, AudioSet-Strong, with the media in their folder.

    \b
    {"queries": [{"query": "siren and train", "relevant": [{"path": "a.mp4", "start": 0.6, "end": 5.6}]}]}
    {"clips": [{"path": "a.mp4", "audio_caption": "a siren", "heard": [{"what": "siren", "start": 0.6, "end": 2.8}]}]}

    \b
    Examples:
      pesearch eval queries.json
      pesearch eval ~/datasets/clotho --split evaluation --json
    """
    from pesearch.locations import is_folder

    folder = library_folder(library)
    if is_folder(judged):
        evaluate_dataset(judged, layout, split, folder, device, as_json)
    else:
        evaluate_file(judged, folder, device, as_json)


def evaluate_file(judged: Path, folder: Path, device: str, as_json: bool) -> None:
    """Measure with annotated clips or judged queries, whichever the file contains, and print."""
    from pesearch.evaluation.judgements import has_queries

    evaluate = evaluate_queries if has_queries(judged) else evaluate_clips
    for line in evaluate(judged, folder, device, as_json):
        print(line)


def evaluate_clips(path: Path, folder: Path, device: str, as_json: bool) -> Iterator[str]:
    """Measure with annotated clips, one embedding space at a time, and print."""
    from pesearch.cli.json_output import evaluation_json
    from pesearch.evaluation.evaluate import evaluate
    from pesearch.evaluation.ground_truth import read_truths
    from pesearch.evaluation.judged_scores import of_clips

    clips = read_truths(path)
    library, models = open_with_notice(folder, device)
    evaluation = evaluate(clips, library, models)
    errors = errors_of_calibration(of_clips(clips, library), library, models)
    yield from [evaluation_json(evaluation, errors)] if as_json else evaluation_lines(evaluation)
    yield from [] if as_json else calibration_lines(errors)


def evaluate_queries(path: Path, folder: Path, device: str, as_json: bool) -> Iterator[str]:
    """Run judged queries as `pesearch query` does, and print."""
    from pesearch.cli.json_output import evaluation_json
    from pesearch.evaluation.judged_scores import Judgements
    from pesearch.evaluation.judgements import read_queries
    from pesearch.evaluation.ranked_metrics import grade_queries, query_metrics

    queries = read_queries(path)
    library, models = open_with_notice(folder, device)
    judged = with_progress(grade_queries(queries, library, models), len(queries), "searching", "queries")
    figures = query_metrics(list(judged))
    errors = errors_of_calibration(Judgements(queries), library, models)
    yield from [evaluation_json(figures, errors)] if as_json else query_lines(figures)
    yield from [] if as_json else calibration_lines(errors)


def evaluate_dataset(
    path: Path, layout: str | None, split: str | None, folder: Path, device: str, as_json: bool
) -> None:
    """Measure with a dataset as it was downloaded, by the protocol of its paper, and print."""
    from pesearch.cli.json_output import evaluation_json
    from pesearch.evaluation.dataset_evaluation import DatasetRun
    from pesearch.evaluation.judged_scores import of_dataset
    from pesearch.evaluation.layouts import read_dataset

    dataset = read_dataset(path, layout, split)
    library, models = open_with_notice(folder, device)
    run = DatasetRun(dataset, library, models)
    for line in missing_lines(run.availability, path, library.folder):
        print(line, file=sys.stderr)
    for _ in with_progress(run.detect_sounds(), run.sound_clip_count(), "listening", "clips"):
        pass
    evaluation = run.evaluation()
    errors = errors_of_calibration(of_dataset(run.clips), library, models)
    lines = [evaluation_json(evaluation, errors)] if as_json else dataset_lines(evaluation)
    for line in [*lines, *([] if as_json else calibration_lines(errors))]:
        print(line)


def evaluation_lines(evaluation: Evaluation) -> Iterator[str]:
    """The figures of annotated clips as a table."""
    from pesearch.cli.render import table_lines

    names = [field.name for field in fields(evaluation.text_audio)]
    rows = []
    for direction, title in DIRECTIONS.items():
        figures = getattr(evaluation, direction)
        rows.append((title, *(percent(getattr(figures, name)) for name in names)))
    yield from table_lines((f"{evaluation.clips} clips", *names), rows)
    events = evaluation.events
    yield f"events  frame AUROC {events.auroc:.3f}  span IoU {events.span_iou:.3f}  event-F1 {events.event_f1:.3f}"


def query_lines(figures: QueryMetrics) -> Iterator[str]:
    """The figures of judged queries as a table."""
    from pesearch.cli.render import table_lines

    yield f"{figures.queries} queries, {figures.answerable} with relevant moments in the library"
    yield from table_lines(RANKING, [[percent(getattr(figures, name)) for name in RANKING]])
    yield f"answered {percent(figures.answered)}  correctly abstained {percent(figures.abstained)}"
    yield f"answer AUROC {decimals(figures.answer_auroc)}  calibration error {decimals(figures.calibration_error)}"


def calibration_lines(errors: CalibrationErrors | None) -> Iterator[str]:
    """What the calibration of the library changes, if it has one."""
    if errors is not None:
        models, library = decimals(errors.models), decimals(errors.library)
        yield f"calibration error {models} as measured for the models, {library} as calibrated ({errors.scores} scores)"


def dataset_lines(evaluation: DatasetEvaluation) -> Iterator[str]:
    """The figures of a dataset as tables. Dual softmax is marked, as no single search can use it."""
    from pesearch.cli.render import table_lines

    clips = evaluation.clips
    counts = f"{clips.listed} clips listed, {clips.on_disk} on disk, {clips.indexed} in the library"
    yield f"{evaluation.layout} {evaluation.split}: {counts}"
    for task in evaluation.tasks:
        rows = (("dot", task.dot), ("cosine", task.cosine), ("dual softmax *", task.dual_softmax))
        yield f"{task.task}: {task.queries} queries over {task.gallery} clips"
        yield from table_lines(
            ("", *RANKING), [(title, *(percent(getattr(figures, name)) for name in RANKING)) for title, figures in rows]
        )
    if evaluation.tasks:
        yield "* needs all queries at once: not available to a single search"
    if sounds := evaluation.sounds:
        yield f"{sounds.labels} sounds in {sounds.clips} clips"
        yield f"frame AUROC {decimals(sounds.auroc)}  PSDS 1 {decimals(sounds.psds1)}  PSDS 2 {decimals(sounds.psds2)}"
        yield f"event-F1 {decimals(sounds.event_f1)} macro, {decimals(sounds.event_f1_micro)} micro"
        yield f"segment-F1 {decimals(sounds.segment_f1)} macro, {decimals(sounds.segment_f1_micro)} micro"


def percent(value: float) -> str:
    """A share of 0..1 in per cent; `-` for NaN (nothing to measure)."""
    return "-" if value != value else f"{100 * value:.0f} %"


def decimals(value: float) -> str:
    """Three decimals; `-` for NaN (nothing to measure)."""
    return "-" if value != value else f"{value:.3f}"
