"""`pesearch eval`: how well a library answers, as a table or as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.cli.json_output import evaluation_json
from pesearch.cli.render import table

if TYPE_CHECKING:
    from pesearch.search.evaluate import Evaluation

DIRECTIONS = {
    "text_audio": "text -> audio",
    "text_video": "text -> video",
    "text_audio_video": "text -> audio-video",
    "audio_video": "audio -> video",
    "speech": "speech",
}


def run_eval(truths: Path, folder: Path, device: str, as_json: bool) -> None:
    """Measure and print."""
    from pesearch.search.evaluate import evaluate
    from pesearch.search.opening import open_for_search
    from pesearch.search.truths import read_truths

    clips = read_truths(truths)
    library, models = open_for_search(folder, device)
    if models.notice:
        print(models.notice, file=sys.stderr)
    evaluation = evaluate(clips, library, models)
    if as_json:
        print(evaluation_json(evaluation))
        return
    for line in evaluation_lines(evaluation):
        print(line)


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


def percent(value: float) -> str:
    """A share in per cent; NaN is nothing to measure."""
    return "-" if value != value else f"{100 * value:.0f} %"
