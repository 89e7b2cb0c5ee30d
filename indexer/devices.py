"""Several devices: a process for each, which decodes and embeds its share of the files; one writer for all.

The share of each is fixed at the start, by the length of the files.
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

from pesearch.encoders.hub import ModelFolders
from pesearch.encoders.model_registry import ModelSetDescription
from pesearch.encoders.model_set import ModelSet
from pesearch.errors import DeviceError, PesearchError
from pesearch.indexer.commit import Ended
from pesearch.indexer.pipeline import Embedding, embed
from pesearch.indexer.progress_events import Progress
from pesearch.indexer.survey import Work
from pesearch.indexer.timings import BESIDE, Stage, StageTimings

WAITING_FILES = 4
"""Finished files of each process that may wait for the writer."""

LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Share:
    """What one process does."""

    work: Sequence[Work]
    description: ModelSetDescription
    folders: ModelFolders
    device: str
    threads: int
    library: Path


@dataclass(frozen=True, slots=True)
class Done:
    """A process has done its share."""

    stages: tuple[tuple[Stage, float], ...]
    troubles: tuple[str, ...]


Message = Ended | Progress | Done | PesearchError


def embed_on(work: Sequence[Work], models: ModelSet, stages: StageTimings, library: Path) -> Embedding:
    """`pipeline.embed` on all devices of the model set."""
    if len(models.devices) == 1:
        yield from embed(work, models, stages, library)
        return
    context = multiprocessing.get_context("spawn")
    messages: Queue[Message] = context.Queue(WAITING_FILES * len(models.devices))
    threads = max(1, (os.cpu_count() or 1) // len(models.devices))
    shares = [
        Share(part, models.description, models.folders, device, threads, library)
        for part, device in zip(split(work, len(models.devices)), models.devices, strict=True)
        if part
    ]
    processes = [context.Process(target=_embed_share, args=(share, messages), daemon=True) for share in shares]
    try:
        for process in processes:
            process.start()
        for _ in shares:
            done = yield from _until_done(messages, processes)
            for stage, seconds in done.stages:
                stages.add(stage, seconds if stage in BESIDE else seconds / len(shares))
            stages.troubles += done.troubles
    finally:
        for process in processes:
            if process.pid is not None:
                process.terminate()
                process.join()


def split(work: Sequence[Work], count: int) -> list[list[Work]]:
    """Files in `count` shares of about the same length: the longest first, each to the share that has least."""
    shares: list[list[Work]] = [[] for _ in range(count)]
    seconds = [0.0] * count
    for task in sorted(work, key=lambda task: -task.info.duration_seconds):
        least = seconds.index(min(seconds))
        shares[least].append(task)
        seconds[least] += task.info.duration_seconds + 1.0  # a still takes its time too
    return shares


def _until_done(
    messages: Queue[Message], processes: Sequence[multiprocessing.context.SpawnProcess]
) -> Generator[Ended | Progress, None, Done]:
    """What comes, until a process says that it is done."""
    while True:
        try:
            message = messages.get(timeout=LOOK_SECONDS)
        except Empty:
            if any(process.exitcode for process in processes):
                raise DeviceError("A process that computes has died: it may have run out of memory.") from None
            continue
        if isinstance(message, PesearchError):
            raise message
        if isinstance(message, Done):
            return message
        yield message


def _embed_share(share: Share, messages: Queue[Message]) -> None:
    """The whole life of a process. Ctrl-C is for the parent, which then ends this one."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(share.threads)
    stages = StageTimings()
    models = ModelSet(share.description, share.folders, (share.device,))
    try:
        for each in embed(share.work, models, stages, share.library):
            messages.put(each)
    except PesearchError as error:
        messages.put(error)
    else:
        troubles = tuple(f"{share.device}: {trouble}" for trouble in stages.troubles)
        messages.put(Done(tuple((stage, stages.seconds(stage)) for stage in Stage), troubles))


def _end_with_parent() -> None:
    """A parent that is killed ends nobody, and what is computed here would wait for it for ever, with its memory."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
