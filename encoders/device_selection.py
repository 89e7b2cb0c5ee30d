"""Device selection. torch is imported only where there may be a GPU."""

from __future__ import annotations

import ctypes
import os
import sys
from enum import StrEnum
from pathlib import Path

from pesearch.cpu_count import usable_cpus
from pesearch.encoders.apple_gpu import mps_available
from pesearch.errors import DeviceError

AUTO = "auto"
"""The GPU if there is one, else the CPU."""

DEVICES = (AUTO, "cpu", "cuda", "mps")
"""Kinds of devices that a user can name."""


class Precision(StrEnum):
    """What the towers of images and windows and the codec compute with. Texts and sound events are always float32.

    On a CPU bfloat16 weights, but the codec's residuals in float32; on CUDA autocast, but the codec in float32; on the
    GPU of Apple Silicon always float32.
    """

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


PRECISION_VARIABLE = "PESEARCH_PRECISION"
"""Environment variable with the precision on a CPU: float32 or bfloat16; unset or auto: the faster one."""

BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
"""Names in /proc/cpuinfo. With them bfloat16 takes 0.54 of the time of float32, without them four times as long."""


def cuda_available() -> bool:
    """Whether this build of torch can use a CUDA GPU here."""
    if not _has_gpu_driver():
        return False
    import torch

    return torch.cuda.is_available()


def _has_gpu_driver() -> bool:
    """Whether the driver of a GPU that torch calls CUDA may be here: NVIDIA's library, or on Linux AMD's device."""
    if sys.platform == "darwin":
        return False
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return sys.platform == "linux" and Path("/dev/kfd").exists()
    return True


def choose_devices(wanted: str) -> tuple[str, ...]:
    """One device, or a comma-separated list: `cuda:0,1`, `cpu,cpu`. Raises DeviceError if one does not exist."""
    first, *more = wanted.split(",")
    kind = first.partition(":")[0]
    devices = [first, *(f"{kind}:{name}" if name.isdecimal() else name for name in more)]
    return tuple(choose_device(device) for device in devices)


def choose_device(wanted: str) -> str:
    """`auto` becomes cuda or mps if there is such a GPU, else cpu. Raises DeviceError if there is no such device."""
    kind, _, number = wanted.partition(":")
    if kind not in DEVICES:
        raise DeviceError(f"There is no device {wanted!r}. Choose one of: {', '.join(DEVICES)}.")
    if kind == "cuda" and not cuda_available():
        raise DeviceError("No CUDA GPU is usable here: use `--device cpu`, or install the CUDA build of torch.")
    if kind == "mps" and not mps_available():
        raise DeviceError("No GPU of Apple Silicon is usable here: use `--device cpu`.")
    if number and not (kind == "cuda" and number.isdecimal() and int(number) < _cuda_count()):
        raise DeviceError(f"There is no device {wanted!r} here: {_cuda_count()} CUDA GPUs are usable.")
    return _best_device() if wanted == AUTO else wanted


def _best_device() -> str:
    if cuda_available():
        return "cuda"
    return "mps" if mps_available() else "cpu"


def choose_precision(device: str, *, is_tiny: bool = False) -> Precision:
    """The precision on a device. Tiny models gain nothing from bfloat16 on a CPU. Raises DeviceError if
    PRECISION_VARIABLE names none."""
    wanted = os.environ.get(PRECISION_VARIABLE, "") or AUTO
    if wanted not in (AUTO, *Precision):
        raise DeviceError(f"{PRECISION_VARIABLE} is {wanted!r}: set it to auto, {' or '.join(Precision)}.")
    if device.startswith("cuda"):
        return Precision.BFLOAT16
    if device.startswith("mps"):
        return Precision.FLOAT32
    if wanted != AUTO:
        return Precision(wanted)
    return Precision.BFLOAT16 if BFLOAT16_FLAGS & _cpu_flags() and not is_tiny else Precision.FLOAT32


def use_one_thread() -> None:
    """Limit torch to one thread, for models so small that threads mostly wait for each other (with the starter set more
    threads cost 6 times the CPU time on two busy cores)."""
    import torch

    torch.set_num_threads(1)


def limit_threads() -> None:
    """Limit torch to `thread_count`: by default it has a thread for each core of the machine, also in a container with
    a quota. It keeps to fewer where it has fewer."""
    import torch

    torch.set_num_threads(min(torch.get_num_threads(), thread_count()))


def thread_count() -> int:
    """Threads for NumPy: OMP_NUM_THREADS, as for torch, or one for each CPU that this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and int(asked) else usable_cpus()


def _cpu_flags() -> frozenset[str]:
    """Extensions of the first CPU; none where Linux does not list them (ARM, macOS)."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())


def _cuda_count() -> int:
    import torch

    return torch.cuda.device_count()
