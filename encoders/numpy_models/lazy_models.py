"""The three NumPy models of a set, each opened on first use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from threading import RLock
from typing import TypeVar

from pesearch.encoders.hub import ModelFolders
from pesearch.encoders.model_files import ModelFolder
from pesearch.encoders.numpy_models.pe_a_frame import NumpyPeAFrame
from pesearch.encoders.numpy_models.pe_av import NumpyPeAvText
from pesearch.encoders.numpy_models.pe_core import NumpyPeCoreText
from pesearch.encoders.numpy_models.unsupported import UnsupportedModel

Model = TypeVar("Model")


class LazyNumpyModels:
    """The models on `threads` threads; None for those that need torch. Thread-safe. Opening raises ModelDamaged."""

    def __init__(self, folders: ModelFolders, threads: int) -> None:
        self.reasons: dict[str, str] = {}
        """Why a part needs torch, for those that do."""
        self._folders = folders
        self._threads = threads
        self._lock = RLock()

    @property
    def pe_core(self) -> NumpyPeCoreText | None:
        """The text tower of frames."""
        with self._lock:
            return self._pe_core

    @property
    def pe_av(self) -> NumpyPeAvText | None:
        """The text side of windows."""
        with self._lock:
            return self._pe_av

    @property
    def pe_a_frame(self) -> NumpyPeAFrame | None:
        """The model of sound events, on codec features."""
        with self._lock:
            return self._pe_a_frame

    @cached_property
    def _pe_core(self) -> NumpyPeCoreText | None:
        return self._open("pe_core", NumpyPeCoreText, self._folders.frames)

    @cached_property
    def _pe_av(self) -> NumpyPeAvText | None:
        return self._open("pe_av", NumpyPeAvText, self._folders.windows)

    @cached_property
    def _pe_a_frame(self) -> NumpyPeAFrame | None:
        return self._open("pe_a_frame", NumpyPeAFrame, self._folders.events)

    def _open(self, part: str, kind: Callable[[ModelFolder, int], Model], folder: ModelFolder) -> Model | None:
        try:
            return kind(folder, self._threads)
        except UnsupportedModel as reason:
            self.reasons[part] = str(reason)
            return None
