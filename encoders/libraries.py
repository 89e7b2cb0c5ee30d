"""transformers and open_clip, loaded when first used, and silent: stdout belongs to the answers.

Importing and even constructing transformers' Perception Encoder classes prints "[ERROR] ... is part of ..." lines (its
own docstring check, harmless), warnings of its dependencies pass by, and loading weights draws progress bars. Both find
the image towers of their models by name in timm: the starter set's small one is made known to it here.
"""

from __future__ import annotations

import importlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from types import ModuleType

from pesearch.encoders.torchvision_ops import ensure_torchvision


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
