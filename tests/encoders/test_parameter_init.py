"""SkipParameterInit stops torch from drawing random weights, and loading fills every parameter."""

from pathlib import Path

import pytest
import torch

from pesearch.encoders.model_files import ModelFolder
from pesearch.encoders.parameter_init import SkipParameterInit
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
