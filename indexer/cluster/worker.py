"""What a worker of a cluster does with a batch: the one-machine pipeline, up to shards that wait to be registered."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pesearch.encoders.hub import ModelFolders, find_model_folders
from pesearch.encoders.model_registry import ModelSetDescription
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import ClusterError, LibraryError, ModelDamaged, PesearchError
from pesearch.indexer.commit import Embedded, Ended, Finished
from pesearch.indexer.pipeline import embed
from pesearch.indexer.progress_events import Progress
from pesearch.indexer.survey import Work, unseen
from pesearch.indexer.timings import Stage, StageTimings
from pesearch.store.catalogue.stamp import read_library_id
from pesearch.store.shards.format import Shard
from pesearch.store.shards.records import StreamedFile
from pesearch.store.shards.staging import Staging
from pesearch.store.write.batch import store_files
from pesearch.types import EncodedFile, Failure, Space


@dataclass(frozen=True, slots=True)
class Job:
    """What all workers of a run are told.

    `folders` is where the models lie on the coordinator; a node that has nothing there looks into its own cache.
    Shards go straight into the folder `library`, or, with `staging`, to the waiting place at that URI.
    """

    description: ModelSetDescription
    folders: ModelFolders
    spaces: tuple[Space, ...]
    device: str
    threads: int
    library: Path
    library_id: str
    staging: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What has become of a batch: `ended` in a form that holds no vectors, or the `error` that ends the run.

    `contents` are the fingerprints of the batch, `worker` the process that did it, `seconds` those of its stages.
    `media_seconds` are those of the plan.
    """

    worker: str
    contents: tuple[str, ...]
    media_seconds: float
    ended: Ended = ()
    seconds: tuple[tuple[Stage, float], ...] = ()
    troubles: tuple[str, ...] = ()
    error: PesearchError | None = None


class Worker:
    """A process that embeds batch after batch. Its models are loaded with the first."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._node = socket.gethostname()
        self._models: ModelSet | None = None

    def embed(self, work: Sequence[Work]) -> Report:
        """Embeds a batch. What goes wrong with more than one file is in the report too, with the name of the node."""
        report = Report(
            f"{self._node} {os.getpid()}",
            tuple(task.fingerprint for task in work),
            sum(task.info.duration_seconds for task in work),
        )
        stages = StageTimings()
        try:
            ended = self._embed(work, stages)
        except PesearchError as error:
            kind = ClusterError if isinstance(error, LibraryError) else type(error)  # the library itself is well
            return replace(report, error=kind(f"{error} (on the node {self._node})"))
        seconds = tuple((stage, stages.seconds(stage)) for stage in Stage)
        troubles = tuple(f"{self._node}: {trouble}" for trouble in stages.troubles)
        return replace(report, ended=ended, seconds=seconds, troubles=troubles)

    def _embed(self, work: Sequence[Work], stages: StageTimings) -> Ended:
        job, models = self._job, self._loaded()
        here = [task for task in work if os.path.lexists(task.location.path)]
        away = [failure for task in work if task not in here for failure in self._not_here(task)]
        with nullcontext(job.library) if job.staging is None else TemporaryDirectory(prefix="pesearch-") as place:
            folder = Path(place)
            finished = [
                each for ended in embed(here, models, stages, folder) if not isinstance(ended, Progress)
                for each in ended
            ]  # fmt: skip
            stored = _stored(finished, folder, job.spaces)
            if job.staging is not None:
                Staging(job.staging, job.library_id).put(folder, shards_of(stored))
        return tuple(self._named(each) for each in [*away, *stored])

    def _loaded(self) -> ModelSet:
        """The models, and the library where it is shared, as the coordinator has them."""
        if self._models is None:
            import torch

            job = self._job
            if job.staging is None and read_library_id(job.library) != job.library_id:
                raise ClusterError(f"The library {job.library} is not there: share its folder, or give --staging URI")
            models = ModelSet(job.description, _folders_here(job), (job.device,))
            if models.spaces != job.spaces:
                raise ModelDamaged(f"The model set {models.name} is of another revision than the library's")
            torch.set_num_threads(job.threads)
            self._models = models
        return self._models

    def _not_here(self, task: Work) -> list[Failure]:
        reason = "is not there: media must lie at the same path on every node"
        return [Failure(unseen(place), reason) for place in (task.location, *task.copies)]

    def _named(self, finished: Finished) -> Finished:
        """A failure that may be the node's own tells which node it was."""
        if isinstance(finished, Failure) and finished.location == unseen(finished.location):
            return replace(finished, reason=f"{finished.reason} (on the node {self._node})")
        return finished


def shards_of(finished: Sequence[Finished]) -> list[Shard]:
    """The shards that these files lie in, each once."""
    files = [each.file for each in finished if isinstance(each, Embedded)]
    extents = [extent for file in files if isinstance(file, StreamedFile) for extent in file.extents]
    return list(dict.fromkeys(extent.shard for extent in extents))


def _folders_here(job: Job) -> ModelFolders:
    folders = job.folders
    if all(folder.path.is_dir() for folder in (folders.frames, folders.windows, folders.events)):
        return folders
    return find_model_folders(job.description)


def _stored(finished: Sequence[Finished], folder: Path, spaces: Sequence[Space]) -> list[Finished]:
    """The same with all vectors on the disk: those of long files are there, those of short ones go there together."""
    short = [each.file for each in finished if isinstance(each, Embedded) and isinstance(each.file, EncodedFile)]
    stored = {file.fingerprint: file for file in store_files(folder, short, spaces)}
    return [
        replace(each, file=stored[each.file.fingerprint])
        if isinstance(each, Embedded) and isinstance(each.file, EncodedFile)
        else each
        for each in finished
    ]
