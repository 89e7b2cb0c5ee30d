"""A worker of a cluster: embeds a batch with the one-machine pipeline, up to shards that the coordinator registers."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from pesearch.encoders.hub import ModelFolders, find_model_folders
from pesearch.encoders.model_registry import ModelSetDescription
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import ClusterError, LibraryError, ModelDamaged, PesearchError
from pesearch.indexer.commit import EmbeddedFile, FileResult, ResultGroup
from pesearch.indexer.pipeline import embed
from pesearch.indexer.progress_events import Progress
from pesearch.indexer.survey import EmbedTask, without_stamp
from pesearch.indexer.timings import Stage, StageTimings
from pesearch.locations import is_gone
from pesearch.store.catalogue.stamp import read_library_id
from pesearch.store.shards.format import Shard
from pesearch.store.shards.records import StreamedFile
from pesearch.store.shards.staging import Staging
from pesearch.store.write.batch import store_files
from pesearch.temporary_folder import TemporaryFolder
from pesearch.types import EncodedFile, Failure, Space


@dataclass(frozen=True, slots=True)
class Job:
    """The settings of a run, the same for all workers.

    `folders` are the model folders of the coordinator; a node without them uses its own cache. Shards are written to
    the folder `library`, or, with `staging`, to that URI. `threads` are those of torch.
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
class BatchReport:
    """The result of a batch: `results`, which contain no vectors, or the `error` that ends the run.

    `worker` is the process that embedded it, `fingerprints` its files, `media_seconds` their length in the plan, and
    `seconds` those of each stage.
    """

    worker: str
    fingerprints: tuple[str, ...]
    media_seconds: float
    results: ResultGroup = ()
    seconds: tuple[tuple[Stage, float], ...] = ()
    warnings: tuple[str, ...] = ()
    error: PesearchError | None = None


class Worker:
    """Embeds batches in one process. The models are loaded with the first."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._node = socket.gethostname()
        self._models: ModelSet | None = None

    def embed(self, tasks: Sequence[EmbedTask]) -> BatchReport:
        """Embeds a batch. Errors that concern more than one file are in the report too, with the name of the node."""
        report = BatchReport(
            f"{self._node} {os.getpid()}",
            tuple(task.fingerprint for task in tasks),
            sum(task.info.duration_seconds for task in tasks),
        )
        stages = StageTimings()
        try:
            results = self._embed(tasks, stages)
        except PesearchError as error:
            kind = ClusterError if isinstance(error, LibraryError) else type(error)  # the library itself is intact
            return replace(report, error=kind(f"{error} (on the node {self._node})"))
        seconds = tuple((stage, stages.seconds(stage)) for stage in Stage)
        warnings = tuple(f"{self._node}: {warning}" for warning in stages.warnings)
        return replace(report, results=results, seconds=seconds, warnings=warnings)

    def _embed(self, tasks: Sequence[EmbedTask], stages: StageTimings) -> ResultGroup:
        job, models = self._job, self._loaded()
        present = [task for task in tasks if not is_gone(task.location.path)]
        absent = [failure for task in tasks if task not in present for failure in _not_on_node(task)]
        with nullcontext(job.library) if job.staging is None else TemporaryFolder() as name:
            folder = Path(name)
            results = [
                result for event in embed(present, models, stages, folder) if not isinstance(event, Progress)
                for result in event
            ]  # fmt: skip
            stored = _stored(results, folder, job.spaces)
            if job.staging is not None:
                Staging(job.staging, job.library_id).put(folder, shards_of(stored))
        return tuple(self._with_node(result) for result in [*absent, *stored])

    def _loaded(self) -> ModelSet:
        """The models. Checks that they, and each time that a shared library, are those of the coordinator.

        Raises ClusterError, ModelError.
        """
        job = self._job
        if job.staging is None and read_library_id(job.library) != job.library_id:
            raise ClusterError(
                f"The library {job.library} is not shared with this node: share it, or use --staging URI"
            )
        if self._models is None:
            import torch

            models = ModelSet(job.description, _model_folders(job), job.device)
            if models.spaces != job.spaces:
                raise ModelDamaged(f"The model set {models.name} is of another revision than the library's")
            torch.set_num_threads(job.threads)
            self._models = models
        return self._models

    def _with_node(self, result: FileResult) -> FileResult:
        """Adds the name of the node to a failure that may not occur on another node."""
        if isinstance(result, Failure) and result.location == without_stamp(result.location):
            return replace(result, reason=f"{result.reason} (on the node {self._node})")
        return result


def _not_on_node(task: EmbedTask) -> list[Failure]:
    reason = "does not exist: media must have the same path on every node"
    return [Failure(without_stamp(location), reason) for location in (task.location, *task.copies)]


def shards_of(results: Sequence[FileResult]) -> list[Shard]:
    """The distinct shards of these files."""
    files = [each.file for each in results if isinstance(each, EmbeddedFile)]
    extents = [extent for file in files if isinstance(file, StreamedFile) for extent in file.extents]
    return list(dict.fromkeys(extent.shard for extent in extents))


def _model_folders(job: Job) -> ModelFolders:
    folders = job.folders
    if all(folder.path.is_dir() for folder in (folders.frames, folders.windows, folders.events)):
        return folders
    return find_model_folders(job.description)


def _stored(results: Sequence[FileResult], folder: Path, spaces: Sequence[Space]) -> list[FileResult]:
    """The results with all vectors on disk: long files were streamed there, short ones share shards written here."""
    short = [each.file for each in results if isinstance(each, EmbeddedFile) and isinstance(each.file, EncodedFile)]
    stored = {file.fingerprint: file for file in store_files(folder, short, spaces)}
    return [
        replace(each, file=stored[each.file.fingerprint])
        if isinstance(each, EmbeddedFile) and isinstance(each.file, EncodedFile)
        else each
        for each in results
    ]
