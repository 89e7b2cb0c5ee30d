"""The libraries can be imported with any build of torch, and the starter's tower is registered in timm."""

from pathlib import Path

import pytest
import torch

from pesearch.encoders.lazy_imports import _load_shared, load_open_clip, load_transformers
from pesearch.encoders.torchvision_ops import ensure_torchvision
from pesearch.errors import PackageMismatch


def test_torchvision_resizes_with_any_build_of_torch() -> None:
    how = ensure_torchvision()
    assert how in ("native", "declared")
    assert ensure_torchvision() == how
    from torchvision.transforms.v2.functional import resize

    assert resize(torch.zeros(3, 8, 4), [2, 2]).shape == (3, 2, 2)


def test_missing_operators_of_torchvision_are_declared_without_an_implementation() -> None:
    """What `torchvision_ops` leans on: the import asks for these two and runs none of them."""
    if ensure_torchvision() == "native":
        pytest.skip("this torchvision fits this torch")
    schemas = [str(torch.ops.torchvision.nms.default._schema), str(torch.ops.torchvision.qnms.default._schema)]
    signature = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    assert schemas == [f"torchvision::nms{signature}", f"torchvision::qnms{signature}"]
    with pytest.raises(NotImplementedError):
        torch.ops.torchvision.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)


def test_transformers_has_the_perception_encoder_classes() -> None:
    transformers = load_transformers()
    assert transformers.PeAudioVideoModel.__name__ == "PeAudioVideoModel"
    assert transformers.PeAudioFrameLevelModel.__name__ == "PeAudioFrameLevelModel"


def test_transformers_keeps_its_answer_that_torch_is_not_distributed() -> None:
    """Fails when transformers asks again later, after an import without the names it then needs."""
    assert torch.distributed.is_available()
    assert not load_transformers().utils.is_torch_distributed_available()


def test_the_models_of_transformers_are_those_that_its_own_scan_finds() -> None:
    models = Path(str(load_transformers().models.__file__)).parent
    scanned = load_transformers().utils.import_utils.define_import_structure(str(models / "__init__.py"))
    names = {name for modules in scanned.values() for objects in modules.values() for name in objects}
    assert load_transformers().models._class_to_module["BertModel"] == "bert.modeling_bert"
    assert set(load_transformers().models._class_to_module) == names


def test_the_image_towers_are_registered_in_timm() -> None:
    load_open_clip()
    import timm

    for name in ("vit_pe_core_large_patch14_336", "vit_pe_core_base_patch16_224", "vit_pe_core_starter_patch8_64"):
        assert timm.is_model(name)


def test_a_version_that_does_not_work_is_named_before_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers 5.23 takes a buffer of timm 1.0.31 for a tied weight, and then cannot load PE-AV."""
    monkeypatch.setattr("pesearch.installed_packages._requirements", lambda: ("transformers>=99", "numpy>=99"))
    with pytest.raises(PackageMismatch, match=r"^transformers \S+ is installed, and pesearch needs >=99: run `pip"):
        _load_shared.__wrapped__()
