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
from inspect import signature
from pathlib import Path
from threading import Lock
from types import ModuleType

from pesearch.deferred_dynamo import defer_dynamo
from pesearch.encoders.torchvision_ops import ensure_torchvision
from pesearch.installed_packages import check_packages

TOKENIZER_LOCK = Lock()
"""Held while tokenizing: Rust tokenizers raise "Already borrowed" when two threads pad at once."""


@cache
def load_transformers() -> ModuleType:
    """The transformers package with its Perception Encoder models imported, its log and progress bars silenced."""
    transformers = _load_shared()
    with suppress_output():
        for family in ("pe_audio", "pe_video", "pe_audio_video"):
            importlib.import_module(f"transformers.models.{family}.modeling_{family}")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return transformers


@cache
def load_open_clip() -> ModuleType:
    """The open_clip package, without the tokenizer of 26 MB that its import makes for `open_clip.tokenize`."""
    _load_shared()
    with suppress_output():
        open_clip = importlib.import_module("open_clip")
    open_clip.tokenizer._tokenizer = None
    return open_clip


@cache
def _load_shared() -> ModuleType:
    """transformers, which open_clip imports too, and the image towers of both. Raises PackageMismatch."""
    check_packages("torch", "torchvision", "transformers", "timm", "open_clip_torch")
    with suppress_output():
        defer_dynamo()
        ensure_torchvision()
        transformers = importlib.import_module("transformers")
        _decline_distributed(transformers)
        _scan_models_once(transformers)
        importlib.import_module("pesearch.encoders.starter_tower")
    return transformers


def _decline_distributed(transformers: ModuleType) -> None:
    """Let transformers take this torch for one without `torch.distributed`, which would import its sharded tensors and
    SymPy (0.7 CPU seconds). It asks once and keeps the answer; a version that does not loads everything."""
    ask = getattr(transformers.utils, "is_torch_distributed_available", None)
    if ask is None:
        return
    distributed = importlib.import_module("torch.distributed")
    is_available = distributed.is_available
    distributed.is_available = lambda: False  # type: ignore[attr-defined]  # mypy: a module has no such setter
    try:
        ask()
    finally:
        distributed.is_available = is_available  # type: ignore[attr-defined]  # mypy: a module has no such setter


def _scan_models_once(transformers: ModuleType) -> None:
    """Import `transformers.models` without a second scan of its 1,700 source files (0.25 CPU seconds): the import of
    transformers has read them, and its own cache holds the result under another path. A version without that function
    scans again."""
    scanner, prefix = transformers.utils.import_utils, "models."
    define = getattr(scanner, "define_import_structure", None)
    if define is None or "prefix" not in signature(define).parameters:
        return
    folder = Path(str(transformers.__file__)).parent / "models"

    def scanned(file: str) -> dict[frozenset[str], dict[str, set[str]]]:
        found = define(folder, prefix="models")  # of all of transformers
        return {
            backends: {name.removeprefix(prefix): names for name, names in modules.items() if name.startswith(prefix)}
            for backends, modules in found.items()
        }

    scanner.define_import_structure = scanned
    try:
        importlib.import_module("transformers.models")
    finally:
        scanner.define_import_structure = define


@contextmanager
def suppress_output() -> Iterator[None]:
    """Drops stdout and warnings of the libraries while they are imported and load weights."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
