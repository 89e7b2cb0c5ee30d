"""Device selection. torch is imported only to look for a GPU."""

from __future__ import annotations

from pesearch.errors import DeviceError

AUTO = "auto"
"""The GPU if there is one, else the CPU."""

DEVICES = (AUTO, "cpu", "cuda")
"""Kinds of devices that a user can name."""


def cuda_available() -> bool:
    """Whether this build of torch can use a CUDA GPU here."""
    import torch

    return torch.cuda.is_available()


def choose_devices(wanted: str) -> tuple[str, ...]:
    """One device, or a comma-separated list: `cuda:0,1`, `cpu,cpu`. Raises DeviceError if one does not exist."""
    first, *more = wanted.split(",")
    kind = first.partition(":")[0]
    devices = [first, *(f"{kind}:{name}" if name.isdecimal() else name for name in more)]
    return tuple(choose_device(device) for device in devices)


def choose_device(wanted: str) -> str:
    """`auto` becomes cuda if there is a GPU, else cpu. Raises DeviceError for a device that does not exist."""
    kind, _, number = wanted.partition(":")
    if kind not in DEVICES:
        raise DeviceError(f"There is no device {wanted!r}. Choose one of: {', '.join(DEVICES)}.")
    if kind == "cuda" and not cuda_available():
        raise DeviceError("No CUDA GPU is usable here: use `--device cpu`, or install the CUDA build of torch.")
    if number and not (kind == "cuda" and number.isdecimal() and int(number) < _cuda_count()):
        raise DeviceError(f"There is no device {wanted!r} here: {_cuda_count()} CUDA GPUs are usable.")
    return ("cuda" if cuda_available() else "cpu") if wanted == AUTO else wanted


def use_one_thread() -> None:
    """Limit torch to one thread, for models so small that threads mostly wait for each other (with the starter set more
    threads cost 6 times the CPU time on two busy cores)."""
    import torch

    torch.set_num_threads(1)


def _cuda_count() -> int:
    import torch

    return torch.cuda.device_count()
