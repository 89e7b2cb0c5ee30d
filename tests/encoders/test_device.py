"""The device is what was asked for, or an error of one line."""

from collections.abc import Sequence

import pytest
import torch

from pesearch.encoders.device import Batches, choose_device, computing, place
from pesearch.encoders.model_registry import default_model_set
from pesearch.errors import DeviceError, OutOfMemory


@pytest.mark.parametrize(("there", "device", "model_set"), [(True, "cuda", "small"), (False, "cpu", "light")])
def test_auto_and_the_default_set_follow_the_machine(
    monkeypatch: pytest.MonkeyPatch, there: bool, device: str, model_set: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert choose_device("auto") == device
    assert choose_device("cpu") == "cpu"
    assert default_model_set() == model_set


def test_cuda_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="--device cpu"):
        choose_device("cuda")


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(DeviceError, match=r"'tpu'.*auto, cpu, cuda"):
        choose_device("tpu")


def test_computing_keeps_no_gradients_and_float32_on_a_cpu() -> None:
    weight = torch.nn.Linear(2, 2)
    with computing("cpu"):
        result = weight(torch.ones(1, 2))
    assert result.is_inference()
    assert result.dtype == torch.float32


def test_exhausted_memory_says_what_to_do() -> None:
    class TooLarge(torch.nn.Module):
        def to(self, device: str) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.")

    with pytest.raises(DeviceError, match=r"cuda has no memory left.*--device cpu"):
        place(TooLarge(), "cuda")
    with pytest.raises(DeviceError, match="cpu has no memory left"), computing("cpu"):
        torch.empty(1 << 60)


def test_another_failure_is_not_taken_for_it() -> None:
    with pytest.raises(RuntimeError, match="size of tensor") as caught, computing("cpu"):
        torch.ones(2) + torch.ones(3)
    assert not isinstance(caught.value, DeviceError)


def test_a_batch_that_is_too_large_is_halved_and_nothing_is_lost() -> None:
    """The real exception, raised for more than three at once."""
    sizes = []

    def square(batch: Sequence[int]) -> list[int]:
        with computing("cpu"):
            if len(batch) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB.")
        sizes.append(len(batch))
        return [number * number for number in batch]

    batches = Batches("frames", "cuda:1", {"cuda": 16, "cpu": 1})
    assert batches.problem is None
    assert batches.run(range(20), square) == [number * number for number in range(20)]
    assert sizes == [2] * 10
    assert batches.run(range(4), square) == [0, 1, 4, 9]
    assert batches.problem == "memory ran out: frames were taken 2 at a time in place of 16"


def test_one_that_does_not_fit_alone_ends_in_an_error() -> None:
    def fail(batch: Sequence[int]) -> list[int]:
        with computing("cpu"):
            raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(OutOfMemory, match="cpu has no memory left"):
        Batches("frames", "cuda", {"cuda": 8}).run(range(8), fail)
