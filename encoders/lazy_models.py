"""The three models of a set, each loaded on first use, and the parts they share.

Without CUDA, texts and stored sound go through `numpy_models`, which need no torch; everything else is torch's.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from pesearch.encoders.device_selection import limit_threads, thread_count, use_one_thread
from pesearch.encoders.hub import ModelFolders
from pesearch.encoders.model_files import weight_files
from pesearch.encoders.numpy_models.codec_digest import PE_A_FRAME_CODEC, codec_digest
from pesearch.encoders.numpy_models.lazy_models import LazyNumpyModels
from pesearch.encoders.numpy_models.mapped_weights import MappedWeights
from pesearch.gc_pause import pause_collection

if TYPE_CHECKING:
    from pesearch.encoders.device import AdaptiveBatches
    from pesearch.encoders.device_selection import Precision
    from pesearch.encoders.image_tower import ImageTower
    from pesearch.encoders.numpy_models.pe_av import NumpyPeAvText
    from pesearch.encoders.numpy_models.pe_core import NumpyPeCoreText
    from pesearch.encoders.pe_a_frame import PeAFrame
    from pesearch.encoders.pe_av import PeAv
    from pesearch.encoders.pe_core import PeCore
    from pesearch.encoders.sound_detector import SoundDetector

_log = logging.getLogger("pesearch")


class LazyModels:
    """PE-Core, PE-AV and PE-A-Frame on a device, loaded under a lock when first used. Thread-safe.

    Loading raises ModelDamaged and DeviceError.
    """

    def __init__(
        self,
        folders: ModelFolders,
        device: Callable[[], str],
        precision: Callable[[], Precision],
        is_on_cuda: Callable[[], bool],
        *,
        with_video: bool,
        is_tiny: bool,
    ) -> None:
        """`device` and `precision` are called when torch loads a model, `is_on_cuda` before texts and stored sound
        are encoded. Without video, PE-AV's video and fusion towers are not kept. Tiny models run on one thread."""
        self.folders = folders
        self._device = device
        self._precision = precision
        self._is_on_cuda = is_on_cuda
        self._is_tiny = is_tiny
        self._numpy = LazyNumpyModels(folders, 1 if is_tiny else thread_count())
        self._with_video = with_video
        self._lock = RLock()
        self._pe_core: PeCore | None = None
        self._pe_av: PeAv | None = None
        self._pe_a_frame: PeAFrame | None = None
        self._is_tower_shared: bool | None = None
        self._is_codec_shared: bool | None = None

    @property
    def loaded(self) -> frozenset[str]:
        """Which models are in memory: pe_core, pe_av, pe_a_frame."""
        models = {"pe_core": self._pe_core, "pe_av": self._pe_av, "pe_a_frame": self._pe_a_frame}
        return frozenset(name for name, model in models.items() if model is not None)

    @property
    def pe_core(self) -> PeCore:
        """The model of frames."""
        with self._lock, pause_collection():
            if self._pe_core is None:
                with self._logged("PE-Core"):
                    from pesearch.encoders.pe_core import PeCore

                    self._pe_core = PeCore(self.folders.frames, self._torch_device(), self._precision())
            return self._pe_core

    @property
    def pe_av(self) -> PeAv:
        """The model of windows."""
        with self._lock, pause_collection():
            if self._pe_av is None:
                with self._logged("PE-AV"):
                    from pesearch.encoders.pe_av import PeAv

                    device, precision = self._torch_device(), self._precision()
                    self._pe_av = PeAv(self.folders.windows, device, precision, with_video=self._with_video)
            return self._pe_av

    @property
    def pe_a_frame(self) -> PeAFrame:
        """The model of sound events."""
        with self._lock, pause_collection():
            if self._pe_a_frame is None:
                with self._logged("PE-A-Frame"):
                    from pesearch.encoders.pe_a_frame import PeAFrame

                    self._pe_a_frame = PeAFrame(self.folders.events, self._torch_device())
            return self._pe_a_frame

    @property
    def frame_texts(self) -> PeCore | NumpyPeCoreText:
        """Embeds texts in the frame space."""
        return (self._numpy.pe_core if self._uses_numpy else None) or self.pe_core

    @property
    def window_texts(self) -> PeAv | NumpyPeAvText:
        """Embeds texts in the other spaces."""
        return (self._numpy.pe_av if self._uses_numpy else None) or self.pe_av

    @property
    def sound_detector(self) -> SoundDetector:
        """Detects sounds in codec features."""
        return (self._numpy.pe_a_frame if self._uses_numpy else None) or self.pe_a_frame

    def torch_reasons(self) -> dict[str, str]:
        """Why texts and stored sound go through torch without CUDA, by model; empty if they do not."""
        _ = self._numpy.pe_core, self._numpy.pe_av, self._numpy.pe_a_frame
        return self._numpy.reasons

    @property
    def video_tower(self) -> ImageTower | None:
        """PE-AV's image tower; None without video."""
        return self.pe_av.tower if self._with_video else None

    def shares_tower(self) -> bool:
        """Whether PE-AV's image tower serves PE-Core too. Compares their weights once and drops the second copy."""
        with self._lock:
            if self._is_tower_shared is None:
                tower = self.video_tower
                self._is_tower_shared = tower is not None and self.pe_core.share(tower)
            return self._is_tower_shared

    def shares_codec(self) -> bool:
        """Whether PE-AV and PE-A-Frame have the same codec. Compares their weights once."""
        with self._lock:
            if self._is_codec_shared is None:
                files = weight_files(self.folders.events.path, "pe_a_frame")
                digest = codec_digest(MappedWeights(files), PE_A_FRAME_CODEC)
                self._is_codec_shared = self.pe_av.codec.digest == digest
            return self._is_codec_shared

    def batches(self) -> list[AdaptiveBatches]:
        """The batch sizes of all loaded parts, each once."""
        av, core, frame = self._pe_av, self._pe_core, self._pe_a_frame
        used = [core.tower.batches] if core else []
        used += [av.sound.batches, av.batches] if av else []
        used += [av.tower.batches] if av and av.tower and not (core and core.tower is av.tower) else []
        return used + ([frame.sound.batches, frame.batches] if frame else [])

    @property
    def _uses_numpy(self) -> bool:
        return not self._is_on_cuda()

    @contextmanager
    def _logged(self, model: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        _log.info("%s loaded on %s in %.1f s", model, self._device(), time.monotonic() - started)

    def _torch_device(self) -> str:
        """The device, before torch loads a model to it."""
        if self._is_tiny:
            use_one_thread()
        else:
            limit_threads()
        return self._device()
