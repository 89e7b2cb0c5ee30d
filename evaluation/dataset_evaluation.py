"""A dataset's protocol, run over those of its clips that are in a library.

run = DatasetRun(read_dataset(folder), library, models)
for clip in run.listen(): ...
run.evaluation()
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pesearch.errors import LibraryError
from pesearch.evaluation.datasets import PlacedClip, Presence, place
from pesearch.evaluation.detection_dataset import SoundFigures, SoundTally
from pesearch.evaluation.layouts import Dataset
from pesearch.evaluation.protocols import TaskFigures, task_figures

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library


@dataclass(frozen=True, slots=True)
class DatasetEvaluation:
    """The figures of a dataset's split: `tasks` of retrieval that could be measured, `sounds` where it locates them."""

    layout: str
    split: str
    clips: Presence
    tasks: tuple[TaskFigures, ...]
    sounds: SoundFigures | None


class DatasetRun:
    """One run over a dataset and a library as it is now.

    Raises LibraryError where no clip is in the library, ModelMismatch where it is not of these models.
    """

    def __init__(self, dataset: Dataset, library: Library, models: ModelSet) -> None:
        library.require(models.name, models.spaces)
        self._dataset, self._library, self._models = dataset, library.pinned(), models
        self._clips, self.presence = place(dataset.clips, dataset.folder, self._library)
        if not self._clips:
            raise LibraryError(
                f"of the {self.presence.listed} clips that {dataset.layout.name} lists, {self.presence.on_disk} are in "
                f"{dataset.folder.folder} and none in the library {library.folder}: "
                f"run `pesearch index {dataset.folder.folder} --library {library.folder}` first"
            )
        self._sounds = SoundTally(self._clips, self._library, models) if dataset.layout.locates_sounds else None

    def clips_to_hear(self) -> int:
        """How many clips `listen` gives."""
        return len(self._sounds) if self._sounds else 0

    def listen(self) -> Iterator[PlacedClip]:
        """Hears each clip of a dataset of located sounds, and gives it when it is counted. Raises MediaError."""
        return self._sounds.listen() if self._sounds else iter(())

    def evaluation(self) -> DatasetEvaluation:
        """The figures: of retrieval, and of the clips that were heard."""
        tasks = [task_figures(task, self._clips, self._library, self._models) for task in self._dataset.layout.tasks]
        return DatasetEvaluation(
            layout=self._dataset.layout.name,
            split=self._dataset.split,
            clips=self.presence,
            tasks=tuple(figures for figures in tasks if figures),
            sounds=self._sounds.figures() if self._sounds else None,
        )
