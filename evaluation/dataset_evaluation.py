"""Evaluation of a public dataset on those of its clips that are in a library.

run = DatasetRun(read_dataset(folder), library, models)
for clip in run.detect_sounds(): ...
run.evaluation()
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pesearch.errors import LibraryError
from pesearch.evaluation.datasets import ClipAvailability, IndexedClip, match_clips
from pesearch.evaluation.detection_dataset import DetectionMetrics, SoundEvaluator
from pesearch.evaluation.layouts import Dataset
from pesearch.evaluation.protocols import TaskMetrics, task_metrics

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library


@dataclass(frozen=True, slots=True)
class DatasetEvaluation:
    """Metrics of one split: the retrieval `tasks` that could be measured, and `sounds` for detection datasets."""

    layout: str
    split: str
    clips: ClipAvailability
    tasks: tuple[TaskMetrics, ...]
    sounds: DetectionMetrics | None


class DatasetRun:
    """One evaluation of a dataset against the current snapshot of a library.

    `clips` are those that are in the library. Raises LibraryError if there are none, ModelMismatch if the library was
    made with other models.
    """

    def __init__(self, dataset: Dataset, library: Library, models: ModelSet) -> None:
        library.require(models.name, models.spaces)
        self._dataset, self._library, self._models = dataset, library.pinned(), models
        self.clips, self.availability = match_clips(dataset.clips, dataset.folder, self._library)
        if not self.clips:
            raise LibraryError(
                f"{dataset.layout.name} lists {self.availability.listed} clips: {self.availability.on_disk} are in "
                f"{dataset.folder.folder} and none is in the library {library.folder}: "
                f"run `pesearch index {dataset.folder.folder} --library {library.folder}` first"
            )
        self._sounds = SoundEvaluator(self.clips, self._library, models) if dataset.layout.has_sound_events else None

    def sound_clip_count(self) -> int:
        """Number of clips that `detect_sounds` yields."""
        return len(self._sounds) if self._sounds else 0

    def detect_sounds(self) -> Iterator[IndexedClip]:
        """Detect sounds, yielding each clip when it is done; empty for caption datasets. Raises MediaError."""
        return self._sounds.detect_sounds() if self._sounds else iter(())

    def evaluation(self) -> DatasetEvaluation:
        """Retrieval metrics, and detection metrics over the clips that `detect_sounds` has yielded."""
        tasks = [task_metrics(task, self.clips, self._library, self._models) for task in self._dataset.layout.tasks]
        return DatasetEvaluation(
            layout=self._dataset.layout.name,
            split=self._dataset.split,
            clips=self.availability,
            tasks=tuple(metrics for metrics in tasks if metrics),
            sounds=self._sounds.metrics() if self._sounds else None,
        )
