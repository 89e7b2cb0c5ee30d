"""Which device computes, in which precision, and what happens when it has no memory left."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch

from pesearch.errors import DeviceError, OutOfMemory

Item = TypeVar("Item")
Result = TypeVar("Result")

DEVICES = ("auto", "cpu", "cuda")


def cuda_available() -> bool:
    """Is there a CUDA GPU that this torch can use?"""
    return torch.cuda.is_available()


def choose_devices(wanted: str) -> tuple[str, ...]:
    """One device, or several that share the work: `cuda:0,1`, `cpu,cpu`. Raises DeviceError for what is not there."""
    first, *more = wanted.split(",")
    kind = first.partition(":")[0]
    devices = [first, *(f"{kind}:{name}" if name.isdecimal() else name for name in more)]
    return tuple(choose_device(device) for device in devices)


def choose_device(wanted: str) -> str:
    """`auto` becomes cuda where there is a GPU, else cpu. Raises DeviceError for what is not there."""
    kind = wanted.partition(":")[0]
    if kind not in DEVICES:
        raise DeviceError(f"There is no device {wanted!r}. Choose one of: {', '.join(DEVICES)}.")
    if kind == "cuda" and not cuda_available():
        raise DeviceError("No CUDA GPU is usable here: use `--device cpu`, or install the CUDA build of torch.")
    number = wanted.partition(":")[2]
    if number and not (kind == "cuda" and number.isdecimal() and int(number) < torch.cuda.device_count()):
        raise DeviceError(f"There is no device {wanted!r} here: {torch.cuda.device_count()} CUDA GPUs are usable.")
    return ("cuda" if cuda_available() else "cpu") if wanted == "auto" else wanted


def use_one_thread() -> None:
    """For models so small that threads wait for each other longer than they work (starter set: 6 times the CPU-time
    on two busy cores)."""
    torch.set_num_threads(1)


@contextmanager
def computing(device: str, *, exact: bool = False) -> Iterator[None]:
    """Inference: no gradients; float32 on a CPU, bfloat16 by autocast on CUDA, or there too float32 where `exact`.

    (bfloat16 is four times slower than float32 on a CPU without AMX.) Raises OutOfMemory.
    """
    half = device.startswith("cuda") and not exact
    with _enough_memory(device), torch.inference_mode(), torch.autocast("cuda", torch.bfloat16, enabled=half):
        yield


def place(model: Any, device: str) -> Any:
    """The model, its weights moved to the device. Raises OutOfMemory when they do not fit."""
    with _enough_memory(device):
        return model.requires_grad_(False).to(device)


@contextmanager
def _enough_memory(device: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # on CUDA an OutOfMemoryError, on a CPU a plain RuntimeError of the allocator
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        advice = "close other programs on it, or use `--device cpu`" if device != "cpu" else "close other programs"
        raise OutOfMemory(f"{device} has no memory left: {advice}.") from error


class Batches:
    """How many items pass through a model at once. When memory runs out the size is halved, and stays so."""

    def __init__(self, what: str, device: str, sizes: Mapping[str, int]) -> None:
        """`sizes` by the kind of device."""
        self.what = what
        self.size = self.started_with = sizes[device.partition(":")[0]]

    def run(self, items: Sequence[Item], compute: Callable[[Sequence[Item]], Sequence[Result]]) -> list[Result]:
        """The results for all items, in their order. Raises OutOfMemory when not even one fits."""
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
            _free_memory()  # here, where the error and all that it holds is gone
        return results

    @property
    def problem(self) -> str | None:
        """One line when memory ran out, else None."""
        if self.size == self.started_with:
            return None
        return f"memory ran out: {self.what} were taken {self.size} at a time in place of {self.started_with}"


def _free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
