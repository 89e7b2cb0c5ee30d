"""Which device computes, in which precision, and what happens when it has no memory left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from pesearch.errors import DeviceError

DEVICES = ("auto", "cpu", "cuda")


def cuda_available() -> bool:
    """Is there a CUDA GPU that this torch can use?"""
    return torch.cuda.is_available()


def choose_device(wanted: str) -> str:
    """`auto` becomes cuda where there is a GPU, else cpu. Raises DeviceError for what is not there."""
    kind = wanted.partition(":")[0]
    if kind not in DEVICES:
        raise DeviceError(f"There is no device {wanted!r}. Choose one of: {', '.join(DEVICES)}.")
    if kind == "cuda" and not cuda_available():
        raise DeviceError("No CUDA GPU is usable here: use `--device cpu`, or install the CUDA build of torch.")
    return ("cuda" if cuda_available() else "cpu") if wanted == "auto" else wanted


@contextmanager
def computing(device: str) -> Iterator[None]:
    """Inference: no gradients; float32 on a CPU, bfloat16 by autocast on CUDA.

    (bfloat16 is four times slower than float32 on a CPU without AMX.) Raises DeviceError when memory is exhausted.
    """
    cuda = device.startswith("cuda")
    with _enough_memory(device), torch.inference_mode(), torch.autocast("cuda", torch.bfloat16, enabled=cuda):
        yield


def place(model: Any, device: str) -> Any:
    """The model, its weights moved to the device. Raises DeviceError when they do not fit."""
    with _enough_memory(device):
        return model.to(device)


@contextmanager
def _enough_memory(device: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # on CUDA an OutOfMemoryError, on a CPU a plain RuntimeError of the allocator
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        advice = "close other programs on it, or use `--device cpu`" if device != "cpu" else "close other programs"
        raise DeviceError(f"{device} has no memory left: {advice}.") from error


def batch_size(device: str) -> int:
    """How many windows or frames pass through a model at once: a CPU gains nothing from many, and they cost memory.

    (A window of 10 s takes about 0.75 GB in the codec of PE-AV.)
    """
    return 16 if device.startswith("cuda") else 2
