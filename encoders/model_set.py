"""The three models of a set as one: frames, windows and texts to vectors, sounds to probabilities over time.

    models = open_model_set("starter")
    vectors = models.embed_texts(["siren and train"])

Nothing heavy is imported or loaded before it is used: a question in text loads the two text towers and nothing of
PE-A-Frame; a question that asks the audio space alone loads PE-AV only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pesearch.encoders.hub import ModelFolders, find_model_folders, folders_in
from pesearch.encoders.io_types import (
    FrameVectors,
    JointVectors,
    ReadSteps,
    ResizedFrame,
    TextVectors,
    WindowInput,
    WindowVectors,
)
from pesearch.encoders.model_registry import ModelSetDescription, describe
from pesearch.types import MEDIA_SPACES, CodecFeatures, FloatArray, ImageArray, Space, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.chunked_codec import SoundChunk, SoundFeatures
    from pesearch.encoders.device import Batches
    from pesearch.encoders.image_tower import ImageTower
    from pesearch.encoders.pe_a_frame import PeAFrame
    from pesearch.encoders.pe_av import PeAv, WindowFeatures
    from pesearch.encoders.pe_core import PeCore


class ModelSet:
    """A model set on this machine. Make it with `open_model_set`. For any thread: loading is guarded,
    and what embeds changes nothing."""

    def __init__(self, description: ModelSetDescription, folders: ModelFolders, devices: tuple[str, ...]) -> None:
        """Of several `devices` the first embeds; the others are for who shares out work to more sets like this."""
        self.description = description
        self.devices, self.device = devices, devices[0]
        self.folders = folders
        self._loading = RLock()
        self._frames: PeCore | None = None
        self._windows: PeAv | None = None
        self._events: PeAFrame | None = None
        self._is_tower_shared: bool | None = None
        self._is_codec_shared: bool | None = None

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
        frames, windows = self.folders.frames, self.folders.windows
        return tuple(
            Space(name, folder.repo, folder.revision, folder.dim)
            for name in self.description.space_names
            for folder in [frames if name is SpaceName.FRAME else windows]
        )

    @property
    def device_kind(self) -> str:
        """The device without its number: cpu or cuda."""
        return self.device.partition(":")[0]

    @property
    def embeds_video(self) -> bool:
        """Whether PE-AV's windows have frames in this set."""
        return SpaceName.VIDEO in self.description.space_names

    @property
    def context_steps(self) -> int:
        """How many steps of 40 ms the codec wants to hear on both sides of a chunk."""
        return self._pe_av().codec.context_steps

    def shares_tower(self) -> bool:
        """Whether one image tower serves frames and windows: PE-Core's and PE-AV's weights are compared, once."""
        with self._loading:
            if self._is_tower_shared is None:
                tower = self._video_tower()
                self._is_tower_shared = tower is not None and self._pe_core().share(tower)
            return self._is_tower_shared

    def shares_codec(self) -> bool:
        """Whether one codec serves windows and events: PE-AV's and PE-A-Frame's weights are compared, once."""
        with self._loading:
            if self._is_codec_shared is None:
                from pesearch.encoders.pe_a_frame import PeAFrame

                frame = self._events or PeAFrame(self.folders.events, "cpu")  # not kept: indexing needs no more of it
                self._is_codec_shared = self._pe_av().codec.digest == frame.codec.digest
            return self._is_codec_shared

    def load(self) -> None:
        """Loads what indexing needs, which would else happen at the first use. Raises ModelDamaged, DeviceError."""
        self._pe_core()
        self._pe_av()
        self.shares_tower()
        self.shares_codec()

    def resize(self, image: ImageArray) -> ResizedFrame:
        """A picture of any size, RGB uint8 [H, W, 3], as the towers take it. For any thread."""
        tower = self._video_tower()
        video = None if tower is None else tower.resize(image)
        if video is not None and self.shares_tower():
            return ResizedFrame(video, video)
        return ResizedFrame(self._pe_core().tower.resize(image), video)

    def encode_frames(self, squares: Sequence[ResizedFrame]) -> list[FrameVectors]:
        """Pictures through the image towers, each picture once, and through one tower only where that serves both."""
        frames = self._pe_core().tower.encode([each.core for each in squares])
        tower = self._video_tower()
        if tower is None:
            return [FrameVectors(frame, None) for frame in frames]
        pictures = [each.video for each in squares if each.video is not None]
        videos = frames if self.shares_tower() else tower.encode(pictures)
        return [FrameVectors(frame, video) for frame, video in zip(frames, videos, strict=True)]

    def encode_sound(self, chunks: Sequence[SoundChunk]) -> list[SoundFeatures]:
        """Chunks of tracks through PE-AV's codec."""
        return self._pe_av().sound.encode(chunks)

    def encode_windows(self, windows: Sequence[WindowFeatures]) -> list[WindowVectors]:
        """Windows to the video, audio and audio-video spaces, from what towers and codec made of them."""
        return [WindowVectors(*vectors) for vectors in self._pe_av().embed_windows(windows)]

    def shared_codec(self) -> str | None:
        """The codec of features that are worth keeping, as `CodecFeatures` names it: PE-AV's, where PE-A-Frame has the
        same; else None."""
        return self._pe_av().codec.digest if self.shares_codec() else None

    def embed_frames(self, frames: Sequence[ImageArray]) -> FloatArray:
        """Pictures of any sizes to the frame space, float32 [n, dim], of unit length (PE-Core compares by cosine)."""
        return self._pe_core().tower.embed(frames)

    def window_features(self, windows: Sequence[WindowInput]) -> list[WindowFeatures]:
        """What towers and codec make of windows, each on its own. A set without video hears only."""
        av = self._pe_av()
        return [av.features(window.frames if self.embeds_video else None, window.audio) for window in windows]

    def embed_windows(self, windows: Sequence[WindowInput]) -> list[WindowVectors]:
        """Windows to the video, audio and audio-video spaces, in the order given. A set without video hears only."""
        return self.encode_windows(self.window_features(windows))

    def encode_windows_with_text(self, windows: Sequence[WindowFeatures], text: str) -> list[JointVectors]:
        """Each window together with a text, as they ask for what the window lacks: pictures, or a sound."""
        return [JointVectors(*vectors) for vectors in self._pe_av().embed_with_text(windows, text)]

    def embed_texts(self, texts: Sequence[str], spaces: Collection[SpaceName] | None = None) -> TextVectors:
        """Texts to the vectors that meet each space (of those in `spaces`, if given; else of those of the media)."""
        asked = set(MEDIA_SPACES if spaces is None else spaces)
        if SpaceName.CUE in asked:
            asked.add(SpaceName.AUDIO)
        wanted = asked & set(self.description.space_names)
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

        `audio` is mono at 48 kHz, at most 399.96 s of it. Beyond 10 s it is heard in windows of 10 s, whose logits are
        cross-faded where they overlap (`overlap_add.overlap_add`). `event_threshold` is where the line is drawn.
        """
        return self._pe_a_frame().hear(audio, phrases)

    def event_probabilities_from(self, features: CodecFeatures, phrases: Sequence[str]) -> FloatArray | None:
        """`event_probabilities` from stored features, without the codec: float32 [phrases, steps]. None where they are
        of another codec than PE-A-Frame's."""
        frame = self._pe_a_frame()
        if features.codec != frame.codec.digest:
            return None
        return frame.probabilities(features.steps.astype(np.float32), phrases)

    def iter_event_probabilities(self, read: ReadSteps, steps: int, phrases: Sequence[str]) -> Iterator[FloatArray]:
        """`event_probabilities` of so many steps piece by piece, float32 [phrases, n], in memory that does not grow.

        `read` gives features of PE-A-Frame's own codec (`event_codec`).
        """
        return self._pe_a_frame().along(read, steps, phrases)

    @property
    def event_threshold(self) -> float:
        """The probability that a sound has to reach to be located, if nobody says otherwise."""
        return self.description.event_threshold

    @property
    def event_codec(self) -> str:
        """PE-A-Frame's codec, as `CodecFeatures` names it."""
        return self._pe_a_frame().codec.digest

    @property
    def event_context_steps(self) -> int:
        """`context_steps` of PE-A-Frame's codec."""
        return self._pe_a_frame().codec.context_steps

    def encode_event_sound(self, chunks: Sequence[SoundChunk]) -> list[SoundFeatures]:
        """Chunks of tracks through PE-A-Frame's codec."""
        return self._pe_a_frame().sound.encode(chunks)

    def problems(self) -> list[str]:
        """One line for each kind of work that continued in smaller batches because memory ran out."""
        return [problem for batches in self._batches() if (problem := batches.problem) is not None]

    def _batches(self) -> list[Batches]:
        av, core, frame = self._windows, self._frames, self._events
        used = [core.tower.batches] if core else []
        used += [av.sound.batches, av.batches] if av else []
        used += [av.tower.batches] if av and av.tower and not (core and core.tower is av.tower) else []
        return used + ([frame.sound.batches, frame.batches] if frame else [])

    def _video_tower(self) -> ImageTower | None:
        return self._pe_av().tower if self.embeds_video else None

    def _pe_core(self) -> PeCore:
        with self._loading:
            if self._frames is None:
                from pesearch.encoders.pe_core import PeCore

                self._frames = PeCore(self.folders.frames, self.device)
            return self._frames

    def _pe_av(self) -> PeAv:
        with self._loading:
            if self._windows is None:
                from pesearch.encoders.pe_av import PeAv

                self._windows = PeAv(self.folders.windows, self.device, with_video=self.embeds_video)
            return self._windows

    def _pe_a_frame(self) -> PeAFrame:
        with self._loading:
            if self._events is None:
                from pesearch.encoders.pe_a_frame import PeAFrame

                self._events = PeAFrame(self.folders.events, self.device)
            return self._events


def open_model_set(name: str, device: str = "auto", folder: Path | None = None) -> ModelSet:
    """Opens a model set that is on this machine; its weights load when first used.

    `folder` holds pe_core/, pe_av/ and pe_a_frame/ to use in place of the known weights of that set.
    Raises UnknownModel, ModelMissing (with the command that fetches it), ModelDamaged, DeviceError.
    """
    from pesearch.encoders.device import choose_devices, use_one_thread

    description = describe(name)
    if description.is_tiny:
        use_one_thread()
    folders = find_model_folders(description) if folder is None else folders_in(folder, description)
    return ModelSet(description, folders, choose_devices(device))
