"""The three NumPy models of a set, each opened on first use."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

from pesearch.encoders.hub import ModelFolders
from pesearch.encoders.model_files import ModelFolder
from pesearch.encoders.numpy_models.unsupported import UnsupportedModel

if TYPE_CHECKING:
    from pesearch.encoders.numpy_models.pe_a_frame import NumpyPeAFrame
    from pesearch.encoders.numpy_models.pe_av import NumpyPeAvText
    from pesearch.encoders.numpy_models.pe_core import NumpyPeCoreText

Model = TypeVar("Model")


class LazyNumpyModels:
    """The models on `threads` threads; None for those that need torch. Thread-safe. Opening raises ModelDamaged."""

    def __init__(self, folders: ModelFolders, threads: int) -> None:
        self.reasons: dict[str, str] = {}
        """Why a part needs torch, for those that do."""
        self._folders = folders
        self._threads = threads
        self._opened: dict[str, Any] = {}
        self._lock = RLock()

    @property
    def pe_core(self) -> NumpyPeCoreText | None:
        """The text tower of frames."""
        from pesearch.encoders.numpy_models.pe_core import NumpyPeCoreText

        return self._open("pe_core", NumpyPeCoreText, self._folders.frames)

    @property
    def pe_av(self) -> NumpyPeAvText | None:
        """The text side of windows."""
        from pesearch.encoders.numpy_models.pe_av import NumpyPeAvText

        return self._open("pe_av", NumpyPeAvText, self._folders.windows)

    @property
    def pe_a_frame(self) -> NumpyPeAFrame | None:
        """The model of sound events, on codec features."""
        from pesearch.encoders.numpy_models.pe_a_frame import NumpyPeAFrame

        return self._open("pe_a_frame", NumpyPeAFrame, self._folders.events)

    def _open(self, part: str, kind: Callable[[ModelFolder, int], Model], folder: ModelFolder) -> Model | None:
        with self._lock:
            if part not in self._opened and part not in self.reasons:
                try:
                    self._opened[part] = kind(folder, self._threads)
                except UnsupportedModel as reason:
                    self.reasons[part] = str(reason)
            opened: Model | None = self._opened.get(part)
            return opened
