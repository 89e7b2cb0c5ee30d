"""Embeds on several devices: one process per device for its share of the files, and a single writer.

The shares are fixed at the start, balanced by the length of the files.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty

from pesearch.cpu_count import usable_cpus
from pesearch.encoders.hub import ModelFolders
from pesearch.encoders.model_registry import ModelSetDescription
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import DeviceError, PesearchError
from pesearch.indexer.commit import ResultGroup
from pesearch.indexer.pipeline import EmbedEvents, embed
from pesearch.indexer.progress_events import Progress
from pesearch.indexer.survey import EmbedTask
from pesearch.indexer.timings import CONCURRENT_STAGES, Stage, StageTimings

QUEUED_MESSAGES = 4
"""Messages of each process, such as finished files, that may wait for the writer."""

POLL_SECONDS = 1.0
"""How often the processes are checked for an unexpected end while no message comes."""

SECONDS_PER_FILE = 1.0
"""Added to the length of each file when the work is shared out, since a still image takes time too."""

PARENT_GONE = 1
"""Exit status of a process whose parent was killed; nothing reads it."""


@dataclass(frozen=True, slots=True)
class Share:
    """The work of one process. `threads` are those of torch."""

    tasks: Sequence[EmbedTask]
    description: ModelSetDescription
    folders: ModelFolders
    device: str
    threads: int
    library: Path


@dataclass(frozen=True, slots=True)
class ShareDone:
    """The last message of a process that has embedded its share."""

    stages: tuple[tuple[Stage, float], ...]
    warnings: tuple[str, ...]


Message = ResultGroup | Progress | ShareDone | PesearchError


def embed_on(tasks: Sequence[EmbedTask], models: ModelSet, stages: StageTimings, library: Path) -> EmbedEvents:
    """`pipeline.embed` on all devices of the model set. Also raises DeviceError when a process dies."""
    if len(models.devices) == 1:
        yield from embed(tasks, models, stages, library)
        return
    context = multiprocessing.get_context("spawn")
    messages: Queue[Message] = context.Queue(QUEUED_MESSAGES * len(models.devices))
    threads = max(1, usable_cpus() // len(models.devices))
    shares = [
        Share(part, models.description, models.folders, device, threads, library)
        for part, device in zip(split_by_length(tasks, len(models.devices)), models.devices, strict=True)
        if part
    ]
    processes = [context.Process(target=_embed_share, args=(share, messages), daemon=True) for share in shares]
    try:
        for process in processes:
            process.start()
        for _ in shares:
            done = yield from _until_done(messages, processes)
            for stage, seconds in done.stages:
                stages.add(stage, seconds if stage in CONCURRENT_STAGES else seconds / len(shares))
            stages.warnings += done.warnings
    finally:
        for process in processes:
            if process.pid is not None:
                process.terminate()
                process.join()


def split_by_length(tasks: Sequence[EmbedTask], count: int) -> list[list[EmbedTask]]:
    """Splits the files into `count` shares of about equal length, longest first, each to the shortest share so far."""
    shares: list[list[EmbedTask]] = [[] for _ in range(count)]
    seconds = [0.0] * count
    for task in sorted(tasks, key=lambda task: -task.info.duration_seconds):
        shortest = seconds.index(min(seconds))
        shares[shortest].append(task)
        seconds[shortest] += task.info.duration_seconds + SECONDS_PER_FILE
    return shares


def _until_done(
    messages: Queue[Message], processes: Sequence[multiprocessing.context.SpawnProcess]
) -> Generator[ResultGroup | Progress, None, ShareDone]:
    """Passes on messages until one process has done its share, which it returns.

    Ends: a process sends finitely many messages and then ShareDone or an error, or it dies, which is noticed within
    POLL_SECONDS once the queue is empty.
    """
    while True:
        try:
            message = messages.get(timeout=POLL_SECONDS)
        except Empty:
            if any(process.exitcode for process in processes):
                raise DeviceError("A device process has died; it may have run out of memory.") from None
            continue
        if isinstance(message, PesearchError):
            raise message
        if isinstance(message, ShareDone):
            return message
        yield message


def _embed_share(share: Share, messages: Queue[Message]) -> None:
    """The main function of a process. Ctrl-C is handled by the parent, which then ends this process."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    exit_with_parent()
    torch.set_num_threads(share.threads)
    stages = StageTimings()
    models = ModelSet(share.description, share.folders, share.device)
    try:
        for each in embed(share.tasks, models, stages, share.library):
            messages.put(each)
    except PesearchError as error:
        messages.put(error)
    else:
        warnings = tuple(f"{share.device}: {warning}" for warning in stages.warnings)
        messages.put(ShareDone(tuple((stage, stages.seconds(stage)) for stage in Stage), warnings))


def exit_with_parent() -> None:
    """Ends this process as soon as its parent has ended, also by a signal.

    `daemon=True` only covers a parent that exits normally: after SIGKILL its children would wait on the full queue
    forever, with the models in memory. `sys.exit` would end only the waiting thread, after flushing a queue that has
    no reader, hence `os._exit`. Only shards that no catalogue refers to are left; the next writer sweeps
    them.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()


def _exit_after(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(PARENT_GONE)
