"""Construction of models without random initialisation, whose weights are then loaded from a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class SkipParameterInit(TorchFunctionMode):
    """Within this context, functions that fill a tensor at random leave it as it is.

    Drawing random weights takes as long as all the rest of loading. Every parameter must be loaded afterwards. Relies
    on torch dispatching these functions through TorchFunctionMode.
    """

    _RANDOM_INITS = frozenset(
        {
            *(torch.Tensor.uniform_, torch.Tensor.normal_, torch.Tensor.erfinv_),
            *(torch.nn.init.uniform_, torch.nn.init.normal_, torch.nn.init.trunc_normal_),
            *(torch.nn.init.kaiming_uniform_, torch.nn.init.kaiming_normal_),
            *(torch.nn.init.xavier_uniform_, torch.nn.init.xavier_normal_),
        }
    )

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """The tensor unchanged for `_RANDOM_INITS`, an empty one for `randn`; calls every other function."""
        if func is torch.randn:
            return torch.empty(*args, **(kwargs or {}))
        if func in self._RANDOM_INITS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


class AvoidMetaTracing(TorchFunctionMode):
    """Within this context, models built on the `meta` device, as transformers does, are built by torch's C++ code.

    torch has three of the functions that they need only in Python for that device, where they import SymPy (0.6 CPU
    seconds): `arange`, of rotary embeddings, counts on the CPU instead, and `clamp_` and `div_`, of timm's initial
    weights, change nothing, as such tensors have no data.
    """

    _ARITHMETIC = frozenset({torch.Tensor.clamp_, torch.Tensor.div_})

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Calls the function with the changes above."""
        if func in self._ARITHMETIC and args[0].is_meta:
            return args[0]
        options = kwargs or {}
        if func is torch.empty_like and args[0].is_meta:
            return torch.empty(args[0].shape, **{"dtype": args[0].dtype, "device": "meta", **options})
        if func is torch.arange and torch.device(options.get("device") or "cpu").type == "meta":
            options = {**options, "device": "cpu"}
        return func(*args, **options)
