"""The starter set's image tower, registered in timm: open_clip names a timm model and cannot pass it sizes."""

from typing import Any

from timm.models import register_model
from timm.models.eva import Eva, vit_pe_core_tiny_patch16_384

NAME = "vit_pe_core_starter_patch8_64"
"""The name in timm, which is that of the function below."""

SIZES = {"img_size": (64, 64), "patch_size": 8, "embed_dim": 96, "depth": 4, "num_heads": 3, "ref_feat_shape": (8, 8)}
"""Arguments of timm's Eva."""


@register_model  # type: ignore[untyped-decorator]  # timm has no types
def vit_pe_core_starter_patch8_64(pretrained: bool = False, **options: Any) -> Eva:
    """PE-Core's architecture for 64-pixel images: 4 layers of width 96. Only the starter set has weights."""
    if pretrained:
        raise ValueError(f"timm has no weights for {NAME}; they are in the starter set's folder")
    return vit_pe_core_tiny_patch16_384(pretrained=False, **{**SIZES, **options})
