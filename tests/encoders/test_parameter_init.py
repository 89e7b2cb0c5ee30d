"""SkipParameterInit stops torch from drawing random weights, and loading fills every parameter."""

from pathlib import Path

import pytest
import torch

from pesearch.encoders.model_files import ModelFolder
from pesearch.encoders.parameter_init import AvoidMetaTracing, SkipParameterInit
from pesearch.encoders.pe_core import PeCore


def draws_from_generator() -> bool:
    """Whether building common layers moves torch's random generator."""
    torch.manual_seed(3)
    before = torch.get_rng_state()
    torch.nn.Linear(8, 8)
    torch.nn.Conv1d(4, 4, 3)
    torch.nn.Embedding(5, 4)
    torch.nn.MultiheadAttention(8, 2)
    torch.nn.init.trunc_normal_(torch.empty(8, 8), std=0.02)
    return not torch.get_rng_state().equal(before)


def test_no_layer_draws_random_weights_inside() -> None:
    """Fails when this torch no longer dispatches its initialisers through TorchFunctionMode."""
    with SkipParameterInit():
        assert not draws_from_generator()
    assert draws_from_generator()


def test_drawn_tensors_are_empty_inside() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with SkipParameterInit():
        drawn = torch.randn(2, 3, dtype=torch.float64)
    assert (drawn.shape, drawn.dtype) == ((2, 3), torch.float64)
    assert torch.get_rng_state().equal(before)


def test_constant_initialisers_still_work_inside() -> None:
    with SkipParameterInit():
        assert torch.nn.LayerNorm(4).weight.tolist() == [1.0] * 4
        assert torch.nn.init.zeros_(torch.ones(2)).tolist() == [0.0, 0.0]


def test_real_models_draw_nothing_while_loading(tiny_set: Path) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    PeCore(ModelFolder(tiny_set / "pe_core", "test", "test", 32, None), "cpu")
    assert torch.get_rng_state().equal(before)


@pytest.mark.parametrize("fill", [torch.Tensor.normal_, torch.nn.init.xavier_uniform_])
def test_random_initialisers_return_their_tensor(fill: object) -> None:
    tensor = torch.full((2, 2), 7.0)
    with SkipParameterInit():
        assert fill(tensor) is tensor  # type: ignore[operator]
    assert tensor.tolist() == [[7.0, 7.0], [7.0, 7.0]]


def test_models_without_data_are_built_as_torch_itself_does() -> None:
    def build() -> list[torch.Tensor]:
        with torch.device("meta"):
            weight = torch.empty(4, 6, dtype=torch.float64)
            return [
                weight.clamp_(min=0), weight.div_(2), torch.arange(0, 8, 2, dtype=torch.int64) * 0.5,
                torch.empty_like(weight), torch.empty_like(weight, device="cpu", dtype=torch.float16),
            ]  # fmt: skip

    expected = build()
    with AvoidMetaTracing():
        built = build()
    assert [(each.shape, each.dtype) for each in built] == [(each.shape, each.dtype) for each in expected]
    assert built[2].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert [each.device.type for each in built] == ["meta", "meta", "cpu", "meta", "cpu"]


def test_tensors_with_data_are_computed() -> None:
    with AvoidMetaTracing():
        assert torch.tensor([-1.0, 4.0]).clamp_(min=0).div_(2).tolist() == [0.0, 2.0]
        assert torch.arange(3, device="cpu").tolist() == [0, 1, 2]
        assert torch.empty_like(torch.ones(2, dtype=torch.int8)).dtype == torch.int8
