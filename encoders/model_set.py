"""The three models of a set as one: frames, windows and texts to vectors, sounds to probabilities over time.

    models = open_model_set("starter")
    vectors = models.embed_texts(["siren and train"])

Nothing heavy is imported or loaded before it is used: a question in text loads the two text towers and nothing of
PE-A-Frame; a question that asks the audio space alone loads PE-AV only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pesearch.encoders.hub import ModelFolders, find_model_folders, folders_in
from pesearch.encoders.models import ModelSetDescription, describe
from pesearch.types import FloatArray, ImageArray, Space, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.pe_a_frame import PeAFrame
    from pesearch.encoders.pe_av import PeAv
    from pesearch.encoders.pe_core import PeCore

EVENT_THRESHOLD = 0.3
"""The probability above which the reference implementation of PE-A-Frame takes a sound as present."""


@dataclass(frozen=True, slots=True)
class WindowInput:
    """What PE-AV sees and hears of one window: `frames` upright RGB pictures, `audio` float32 mono at 48 kHz."""

    frames: Sequence[ImageArray] | None
    audio: FloatArray | None


@dataclass(frozen=True, slots=True)
class WindowVectors:
    """One window's float32 [dim] vectors: None where it has no such part, or the set no such space."""

    video: FloatArray | None
    audio: FloatArray | None
    audio_video: FloatArray | None


@dataclass(frozen=True, slots=True)
class TextVectors:
    """Texts as each space meets them, float32 [n, dim]: None where the space was not asked for, or is not there."""

    frame: FloatArray | None
    video: FloatArray | None
    audio: FloatArray | None
    audio_video: FloatArray | None

    def of(self, space: SpaceName) -> FloatArray | None:
        """The vectors that meet `space`."""
        vectors: FloatArray | None = getattr(self, space.value)
        return vectors


class ModelSet:
    """A model set on this machine. Make it with `open_model_set`. Loading is guarded; embedding is for one thread."""

    def __init__(self, description: ModelSetDescription, folders: ModelFolders, device: str) -> None:
        self.description = description
        self.device = device
        self._folders = folders
        self._loading = RLock()
        self._frames: PeCore | None = None
        self._windows: PeAv | None = None
        self._events: PeAFrame | None = None

    @property
    def name(self) -> str:
        """The name of the set."""
        return self.description.name

    @property
    def notice(self) -> str | None:
        """One line to show each time the set is used, or None."""
        return self.description.notice

    @property
    def spaces(self) -> tuple[Space, ...]:
        """The spaces a library of this set has. Read from the files on disk: nothing is loaded."""
        frames, windows = self._folders.frames, self._folders.windows
        return tuple(
            Space(name, folder.repo, folder.revision, folder.dim)
            for name in self.description.space_names
            for folder in [frames if name is SpaceName.FRAME else windows]
        )

    def embed_frames(self, frames: Sequence[ImageArray]) -> FloatArray:
        """Pictures of any sizes to the frame space, float32 [n, dim], of unit length (PE-Core compares by cosine)."""
        return self._pe_core().embed_frames(frames)

    def embed_windows(self, windows: Sequence[WindowInput]) -> list[WindowVectors]:
        """Windows to the video, audio and audio-video spaces, in the order given. A set without video hears only."""
        if SpaceName.VIDEO not in self.description.space_names:
            windows = [WindowInput(None, window.audio) for window in windows]
        inputs = [(window.frames, window.audio) for window in windows]
        return [WindowVectors(*vectors) for vectors in self._pe_av().embed_windows(inputs)]

    def embed_texts(self, texts: Sequence[str], spaces: Collection[SpaceName] | None = None) -> TextVectors:
        """Texts to the vectors that meet each space (of those in `spaces`, if given)."""
        wanted = set(self.description.space_names) & set(SpaceName if spaces is None else spaces)
        frame = self._pe_core().embed_texts(texts) if SpaceName.FRAME in wanted else None
        wanted.discard(SpaceName.FRAME)
        heads = self._pe_av().embed_texts(texts, wanted) if wanted else {}
        return TextVectors(
            frame, heads.get(SpaceName.VIDEO), heads.get(SpaceName.AUDIO), heads.get(SpaceName.AUDIO_VIDEO)
        )

    def probabilities(
        self, space: SpaceName, scores: npt.ArrayLike, asked_with: SpaceName | None = None
    ) -> FloatArray | None:
        """The model's own probability that query and media belong together: sigmoid(dot * scale + bias), learned.

        `scores` are dot products with vectors of `space`, of any shape. The query is a text, unless `asked_with` names
        the space its vector is from: audio asks video, or video asks audio. None where the model learned no such
        probability: in the frame space, because PE-Core learned a scale but no bias and its scores only rank.
        """
        calibration = None if space is SpaceName.FRAME else self._pe_av().calibration(space, asked_with)
        if calibration is None:
            return None
        logits = np.asarray(scores, dtype=np.float64) * calibration.scale + calibration.bias
        return (1.0 / (1.0 + np.exp(-np.clip(logits, -80.0, 80.0)))).astype(np.float32)

    def event_probabilities(self, audio: FloatArray, phrases: Sequence[str]) -> FloatArray:
        """How surely each phrase sounds at each step of 40 ms: float32 [phrases, ceil(samples / 1920)], in 0..1.

        `audio` is mono at 48 kHz. Audio beyond 10 s is heard in sections of 10 s that overlap by 2 s and are joined
        in the middle of each overlap. `EVENT_THRESHOLD` is where the reference implementation draws the line.
        """
        return self._pe_a_frame().probabilities(audio, phrases)

    def _pe_core(self) -> PeCore:
        with self._loading:
            if self._frames is None:
                from pesearch.encoders.pe_core import PeCore

                self._frames = PeCore(self._folders.frames, self.device)
            return self._frames

    def _pe_av(self) -> PeAv:
        with self._loading:
            if self._windows is None:
                from pesearch.encoders.pe_av import PeAv

                with_video = SpaceName.VIDEO in self.description.space_names
                self._windows = PeAv(self._folders.windows, self.device, with_video=with_video)
            return self._windows

    def _pe_a_frame(self) -> PeAFrame:
        with self._loading:
            if self._events is None:
                from pesearch.encoders.pe_a_frame import PeAFrame

                self._events = PeAFrame(self._folders.events, self.device)
            return self._events


def open_model_set(name: str, device: str = "auto", folder: Path | None = None) -> ModelSet:
    """Opens a model set that is on this machine; its weights load when first used.

    `folder` holds pe_core/, pe_av/ and pe_a_frame/ to use in place of the known weights of that set.
    Raises UnknownModel, ModelMissing (with the command that fetches it), ModelDamaged, DeviceError.
    """
    from pesearch.encoders.device import choose_device

    description = describe(name)
    folders = find_model_folders(description) if folder is None else folders_in(folder, description)
    return ModelSet(description, folders, choose_device(device))
