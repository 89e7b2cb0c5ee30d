"""transformers and open_clip, loaded when first used, and silent: stdout belongs to the answers.

Importing and even constructing transformers' Perception Encoder classes prints "[ERROR] ... is part of ..." lines (its
own docstring check, harmless), warnings of its dependencies pass by, and loading weights draws progress bars. Both find
the image towers of their models by name in timm: the starter set's small one is made known to it here.
"""

from __future__ import annotations

import importlib
import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from threading import Lock
from types import ModuleType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from pesearch.encoders.torchvision_ops import ensure_torchvision

TOKENIZING = Lock()
"""Held while texts are tokenized: tokenizers in Rust say "Already borrowed" to a second thread that pads otherwise."""


@cache
def load_transformers() -> ModuleType:
    """The transformers package with its Perception Encoder models imported, its log and progress bars silenced."""
    with silent():
        ensure_torchvision()
        transformers = importlib.import_module("transformers")
        for family in ("pe_audio", "pe_video", "pe_audio_video"):
            importlib.import_module(f"transformers.models.{family}.modeling_{family}")
        importlib.import_module("pesearch.encoders.starter_tower")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return transformers


@cache
def load_open_clip() -> ModuleType:
    """The open_clip package."""
    with silent():
        ensure_torchvision()
        importlib.import_module("pesearch.encoders.starter_tower")
        return importlib.import_module("open_clip")


@contextmanager
def silent() -> Iterator[None]:
    """No line on stdout and no warning from what the libraries do inside: for importing and for loading."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


class SkipParameterInit(TorchFunctionMode):
    """Models are made without random weights: those of a checkpoint are about to take their place, all of them.

    Drawing them takes as long as all the rest of loading.
    """

    _DRAWN = frozenset(
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
        """Leave a tensor as it is where it would be filled at random."""
        if func in self._DRAWN:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))
