"""A model set: frames, windows and texts to vectors, audio to event probabilities over time.

    models = open_model_set("starter")
    vectors = models.embed_texts(["siren and train"])

Nothing heavy is imported or loaded before it is used. On a CPU texts and stored sound need no torch (`numpy_models`): a
text query maps the weights of the two text towers, and those of PE-A-Frame to locate a sound.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pesearch.encoders.device_selection import AUTO, Precision, choose_devices, choose_precision, cuda_available
from pesearch.encoders.hub import ModelFolders, find_model_folders, folders_in
from pesearch.encoders.io_types import (
    FrameVectors,
    JointVectors,
    ReadSteps,
    ResizedFrame,
    SoundChunk,
    SoundFeatures,
    TextVectors,
    WindowFeatures,
    WindowInput,
    WindowVectors,
)
from pesearch.encoders.lazy_models import LazyModels
from pesearch.encoders.model_registry import ModelSetDescription, describe
from pesearch.encoders.reference_windows import find_reference
from pesearch.matching import ReferenceWindows
from pesearch.types import MEDIA_SPACES, CodecFeatures, FloatArray, ImageArray, Space, SpaceName


class ModelSet:
    """An installed model set, opened with `open_model_set`. Thread-safe. Every method that loads or runs a model raises
    ModelDamaged and DeviceError."""

    def __init__(self, description: ModelSetDescription, folders: ModelFolders, device: str = AUTO) -> None:
        """`device` is one or several, as in `choose_devices`. Raises DeviceError if one does not exist."""
        self.description = description
        self.folders = folders
        self._wanted_device = device
        if device != AUTO:
            _ = self.devices
        self._models = LazyModels(
            folders,
            lambda: self.device,
            lambda: self.precision,
            lambda: self.is_on_cuda,
            with_video=self.embeds_video,
            is_tiny=description.is_tiny,
        )

    @property
    def name(self) -> str:
        """Name of the set in the registry."""
        return self.description.name

    @cached_property
    def devices(self) -> tuple[str, ...]:
        """The first runs the models; the others are for callers that open more sets like this one. For `auto` chosen on
        first use, because looking for a GPU may import torch."""
        return choose_devices(self._wanted_device)

    @property
    def device(self) -> str:
        """The device that runs the models."""
        return self.devices[0]

    @cached_property
    def precision(self) -> Precision:
        """What the towers and the codec compute with. Raises DeviceError for an unknown PESEARCH_PRECISION."""
        return choose_precision(self.device, is_tiny=self.description.is_tiny)

    @property
    def notice(self) -> str | None:
        """One line to show whenever the set is used, or None."""
        return self.description.notice

    @property
    def spaces(self) -> tuple[Space, ...]:
        """The spaces of a library of this set, read from files on disk without loading weights."""
        frames, windows = self.folders.frames, self.folders.windows
        return tuple(
            Space(name, folder.repo, folder.revision, folder.dim)
            for name in self.description.space_names
            for folder in [frames if name is SpaceName.FRAME else windows]
        )

    @cached_property
    def reference(self) -> ReferenceWindows | None:
        """Windows of various contents that come with the set; None for a set without. Raises ModelDamaged."""
        return find_reference(self.folders.windows.path.parent, self.spaces)

    @property
    def device_kind(self) -> str:
        """The device without its number: cpu, cuda or mps."""
        return self.device.partition(":")[0]

    @cached_property
    def is_on_cuda(self) -> bool:
        """Whether a CUDA GPU runs the models. With `auto`, torch is imported only where there is a driver of one."""
        return cuda_available() if self._wanted_device == AUTO else self.device.startswith("cuda")

    @property
    def embeds_video(self) -> bool:
        """Whether windows have a video part in this set."""
        return SpaceName.VIDEO in self.description.space_names

    @property
    def context_steps(self) -> int:
        """Context in steps of 40 ms that PE-AV's codec needs on both sides of a chunk."""
        return self._models.pe_av.codec.context_steps

    def shares_tower(self) -> bool:
        """Whether one image tower serves frames and windows, because PE-Core's and PE-AV's weights are equal."""
        return self._models.shares_tower()

    def shares_codec(self) -> bool:
        """Whether one codec serves windows and events, because PE-AV's and PE-A-Frame's weights are equal."""
        return self._models.shares_codec()

    def load(self) -> None:
        """Load the models that indexing needs, instead of on first use."""
        _ = self._models.pe_core, self._models.pe_av
        self.shares_tower()
        self.shares_codec()

    def resize(self, image: ImageArray) -> ResizedFrame:
        """An RGB image uint8 [H, W, 3] of any size, resized for the image towers. Thread-safe."""
        tower = self._models.video_tower
        video = None if tower is None else tower.resize(image)
        if video is not None and self.shares_tower():
            return ResizedFrame(video, video)
        return ResizedFrame(self._models.pe_core.tower.resize(image), video)

    def encode_frames(self, frames: Sequence[ResizedFrame]) -> list[FrameVectors]:
        """Frames through the image towers: each array once, and through one tower if it serves both models."""
        core = self._models.pe_core.tower.encode([frame.core for frame in frames])
        tower = self._models.video_tower
        if tower is None:
            return [FrameVectors(vector, None) for vector in core]
        images = [frame.video for frame in frames if frame.video is not None]
        video = core if self.shares_tower() else tower.encode(images)
        return [FrameVectors(*vectors) for vectors in zip(core, video, strict=True)]

    def encode_sound(self, chunks: Sequence[SoundChunk]) -> list[SoundFeatures]:
        """Chunks of audio tracks through PE-AV's codec."""
        return self._models.pe_av.sound.encode(chunks)

    def encode_windows(self, windows: Sequence[WindowFeatures]) -> list[WindowVectors]:
        """Windows to the video, audio and audio-video spaces, from tower and codec features."""
        return self._models.pe_av.embed_windows(windows)

    def encode_windows_with_text(self, windows: Sequence[WindowFeatures], text: str) -> list[JointVectors]:
        """Query vectors of each window combined with a text."""
        return self._models.pe_av.embed_with_text(windows, text)

    def shared_codec_digest(self) -> str | None:
        """Digest of the codec if PE-AV and PE-A-Frame share it, so that its features are worth storing; else None."""
        return self._models.pe_av.codec.digest if self.shares_codec() else None

    def embed_frames(self, frames: Sequence[ImageArray]) -> FloatArray:
        """Images of any size to the frame space, float32 [n, dim] of unit length (PE-Core compares by cosine)."""
        return self._models.pe_core.tower.embed(frames)

    def window_features(self, windows: Sequence[WindowInput]) -> list[WindowFeatures]:
        """Tower and codec features of windows, each computed independently. Frames are ignored in a set without
        video."""
        av = self._models.pe_av
        return [av.features(window.frames if self.embeds_video else None, window.audio) for window in windows]

    def embed_windows(self, windows: Sequence[WindowInput]) -> list[WindowVectors]:
        """Windows to the video, audio and audio-video spaces. Frames are ignored in a set without video."""
        return self.encode_windows(self.window_features(windows))

    def embed_texts(self, texts: Sequence[str], spaces: Collection[SpaceName] | None = None) -> TextVectors:
        """Texts to query vectors for each of `spaces` (default: the media spaces) that the set has."""
        requested = set(MEDIA_SPACES if spaces is None else spaces)
        if SpaceName.CUE in requested:
            requested.add(SpaceName.AUDIO)
        wanted = requested & set(self.description.space_names)
        frame = self._models.frame_texts.embed_texts(texts) if SpaceName.FRAME in wanted else None
        wanted.discard(SpaceName.FRAME)
        heads = self._models.window_texts.embed_texts(texts, wanted) if wanted else {}
        return TextVectors(
            frame, heads.get(SpaceName.VIDEO), heads.get(SpaceName.AUDIO), heads.get(SpaceName.AUDIO_VIDEO)
        )

    def probabilities(
        self, space: SpaceName, scores: npt.ArrayLike, query_space: SpaceName | None = None
    ) -> FloatArray | None:
        """The model's own probability that query and media match: sigmoid(dot * scale + bias), both learned.

        `scores` are dot products with vectors of `space`, of any shape. The query is a text, or a vector of
        `query_space` (audio queries video, or video queries audio). None if the model learned no such probability: in
        the frame space PE-Core learned a scale but no bias, so its scores only rank.
        """
        calibration = None if space is SpaceName.FRAME else self._models.window_texts.calibration(space, query_space)
        return None if calibration is None else calibration.probabilities(scores)

    def event_probabilities(self, audio: FloatArray, phrases: Sequence[str]) -> FloatArray:
        """The probability of each sound at each step of 40 ms: float32 [phrases, ceil(samples / 1920)], in 0..1.

        `audio` is mono at 48 kHz, at most 399.96 s. Beyond 10 s it is processed in windows of 10 s, whose logits are
        cross-faded where they overlap (`overlap_add.overlap_add`). `event_threshold` is the minimum of a detection.
        """
        return self._models.pe_a_frame.detect(audio, phrases)

    def event_probabilities_from(self, features: CodecFeatures, phrases: Sequence[str]) -> FloatArray | None:
        """`event_probabilities` from stored features, without the codec: float32 [phrases, steps]. None if they are of
        another codec than PE-A-Frame's."""
        detector = self._models.sound_detector
        if features.codec != detector.codec_digest:
            return None
        return detector.probabilities(features.steps.astype(np.float32), phrases)

    def iter_event_probabilities(self, read: ReadSteps, steps: int, phrases: Sequence[str]) -> Iterator[FloatArray]:
        """`event_probabilities` of `steps` steps piece by piece, float32 [phrases, n], in memory that does not grow.

        `read` returns features of PE-A-Frame's own codec (`event_codec`).
        """
        return self._models.sound_detector.iter_probabilities(read, steps, phrases)

    @property
    def event_threshold(self) -> float:
        """Default minimum probability of a detected sound."""
        return self.description.event_threshold

    @property
    def event_codec(self) -> str:
        """Digest of PE-A-Frame's codec, as in `CodecFeatures.codec`."""
        return self._models.sound_detector.codec_digest

    @property
    def event_context_steps(self) -> int:
        """Context in steps of 40 ms that PE-A-Frame's codec needs on both sides of a chunk."""
        return self._models.pe_a_frame.codec.context_steps

    def encode_event_sound(self, chunks: Sequence[SoundChunk]) -> list[SoundFeatures]:
        """Chunks of audio tracks through PE-A-Frame's codec."""
        return self._models.pe_a_frame.sound.encode(chunks)

    def torch_reasons(self) -> dict[str, str]:
        """Why texts and stored sound go through torch on a CPU too, by model (pe_core, pe_av, pe_a_frame)."""
        return self._models.torch_reasons()

    def problems(self) -> list[str]:
        """One line for each kind of work whose batches were reduced because memory ran out."""
        return [problem for batches in self._models.batches() if (problem := batches.problem) is not None]


def open_model_set(name: str, device: str = AUTO, folder: Path | None = None) -> ModelSet:
    """Open an installed model set; its weights load on first use.

    `folder` holds pe_core/, pe_av/ and pe_a_frame/ to use instead of the set's registered weights.
    Raises UnknownModel, ModelMissing (with the command that fetches it), ModelDamaged, DeviceError.
    """
    description = describe(name)
    folders = find_model_folders(description) if folder is None else folders_in(folder, description)
    return ModelSet(description, folders, device)
