"""Device selection, inference precision, and batches that are halved when memory runs out."""

import ctypes
import gc
import platform
import sys
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from pesearch.cpu_count import usable_cpus
from pesearch.encoders import device, device_selection
from pesearch.encoders.device import AdaptiveBatches, inference, move_to
from pesearch.encoders.device_selection import Precision, choose_device, choose_precision
from pesearch.encoders.model_registry import default_model_set
from pesearch.errors import DeviceError, OutOfMemory


@pytest.mark.parametrize(("is_available", "chosen", "model_set"), [(True, "cuda", "small"), (False, "cpu", "light")])
def test_auto_and_the_default_set_follow_the_machine(
    monkeypatch: pytest.MonkeyPatch, is_available: bool, chosen: str, model_set: str
) -> None:
    monkeypatch.setattr(device_selection, "_has_gpu_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: is_available)
    assert choose_device("auto") == chosen
    assert choose_device("cpu") == "cpu"
    assert default_model_set() == model_set


def test_without_a_driver_torch_is_not_asked_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking imports torch."""
    monkeypatch.setattr(device_selection, "_has_gpu_driver", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("asked"))
    assert choose_device("auto") == "cpu"


def test_a_driver_is_nvidias_library_or_amds_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(ctypes, "CDLL", loaded.append)
    assert device_selection._has_gpu_driver()
    assert loaded == ["libcuda.so.1"]

    def absent(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", absent)
    for folder, is_found in ((tmp_path / "absent", False), (tmp_path, True)):
        monkeypatch.setattr(device_selection, "Path", lambda name, folder=folder: folder)
        assert device_selection._has_gpu_driver() == is_found


@pytest.mark.parametrize(
    ("asked", "expected"), [("3", 3), ("", usable_cpus()), ("0", usable_cpus()), ("2,1", usable_cpus())]
)
def test_numpy_gets_the_threads_that_the_user_set(monkeypatch: pytest.MonkeyPatch, asked: str, expected: int) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert device_selection.thread_count() == expected


@pytest.mark.parametrize(("has", "asked", "keeps"), [(8, "", 2), (8, "6", 6), (1, "", 1)])
def test_torch_gets_no_more_threads_than_this_process_may_use(
    monkeypatch: pytest.MonkeyPatch, has: int, asked: str, keeps: int
) -> None:
    """Two CPUs; OMP_NUM_THREADS overrules them."""
    monkeypatch.setattr(device_selection, "usable_cpus", lambda: 2)
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(has)
        device_selection.limit_threads()
        assert torch.get_num_threads() == keeps
    finally:
        torch.set_num_threads(before)


def test_cuda_without_a_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="--device cpu"):
        choose_device("cuda")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(DeviceError, match=r"'tpu'.*auto, cpu, cuda"):
        choose_device("tpu")


def test_computing_keeps_no_gradients_and_float32_on_a_cpu() -> None:
    weight = torch.nn.Linear(2, 2)
    with inference("cpu"):
        result = weight(torch.ones(1, 2))
    assert result.is_inference()
    assert result.dtype == torch.float32


def test_exhausted_memory_says_what_to_do() -> None:
    class TooLarge(torch.nn.Module):
        def to(self, device: str) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.")

    with pytest.raises(DeviceError, match=r"cuda has no memory left.*--device cpu"):
        move_to(TooLarge(), "cuda")
    with pytest.raises(DeviceError, match="cpu has no memory left"), inference("cpu"):
        torch.empty(1 << 60)


def test_other_runtime_errors_pass_through() -> None:
    with pytest.raises(RuntimeError, match="size of tensor") as caught, inference("cpu"):
        torch.ones(2) + torch.ones(3)
    assert not isinstance(caught.value, DeviceError)


def test_batches_are_halved_until_they_fit_and_no_item_is_lost() -> None:
    """torch's exception, raised for more than three items at once."""
    sizes = []

    def square(batch: Sequence[int]) -> list[int]:
        with inference("cpu"):
            if len(batch) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.")
        sizes.append(len(batch))
        return [number * number for number in batch]

    batches = AdaptiveBatches("frames", "cuda:1", {"cuda": 16, "cpu": 1})
    assert batches.problem is None
    assert batches.run(range(20), square) == [number * number for number in range(20)]
    assert sizes == [2] * 10
    assert batches.run(range(4), square) == [0, 1, 4, 9]
    assert batches.problem == "memory ran out: batches of frames were reduced from 16 to 2"


def test_an_item_that_does_not_fit_alone_is_an_error() -> None:
    def fail(batch: Sequence[int]) -> list[int]:
        with inference("cpu"):
            raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(OutOfMemory, match="cpu has no memory left"):
        AdaptiveBatches("frames", "cuda", {"cuda": 8}).run(range(8), fail)


class Activation:
    """Stands for a tensor of the failed batch. It is part of a cycle, so that only the garbage collector frees it."""

    def __init__(self) -> None:
        self.cycle = self


class FailingOnce:
    """Runs out of memory on the first batch, while an Activation is referenced from the frame of the call."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self._activation: weakref.ref[Activation] | None = None

    def __call__(self, batch: Sequence[int]) -> list[int]:
        self.note(f"batch of {len(batch)}")
        if self._activation is None:
            activation = Activation()
            self._activation = weakref.ref(activation)
            with inference("cpu"):
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.")
        return list(batch)

    def note(self, event: str) -> None:
        is_held = self._activation is not None and self._activation() is not None
        self.events.append(f"{event}, activation {'held' if is_held else 'free'}")


@pytest.fixture
def no_automatic_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_automatic_collection")
def test_the_failed_batch_is_freed_before_a_smaller_one_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """First the failed batch's own tensors, then the cache of the GPU's allocator, then the next attempt."""
    compute = FailingOnce()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: compute.note("cache emptied"))
    assert AdaptiveBatches("frames", "cuda", {"cuda": 4}).run(range(4), compute) == [0, 1, 2, 3]
    assert compute.events == [
        "batch of 4, activation free",
        "cache emptied, activation free",
        "batch of 2, activation free",
        "batch of 2, activation free",
    ]


def test_memory_is_freed_outside_the_handler_that_keeps_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    handled: list[BaseException | None] = []
    monkeypatch.setattr(device, "_free_memory", lambda: handled.append(sys.exception()))
    AdaptiveBatches("frames", "cpu", {"cpu": 2}).run(range(2), FailingOnce())
    assert handled == [None]


def test_bfloat16_is_for_cpus_that_have_it_and_for_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PESEARCH_PRECISION", "auto")
    for flags, expected in (
        ("fpu avx512f avx512_vnni", "float32"),
        ("fpu avx512f avx512_bf16", "bfloat16"),
        ("fpu amx_bf16 amx_tile", "bfloat16"),
        ("", "float32"),
    ):
        monkeypatch.setattr(device_selection, "_cpu_flags", lambda flags=flags: frozenset(flags.split()))
        assert choose_precision("cpu") == expected
        assert choose_precision("cpu", is_tiny=True) == "float32"
        assert choose_precision("cuda:1") == "bfloat16"


def test_users_choose_the_precision_of_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for wanted in Precision:
        monkeypatch.setenv("PESEARCH_PRECISION", wanted)
        assert choose_precision("cpu", is_tiny=True) is wanted
    monkeypatch.setenv("PESEARCH_PRECISION", "int8")
    with pytest.raises(DeviceError, match="PESEARCH_PRECISION is 'int8': set it to auto, float32 or bfloat16"):
        choose_precision("cpu")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="flags are read from /proc")
def test_flags_of_this_cpu_are_found() -> None:
    """SSE2 is part of x86-64; ARM lists its extensions under another name."""
    assert ("sse2" in device_selection._cpu_flags()) == (platform.machine() == "x86_64")


def test_exact_inference_uses_no_tf32() -> None:
    """Two threads inside at once: the last one out restores torch's defaults."""
    assert tf32_allowed() == (True, False)
    second = inference("cpu", exact=True)
    with ThreadPoolExecutor(1) as other:
        with inference("cpu", exact=True):
            assert tf32_allowed() == (False, False)
            other.submit(second.__enter__).result()
        assert tf32_allowed() == (False, False)
        other.submit(second.__exit__, None, None, None).result()
    assert tf32_allowed() == (True, False)
    with inference("cpu"):
        assert tf32_allowed() == (True, False)
    assert torch.is_grad_enabled()


def tf32_allowed() -> tuple[bool, bool]:
    """Of convolutions and of matrix products."""
    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
