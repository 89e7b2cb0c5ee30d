"""Inference precision, and recovery from memory that runs out."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

import torch

from pesearch.encoders.device_selection import Precision
from pesearch.errors import OutOfMemory
from pesearch.process_setting import ProcessSetting

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def inference(device: str, *, exact: bool = False) -> Iterator[None]:
    """No gradients. On CUDA bfloat16 by autocast, or with `exact` float32 without TF32; on a CPU as the weights are.

    Raises OutOfMemory.
    """
    half = device.startswith("cuda") and not exact
    with (
        _memory_errors(device),
        torch.inference_mode(),
        torch.autocast("cuda", torch.bfloat16, enabled=half),
        _EXACT if exact else nullcontext(),
    ):
        yield


def weights_dtype(device: str, precision: Precision) -> torch.dtype:
    """The type of weights. On CUDA float32: autocast rounds them."""
    is_half = precision is Precision.BFLOAT16 and not device.startswith("cuda")
    return torch.bfloat16 if is_half else torch.float32


def _without_tf32() -> Callable[[], None]:
    """Let convolutions and matrix products in float32 not round their operands to TF32; torch allows it in convolutions
    by default. (What other threads compute meanwhile is bfloat16, or more exact.)"""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    _allow_tf32(convolutions=False, products=False)
    return lambda: _allow_tf32(*before)


def _allow_tf32(convolutions: bool, products: bool) -> None:
    torch.backends.cudnn.allow_tf32 = convolutions
    torch.backends.cuda.matmul.allow_tf32 = products


_EXACT = ProcessSetting(_without_tf32)


def move_to(model: Any, device: str) -> Any:
    """The model with its weights moved to the device and frozen. Raises OutOfMemory if they do not fit."""
    with _memory_errors(device):
        return model.requires_grad_(False).to(device)


@contextmanager
def _memory_errors(device: str) -> Iterator[None]:
    """Turn failed allocations into OutOfMemory."""
    try:
        yield
    except RuntimeError as error:  # on CUDA an OutOfMemoryError, elsewhere a plain RuntimeError of the allocator
        if not isinstance(error, torch.OutOfMemoryError) and not any(text in str(error) for text in _NO_MEMORY):
            raise
        advice = "close other programs on it, or use `--device cpu`" if device != "cpu" else "close other programs"
        raise OutOfMemory(f"{device} has no memory left: {advice}.") from error


_NO_MEMORY = ("allocate memory", "MPS backend out of memory", "Invalid buffer size")
"""In the messages of torch's allocators for the CPU and for Metal, and of Metal for a buffer that is too large."""


class AdaptiveBatches:
    """Runs a model in batches. When memory runs out, the batch size is halved permanently."""

    def __init__(self, item_name: str, device: str, sizes: Mapping[str, int]) -> None:
        """`sizes` maps the kind of device (cpu, cuda, mps) to the initial batch size; `item_name` is for `problem`."""
        self.item_name = item_name
        self.size = self.initial_size = sizes[device.partition(":")[0]]

    def run(self, items: Sequence[Item], compute: Callable[[Sequence[Item]], Sequence[Result]]) -> list[Result]:
        """The results for all items, in order. Raises OutOfMemory if a single item does not fit."""
        results: list[Result] = []
        while len(results) < len(items):
            batch = items[len(results) : len(results) + self.size]
            try:
                results += compute(batch)
                continue
            except OutOfMemory:
                if len(batch) == 1:
                    raise
            self.size = len(batch) // 2
            _free_memory()  # outside the except block: the error's traceback holds the tensors of the failed batch
        return results

    @property
    def problem(self) -> str | None:
        """One line for the user if memory ran out, else None."""
        if self.size == self.initial_size:
            return None
        return f"memory ran out: batches of {self.item_name} were reduced from {self.initial_size} to {self.size}"


def _free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
