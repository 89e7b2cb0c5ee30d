"""A CUDA GPU on 1080p30 H.264 with sound: times real time, and the distance to the arithmetic limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from benchmarks.clips import make_copies, make_video
from benchmarks.costs import wall_seconds
from benchmarks.figures import RealTime
from benchmarks.ours import decode_all, encode_all, index_all
from pesearch.encoders.model_set import ModelSet
from pesearch.indexer.media_chunk import MediaChunk
from pesearch.indexer.timings import StageTimings

MANY_FILES = 8
MATRIX_SIDE = 8192
MATRIX_ROUNDS = 50


def measure_gpu(folder: Path, seconds: float, models: ModelSet) -> Iterator[RealTime]:
    """Index one file with one decoding thread, and a folder of files with several; the models are warm."""
    clip = make_video(folder / "1080p30.mp4", seconds, size="1920x1080", rate=30)
    decode_seconds, pieces = wall_seconds(lambda: decode_all(clip, models))
    encode_all(pieces[:1], models, StageTimings())
    encode_seconds, _ = wall_seconds(lambda: encode_all(pieces, models, StageTimings()))
    operations = operations_of(pieces, models)
    rate = matrix_rate(models.device)
    for files in (1, MANY_FILES):
        spent = index_all(make_copies(folder / f"{files} files", clip, files), folder / f"library of {files}", models)
        worked = spent.tower_seconds + spent.codec_seconds + spent.transformers_seconds
        yield RealTime(
            part="gpu",
            files=files,
            media_seconds=files * seconds,
            index_times=files * seconds / spent.elapsed_seconds,
            decode_times=seconds / decode_seconds,
            encode_times=seconds / encode_seconds,
            working_share=worked / spent.elapsed_seconds,
            operations=files * operations,
            matrix_rate=rate,
            limit_share=files * operations / rate / spent.elapsed_seconds,
            at_least=100.0,
            spent=spent,
        )


def operations_of(pieces: Sequence[MediaChunk], models: ModelSet) -> int:
    """Floating point operations of tower, codec and transformers on these chunks; a multiply-add counts as two."""
    with _Counting() as counting:
        encode_all(pieces, models, StageTimings())
    return int(counting.operations)


def matrix_rate(device: str) -> float:
    """Operations per second of large bfloat16 matrix products."""
    one, other = (torch.randn(MATRIX_SIDE, MATRIX_SIDE, dtype=torch.bfloat16, device=device) for _ in range(2))
    _repeat(lambda: one @ other)
    seconds, _ = wall_seconds(lambda: _repeat(lambda: one @ other))
    return 2 * MATRIX_SIDE**3 * MATRIX_ROUNDS / seconds


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch gives it no types
    """Counts operators as torch's FlopCounterMode does.

    FlopCounterMode also tracks modules, and fails where a module is called with a parameter while gradients are off, as
    in the attention pooling of the tower.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch gives it no types
        self.operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        count = flop_registry.get(func.overloadpacket)
        if count is None and func.namespace == "aten":
            with self:
                result = func.decompose(*args, **options)
            if result is not NotImplemented:
                return result
        result = func(*args, **options)
        self.operations += int(count(*args, **options, out_val=result)) if count else 0
        return result


def _repeat(work: Callable[[], torch.Tensor]) -> None:
    for _ in range(MATRIX_ROUNDS):
        work()
