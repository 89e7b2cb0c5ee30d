"""The GPU of Apple Silicon, which is not here: when torch is asked for one, and what happens without one."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest
import torch

from pesearch.encoders import device_selection
from pesearch.encoders.apple_gpu import FALLBACK_VARIABLE, allow_cpu_fallback, mps_available
from pesearch.encoders.chunked_codec import CHUNK_BATCH_SIZES
from pesearch.encoders.device import inference, weights_dtype
from pesearch.encoders.device_selection import Precision, choose_device, choose_precision
from pesearch.encoders.image_tower import FRAME_BATCH_SIZES
from pesearch.encoders.model_registry import default_model_set
from pesearch.encoders.model_set import open_model_set
from pesearch.encoders.pe_a_frame import WINDOW_BATCH_SIZES as SOUND_BATCH_SIZES
from pesearch.encoders.pe_av import WINDOW_BATCH_SIZES
from pesearch.errors import DeviceError, OutOfMemory
from pesearch.indexer.decode_workers import BATCH_BYTES, PREFETCH_BYTES


@pytest.fixture
def apple(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with Apple Silicon, as far as it is looked at."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)


@pytest.mark.usefixtures("apple")
def test_it_is_chosen_and_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(device_selection.PRECISION_VARIABLE, "bfloat16")
    assert (choose_device("auto"), choose_device("mps"), choose_device("cpu")) == ("mps", "mps", "cpu")
    assert choose_precision("mps") is Precision.FLOAT32
    assert weights_dtype("mps", choose_precision("mps")) is torch.float32
    assert default_model_set() == "light"


@pytest.mark.usefixtures("apple")
def test_it_has_no_number() -> None:
    with pytest.raises(DeviceError, match="no device 'mps:0'"):
        choose_device("mps:0")


@pytest.mark.usefixtures("apple")
@pytest.mark.parametrize("has", ["no GPU", "an Intel processor"])
def test_without_one_the_cpu_is_used(monkeypatch: pytest.MonkeyPatch, has: str) -> None:
    if has == "no GPU":
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    else:
        monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert choose_device("auto") == "cpu"
    with pytest.raises(DeviceError, match="No GPU of Apple Silicon is usable here"):
        choose_device("mps")


def test_it_is_looked_for_on_macos_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: pytest.fail("asked"))
    assert not mps_available()


def test_what_metal_lacks_is_computed_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    environments = ({}, {}, {FALLBACK_VARIABLE: "0"})
    allow_cpu_fallback(environments[0])
    monkeypatch.setattr(sys, "platform", "darwin")
    for environment in environments[1:]:
        allow_cpu_fallback(environment)
    assert environments == ({}, {FALLBACK_VARIABLE: "1"}, {FALLBACK_VARIABLE: "0"})


def test_a_query_by_text_does_not_look_for_it(tiny_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To ask imports torch; texts are encoded by NumPy."""
    monkeypatch.setattr(device_selection, "mps_available", lambda: pytest.fail("asked"))
    models = open_model_set("starter", "auto", tiny_set)
    frame = models.embed_texts(["siren"]).frame
    assert frame is not None and frame.shape == (1, 32)
    assert models._models.loaded == frozenset()


@pytest.mark.parametrize(
    "message", ["MPS backend out of memory (MPS allocated: 8.13 GB)", "Invalid buffer size: 58.07 GiB"]
)
def test_its_exhausted_memory_says_what_to_do(message: str) -> None:
    with pytest.raises(OutOfMemory, match=r"mps has no memory left.*--device cpu"), inference("mps"):
        raise RuntimeError(message)


def test_each_kind_of_device_has_its_sizes() -> None:
    kinds = set(device_selection.DEVICES) - {device_selection.AUTO}
    sizes = (FRAME_BATCH_SIZES, WINDOW_BATCH_SIZES, SOUND_BATCH_SIZES, CHUNK_BATCH_SIZES, PREFETCH_BYTES, BATCH_BYTES)
    assert [set(each) for each in sizes] == [kinds] * len(sizes)
