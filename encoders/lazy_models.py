"""The three models of a set, each loaded on first use, and the parts they share."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING

from pesearch.encoders.hub import ModelFolders
from pesearch.gc_pause import pause_collection

if TYPE_CHECKING:
    from pesearch.encoders.device import AdaptiveBatches
    from pesearch.encoders.device_selection import Precision
    from pesearch.encoders.image_tower import ImageTower
    from pesearch.encoders.pe_a_frame import PeAFrame
    from pesearch.encoders.pe_av import PeAv
    from pesearch.encoders.pe_core import PeCore


class LazyModels:
    """PE-Core, PE-AV and PE-A-Frame on a device, loaded under a lock when first used. Thread-safe.

    Loading raises ModelDamaged and DeviceError.
    """

    def __init__(
        self, folders: ModelFolders, device: Callable[[], str], precision: Callable[[], Precision], *, with_video: bool
    ) -> None:
        """`device` and `precision` are called when a model is loaded. Without video, PE-AV's video and fusion towers
        are not kept."""
        self.folders = folders
        self._device = device
        self._precision = precision
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
                from pesearch.encoders.pe_core import PeCore

                self._pe_core = PeCore(self.folders.frames, self._device(), self._precision())
            return self._pe_core

    @property
    def pe_av(self) -> PeAv:
        """The model of windows."""
        with self._lock, pause_collection():
            if self._pe_av is None:
                from pesearch.encoders.pe_av import PeAv

                self._pe_av = PeAv(self.folders.windows, self._device(), self._precision(), with_video=self._with_video)
            return self._pe_av

    @property
    def pe_a_frame(self) -> PeAFrame:
        """The model of sound events."""
        with self._lock, pause_collection():
            if self._pe_a_frame is None:
                from pesearch.encoders.pe_a_frame import PeAFrame

                self._pe_a_frame = PeAFrame(self.folders.events, self._device())
            return self._pe_a_frame

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
                from pesearch.encoders.pe_a_frame import PeAFrame

                frame = self._pe_a_frame or PeAFrame(self.folders.events, "cpu")  # not kept: indexing needs only this
                self._is_codec_shared = self.pe_av.codec.digest == frame.codec.digest
            return self._is_codec_shared

    def batches(self) -> list[AdaptiveBatches]:
        """The batch sizes of all loaded parts, each once."""
        av, core, frame = self._pe_av, self._pe_core, self._pe_a_frame
        used = [core.tower.batches] if core else []
        used += [av.sound.batches, av.batches] if av else []
        used += [av.tower.batches] if av and av.tower and not (core and core.tower is av.tower) else []
        return used + ([frame.sound.batches, frame.batches] if frame else [])
