"""The libraries come up beside any build of torch, and the towers of ours are known to timm."""

import torch

from pesearch.encoders.lazy_imports import load_open_clip, load_transformers
from pesearch.encoders.torchvision_ops import ensure_torchvision


def test_torchvision_resizes_whatever_build_of_torch_is_here() -> None:
    how = ensure_torchvision()
    assert how in ("native", "declared")
    assert ensure_torchvision() == how
    from torchvision.transforms.v2.functional import resize

    assert resize(torch.zeros(3, 8, 4), [2, 2]).shape == (3, 2, 2)


def test_the_perception_encoder_classes_are_there() -> None:
    transformers = load_transformers()
    assert transformers.PeAudioVideoModel.__name__ == "PeAudioVideoModel"
    assert transformers.PeAudioFrameLevelModel.__name__ == "PeAudioFrameLevelModel"


def test_the_real_towers_and_the_starters_are_known_to_timm() -> None:
    load_open_clip()
    import timm

    for name in ("vit_pe_core_large_patch14_336", "vit_pe_core_base_patch16_224", "vit_pe_core_starter_patch8_64"):
        assert timm.is_model(name)


def test_this_timm_can_load_pe_av() -> None:
    """timm 1.0.31 gave the rotary embedding a buffer that transformers takes for a tied weight, and fails on it."""
    import timm

    assert tuple(int(part) for part in timm.__version__.split(".")[:3]) < (1, 0, 31)
