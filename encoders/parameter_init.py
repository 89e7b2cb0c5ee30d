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
        """Returns the tensor unchanged for `_RANDOM_INITS`; calls every other function."""
        if func in self._RANDOM_INITS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))
