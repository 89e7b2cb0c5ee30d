"""The GPU of Apple Silicon, which torch calls `mps` (Metal Performance Shaders)."""

from __future__ import annotations

import platform
import sys
from collections.abc import MutableMapping

FALLBACK_VARIABLE = "PYTORCH_ENABLE_MPS_FALLBACK"
"""With 1, torch computes on the CPU what it has no Metal code for, instead of failing."""


def allow_cpu_fallback(environment: MutableMapping[str, str]) -> None:
    """Set FALLBACK_VARIABLE on macOS, unless it is set. Has an effect before torch is imported."""
    if sys.platform == "darwin":
        environment.setdefault(FALLBACK_VARIABLE, "1")


def mps_available() -> bool:
    """Whether torch can use the GPU. Imports torch on Apple Silicon, else nothing."""
    if sys.platform == "darwin" and platform.machine() == "arm64":
        import torch

        return torch.backends.mps.is_available()
    return False
