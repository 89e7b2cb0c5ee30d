"""Weights are mapped from safetensors files in every precision, and damage is found."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pesearch.encoders.numpy_models.mapped_weights import MappedWeights
from pesearch.errors import ModelDamaged

VALUES = torch.tensor([[0.5, -1.25], [3.0, 65504.0], [1e-3, 0.0]])


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_values_are_those_of_torch(tmp_path: Path, kind: torch.dtype) -> None:
    stored = VALUES.to(kind)
    save_file({"odd": torch.ones(3, dtype=torch.uint8), "weights": stored}, tmp_path / "model.safetensors")
    weights = MappedWeights([tmp_path / "model.safetensors"])
    assert weights["weights"].dtype == np.float32
    np.testing.assert_array_equal(weights["weights"], stored.float().numpy())
    rows = np.array([[2, 0], [0, 2]])
    np.testing.assert_array_equal(weights.rows("weights", rows), stored.float().numpy()[rows])


def test_float32_is_not_copied(tmp_path: Path) -> None:
    save_file({"weights": VALUES}, tmp_path / "model.safetensors")
    values = MappedWeights([tmp_path / "model.safetensors"])["weights"]
    assert not values.flags.owndata and not values.flags.writeable


def test_shards_are_one_model(tmp_path: Path) -> None:
    save_file({"text.a": VALUES}, tmp_path / "1.safetensors")
    save_file({"text.b": VALUES + 1, "c": VALUES}, tmp_path / "2.safetensors", metadata={"format": "pt"})
    weights = MappedWeights([tmp_path / "1.safetensors", tmp_path / "2.safetensors"])
    assert sorted(weights.names("text.")) == ["text.a", "text.b"]
    np.testing.assert_array_equal(weights["text.b"], (VALUES + 1).numpy())
    assert "c" in weights and weights.get("d") is None


def test_missing_weights_and_damaged_files_are_damage(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_file({"weights": VALUES}, file)
    with pytest.raises(ModelDamaged, match="the weights other are missing"):
        _ = MappedWeights([file])["other"]
    save_file({"weights": VALUES.to(torch.int32)}, tmp_path / "integers.safetensors")
    with pytest.raises(ModelDamaged, match="the weights weights are stored as I32"):
        _ = MappedWeights([tmp_path / "integers.safetensors"])["weights"]
    content = file.read_bytes()
    for damaged in (content[:-1], content[:20], b"", b"\xff" * 100, content[:8] + b"[" + content[9:]):
        file.write_bytes(damaged)
        with pytest.raises(ModelDamaged, match="fetch the model again"):
            MappedWeights([file])
    with pytest.raises(ModelDamaged):
        MappedWeights([tmp_path / "absent.safetensors"])
