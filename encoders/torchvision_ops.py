"""Workaround for importing torchvision with a CPU build of torch.

timm, open_clip and transformers' video processors import torchvision. Its wheel on PyPI is linked to CUDA: with a torch
built for CPU its compiled part does not load, and `import torchvision` fails with "operator torchvision::nms does not
exist". All that is used here (resize, normalise) is Python on torch tensors. So the two operators that the import looks
up are declared without an implementation, and the import succeeds. If torchvision loads without this, nothing changes.
"""

from __future__ import annotations

import importlib
import sys
from threading import Lock
from typing import Literal

import torch

Loaded = Literal["native", "declared"]
"""How torchvision was imported."""

_OPERATORS = ("nms", "qnms")
"""Operators that `import torchvision` looks up."""

_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
"""Signature of both operators."""

_loading = Lock()
_declared: torch.library.Library | None = None


def ensure_torchvision() -> Loaded:
    """Make `import torchvision` work. Call it before the first import of timm, open_clip or transformers' vision code.

    Returns "native", or "declared" if its compiled operators are missing and were only declared. Raises ImportError if
    torchvision is not installed, RuntimeError if it is broken in another way.
    """
    global _declared  # torch drops the declarations with this object
    with _loading:
        if _declared is not None:
            return "declared"
        try:
            importlib.import_module("torchvision")
            return "native"
        except RuntimeError as error:
            if "torchvision::" not in str(error):
                raise
        _forget_half_imported()
        _declared = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]  # torch.library has no types
        for operator in _OPERATORS:
            _declared.define(operator + _SIGNATURE)  # type: ignore[no-untyped-call]  # torch.library has no types
        importlib.import_module("torchvision")
        return "declared"


def _forget_half_imported() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
