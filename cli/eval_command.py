"""`pesearch eval`: how well a library answers, as a table or as JSON. What it is given tells by its content."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pesearch.cli.json_output import figures_json
from pesearch.cli.render import progress_bar, shown, table
from pesearch.formatting import quote_path

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.evaluation.dataset_evaluation import DatasetEvaluation
    from pesearch.evaluation.datasets import ClipAvailability
    from pesearch.evaluation.evaluate import Evaluation
    from pesearch.evaluation.ranked_metrics import QueryMetrics
    from pesearch.store.library import Library

NAMED = 3
"""So many clips are named where some are missing; --json has them all."""

_Item = TypeVar("_Item")

DIRECTIONS = {
    "text_audio": "text -> audio",
    "text_video": "text -> video",
    "text_audio_video": "text -> audio-video",
    "audio_video": "audio -> video",
    "speech": "speech",
}


def run_eval(judged: Path, folder: Path, device: str, as_json: bool) -> None:
    """Measure with truths or judged queries, and print."""
    from pesearch.evaluation.judgements import has_queries

    run = eval_queries if has_queries(judged) else eval_truths
    for line in run(judged, folder, device, as_json):
        print(line)


def eval_truths(path: Path, folder: Path, device: str, as_json: bool) -> Iterator[str]:
    """What is seen, heard and said in clips, asked space by space."""
    from pesearch.evaluation.evaluate import evaluate
    from pesearch.evaluation.ground_truth import read_truths

    clips = read_truths(path)
    library, models = opened(folder, device)
    evaluation = evaluate(clips, library, models)
    yield from [figures_json(asdict(evaluation))] if as_json else evaluation_lines(evaluation)


def eval_queries(path: Path, folder: Path, device: str, as_json: bool) -> Iterator[str]:
    """The user's own questions, asked as `pesearch query` asks."""
    from pesearch.evaluation.judgements import read_queries
    from pesearch.evaluation.ranked_metrics import grade_queries, query_metrics

    queries = read_queries(path)
    library, models = opened(folder, device)
    figures = query_metrics(list(counted(grade_queries(queries, library, models), len(queries), "asking", "questions")))
    yield from [figures_json(asdict(figures))] if as_json else query_lines(figures)


def run_dataset(path: Path, layout: str | None, split: str | None, folder: Path, device: str, as_json: bool) -> None:
    """Measure with a dataset as it lies on disk, by the protocol of its paper, and print."""
    from pesearch.evaluation.dataset_evaluation import DatasetRun
    from pesearch.evaluation.layouts import read_dataset

    dataset = read_dataset(path, layout, split)
    library, models = opened(folder, device)
    run = DatasetRun(dataset, library, models)
    for line in absent_lines(run.availability, path, library.folder):
        print(line, file=sys.stderr)
    for _ in counted(run.detect_sounds(), run.sound_clip_count(), "listening", "clips"):
        pass
    evaluation = run.evaluation()
    for line in [figures_json(asdict(evaluation))] if as_json else dataset_lines(evaluation):
        print(line)


def opened(folder: Path, device: str) -> tuple[Library, ModelSet]:
    """The library and its models; their notice goes to stderr."""
    from pesearch.search.opening import open_for_search

    library, models = open_for_search(folder, device)
    if models.notice:
        print(models.notice, file=sys.stderr)
    return library, models


def counted(items: Iterable[_Item], total: int, verb: str, noun: str) -> Iterator[_Item]:
    """The items, with a bar on stderr that tells how many have come."""
    with progress_bar() as bar:
        task = bar.add_task(verb, total=total, files=f"0/{total} {noun}")
        for number, item in enumerate(items, start=1):
            bar.update(task, completed=number, files=f"{number}/{total} {noun}")
            yield item


def evaluation_lines(evaluation: Evaluation) -> Iterator[str]:
    """The figures for people; `-` where there was nothing to measure."""
    names = [field.name for field in fields(evaluation.text_audio)]
    rows = []
    for direction, title in DIRECTIONS.items():
        figures = getattr(evaluation, direction)
        rows.append((title, *(percent(getattr(figures, name)) for name in names)))
    yield from table((f"{evaluation.clips} clips", *names), rows)
    events = evaluation.events
    yield f"events  frame AUROC {events.auroc:.3f}  span IoU {events.span_iou:.3f}  event-F1 {events.event_f1:.3f}"


def query_lines(figures: QueryMetrics) -> Iterator[str]:
    """The figures of judged queries for people."""
    yield f"{figures.queries} questions, {figures.answerable} with an answer in the library"
    ranking = ("r1", "r5", "r10", "map", "ndcg10")
    yield from table(ranking, [[percent(getattr(figures, name)) for name in ranking]])
    yield f"answered {percent(figures.answered)}  rightly abstained {percent(figures.abstained)}"
    yield f"answer AUROC {decimals(figures.answer_auroc)}  calibration error {decimals(figures.calibration_error)}"


def absent_lines(presence: ClipAvailability, dataset: Path, library: Path) -> Iterator[str]:
    """A word on clips that are listed and cannot be measured."""
    for names, what in ((presence.missing, "on disk"), (presence.unindexed, "in the library")):
        if names:
            some = ", ".join(shown(Path(name)) for name in names[:NAMED]) + (", ..." if len(names) > NAMED else "")
            yield f"{len(names)} of {presence.listed} listed clips are not {what}: {some}"
    if presence.unindexed:
        yield f"to have them measured: pesearch index {quote_path(dataset)} --library {quote_path(library)}"


def dataset_lines(evaluation: DatasetEvaluation) -> Iterator[str]:
    """The figures of a dataset for people. What needs all the queries at once says so."""
    clips = evaluation.clips
    there = f"{clips.listed} clips listed, {clips.on_disk} on disk, {clips.indexed} in the library"
    yield f"{evaluation.layout} {evaluation.split}: {there}"
    ranking = ("r1", "r5", "r10", "map", "ndcg10")
    for task in evaluation.tasks:
        ways = (("dot", task.dot), ("cosine", task.cosine), ("dual softmax *", task.dual_softmax))
        yield f"{task.task}: {task.queries} queries over {task.gallery}"
        yield from table(
            ("", *ranking), [(way, *(percent(getattr(figures, name)) for name in ranking)) for way, figures in ways]
        )
    if evaluation.tasks:
        yield "* needs all the queries at once: nobody who asks one question gets this"
    if sounds := evaluation.sounds:
        yield f"{sounds.labels} sounds in {sounds.clips} clips"
        yield f"frame AUROC {decimals(sounds.auroc)}  PSDS 1 {decimals(sounds.psds1)}  PSDS 2 {decimals(sounds.psds2)}"
        yield f"event-F1 {decimals(sounds.event_f1)}, all sounds together {decimals(sounds.event_f1_micro)}"
        yield f"segment-F1 {decimals(sounds.segment_f1)}, all sounds together {decimals(sounds.segment_f1_micro)}"


def percent(value: float) -> str:
    """A share in per cent; NaN is nothing to measure."""
    return "-" if value != value else f"{100 * value:.0f} %"


def decimals(value: float) -> str:
    """A figure with three decimals; NaN is nothing to measure."""
    return "-" if value != value else f"{value:.3f}"
