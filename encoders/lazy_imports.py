"""transformers and open_clip, imported on first use and without output: stdout belongs to the results.

Importing and even constructing transformers' Perception Encoder classes prints "[ERROR] ... is part of ..." lines (its
own docstring check, harmless), dependencies emit warnings, and loading weights draws progress bars. Both libraries look
up image towers in timm by name: the starter set's small tower is registered there.
"""

from __future__ import annotations

import importlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from threading import Lock
from types import ModuleType

from pesearch.encoders.torchvision_ops import ensure_torchvision

TOKENIZER_LOCK = Lock()
"""Held while tokenizing: Rust tokenizers raise "Already borrowed" when two threads pad at once."""


@cache
def load_transformers() -> ModuleType:
    """The transformers package with its Perception Encoder models imported, its log and progress bars silenced."""
    with suppress_output():
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
    with suppress_output():
        ensure_torchvision()
        importlib.import_module("pesearch.encoders.starter_tower")
        return importlib.import_module("open_clip")


@contextmanager
def suppress_output() -> Iterator[None]:
    """Drops stdout and warnings of the libraries while they are imported and load weights."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
