"""The device is what was asked for, or an error of one line."""

import pytest
import torch

from pesearch.encoders.device import batch_size, choose_device, computing, place
from pesearch.encoders.models import default_model_set
from pesearch.errors import DeviceError


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
    class TooLarge:
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


def test_a_gpu_takes_more_at_once() -> None:
    assert batch_size("cuda:1") > batch_size("cpu") > 0
