"""PE-AV through transformers: windows of video and audio, and texts, to the video, audio and audio-video spaces.

The image tower and the audio codec, which take nearly all of the time, are detached from the model and run once per
frame and per second of audio; the rest of the model takes their features as input.

The model's own methods are not used where they fail or are silently wrong (transformers 5.23):

- text: PE-AV was trained on the CLS state *before* the text tower's final norm, but since 5.1 `hidden_states[-1]` is
  the state after it. `checkpoint_loader` replaces the norm by the identity, which is right under every version.
- get_text_audio_embeds, get_text_video_embeds, get_video_embeds and the two *_plus_text methods raise: towers and heads
  are called here, as in the reference implementation.
- padding changes audio embeddings: only windows of equal length share a batch, so nothing is padded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from pesearch.encoders.checkpoint_loader import (
    load_pe_av,
    load_tokenizer,
    tokenize,
    tower_image_size,
    trained_frame_count,
)
from pesearch.encoders.chunked_codec import SoundEncoder
from pesearch.encoders.codec import Codec
from pesearch.encoders.device import AdaptiveBatches, inference, move_to, weights_dtype
from pesearch.encoders.device_selection import Precision
from pesearch.encoders.image_tower import ImageTower, resize_like_transformers
from pesearch.encoders.io_types import Calibration, JointVectors, WindowFeatures, WindowVectors
from pesearch.encoders.model_files import ModelFolder
from pesearch.encoders.pe_av_heads import TEXT_HEADS, calibrated_pair
from pesearch.encoders.preprocess import batches_by_key, sample_frames
from pesearch.types import FloatArray, ImageArray, SpaceName

TEXT_BATCH_SIZE = 64
"""Texts tokenized and embedded at once."""

WINDOW_BATCH_SIZES = {"cuda": 64, "mps": 16, "cpu": 4}
"""Windows of 10 s, from frame vectors and codec features."""


class PeAv:
    """A PE-AV model on a device. Without video, its video and fusion towers are freed."""

    def __init__(
        self,
        folder: ModelFolder,
        device: str,
        precision: Precision = Precision.FLOAT32,
        *,
        with_video: bool = True,
    ) -> None:
        """`precision` is that of images, the codec and the encoders of windows; heads and texts are float32."""
        self.device = device
        self.dim = folder.dim
        model = move_to(load_pe_av(folder.path, with_video=with_video, image_size=folder.image_size), device)
        self._model = model
        self._dtype = weights_dtype(device, precision)
        self._tokenizer = load_tokenizer(folder.path)
        self.codec = Codec(model.audio_model.audio_encoder.embedder, self._dtype)
        model.audio_model.audio_encoder.embedder = CodecFeatureEmbedder(model.audio_model.audio_encoder.embedder)
        self.sound = SoundEncoder(self.codec, device)
        self.tower = self._detach_tower() if with_video else None
        for encoder in self._window_encoders():
            encoder.to(self._dtype)
        self._trained_frame_count = trained_frame_count(folder.path) if with_video else None
        self.batches = AdaptiveBatches("windows", device, WINDOW_BATCH_SIZES)

    def embed_texts(self, texts: Sequence[str], spaces: Collection[SpaceName]) -> dict[SpaceName, FloatArray]:
        """Texts to float32 [n, dim] for each of `spaces`. Raises DeviceError."""
        empty = np.empty((0, self.dim), dtype=np.float32)
        parts: dict[SpaceName, list[FloatArray]] = {space: [empty] for space in spaces}
        for start in range(0, len(texts), TEXT_BATCH_SIZE):
            with inference(self.device):
                state = self._text_states(texts[start : start + TEXT_BATCH_SIZE])
                for space, vectors in parts.items():
                    vectors.append(_numpy(self._model.get_submodule(f"{TEXT_HEADS[space]}_head")(state)))
        return {space: np.concatenate(vectors) for space, vectors in parts.items()}

    def embed_with_text(self, windows: Sequence[WindowFeatures], text: str) -> list[JointVectors]:
        """Query vectors of each window combined with the text. Raises DeviceError."""
        with inference(self.device):
            state = self._text_states([text])
        return [self._join(window, state) for window in windows]

    def features(self, frames: Sequence[ImageArray] | None, audio: FloatArray | None) -> WindowFeatures:
        """Features of one window: RGB images uint8 [H, W, 3] of any size, and float32 mono audio at 48 kHz."""
        if frames and self.tower is None:
            raise ValueError("this model set has no video tower: give windows without frames")
        visual = self.tower.embed(frames) if frames and self.tower else None
        sound = self.sound.encode_whole([audio])[0] if audio is not None and audio.size else None
        return WindowFeatures(visual, sound)

    def embed_windows(self, windows: Sequence[WindowFeatures]) -> list[WindowVectors]:
        """Vectors of windows, in the given order. Raises DeviceError."""
        prepared = [WindowFeatures(self._sampled(window.frames), window.sound) for window in windows]
        vectors = [WindowVectors(None, None, None)] * len(prepared)
        lengths = [tuple(_length(part) for part in (window.frames, window.sound)) for window in prepared]
        for positions in batches_by_key(lengths, len(prepared)):
            batch = [prepared[position] for position in positions]
            for position, found in zip(positions, self.batches.run(batch, self._embed_batch), strict=True):
                vectors[position] = found
        return vectors

    def calibration(self, space: SpaceName, query_space: SpaceName | None) -> Calibration | None:
        """Scale and bias for a query of `space` by a text or a vector of `query_space`; None if none was learned."""
        name = calibrated_pair(space, query_space)
        if name is None:
            return None
        scale, bias = (self._model.get_parameter(f"{name}_logit_{part}").float().item() for part in ("scale", "bias"))
        return Calibration(scale, bias)

    def _text_states(self, texts: Sequence[str]) -> torch.Tensor:
        """CLS states before the final norm, the input of the text heads, [texts, hidden]."""
        tokens = tokenize(self._tokenizer, texts).to(self.device)
        state: torch.Tensor = self._model.text_model(**tokens).last_hidden_state[:, 0]
        return state

    def _join(self, window: WindowFeatures, text: torch.Tensor) -> JointVectors:
        """One window and one text state [1, hidden]; the media comes first, as in the reference implementation."""
        model = self._model
        sound, frames = (self._stack([part]) for part in (window.sound, self._sampled(window.frames)))
        video = audio = None
        with inference(self.device):
            if sound is not None:
                pooled = model.audio_model.audio_encoder(input_values=sound).pooler_output.float()
                video = _numpy(model.audio_plus_text_head(torch.cat([pooled, text], dim=-1)))[0]
            if frames is not None:
                pooled = model.video_model.video_encoder(pixel_values_videos=frames).pooler_output.float()
                audio = _numpy(model.video_plus_text_head(torch.cat([pooled, text], dim=-1)))[0]
        return JointVectors(video, audio)

    def _embed_batch(self, batch: Sequence[WindowFeatures]) -> list[WindowVectors]:
        frames = self._stack([window.frames for window in batch])
        sound = self._stack([window.sound for window in batch])
        with inference(self.device):
            parts = self._embed_tensors(frames, sound)
            arrays = [[None] * len(batch) if part is None else list(_numpy(part)) for part in parts]
        return [WindowVectors(*vectors) for vectors in zip(*arrays, strict=True)]

    def _embed_tensors(
        self, frames: torch.Tensor | None, sound: torch.Tensor | None
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Video, audio and audio-video vectors [B, dim] of `frames` [B, n, width] and `sound` [B, steps, codec dim]."""
        model = self._model
        if frames is not None and sound is not None:
            both = model.audio_video_encoder(input_values=sound, pixel_values_videos=frames)
            return (
                model.video_model.video_head(both.video_model_output.pooler_output.float()),
                model.audio_model.audio_head(both.audio_model_output.pooler_output.float()),
                model.audio_video_head(both.pooler_output.float()),
            )
        if frames is not None:
            visual = model.video_model.video_encoder(pixel_values_videos=frames)
            return model.video_model.video_head(visual.pooler_output.float()), None, None
        if sound is not None:
            audible = model.audio_model.audio_encoder(input_values=sound)
            return None, model.audio_model.audio_head(audible.pooler_output.float()), None
        return None, None, None

    def _sampled(self, frames: FloatArray | None) -> FloatArray | None:
        """As many of the frames, evenly spread, as the checkpoint was trained with."""
        if frames is None or not len(frames):
            return None
        return np.stack(sample_frames(list(frames), self._trained_frame_count))

    def _window_encoders(self) -> list[Any]:
        model = self._model
        audio = model.audio_model.audio_encoder
        return [audio] if self.tower is None else [audio, model.video_model.video_encoder, model.audio_video_encoder]

    def _stack(self, parts: Sequence[FloatArray | None]) -> torch.Tensor | None:
        present = [part for part in parts if part is not None]
        return torch.from_numpy(np.stack(present)).to(self.device, self._dtype) if present else None

    def _detach_tower(self) -> ImageTower:
        encoder = self._model.video_model.video_encoder
        wrapper, size = encoder.embedder.vision_model, tower_image_size(self._model)
        width = encoder.embedder.proj.in_features
        encoder.embedder = FrameFeatureEmbedder(encoder.embedder)

        wrapper.to(self._dtype)

        def compute(pixels: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = wrapper(pixels).logits
            return logits

        return ImageTower(wrapper.timm_model, compute, resize_like_transformers, size, width, self.device, self._dtype)


class CodecFeatureEmbedder(nn.Module):
    """Replaces PeAudioEncoderEmbedder; takes codec features instead of samples."""

    def __init__(self, embedder: Any) -> None:
        super().__init__()
        self.data_proj = embedder.data_proj

    def forward(self, features: torch.Tensor, padding_mask: None = None) -> tuple[torch.Tensor, None]:
        """[B, steps, codec dim] to [B, steps, hidden]."""
        return self.data_proj(features), padding_mask


class FrameFeatureEmbedder(nn.Module):
    """Replaces PeVideoEncoderEmbedder; takes unit-length vectors of the image tower instead of pixels."""

    def __init__(self, embedder: Any) -> None:
        super().__init__()
        self.proj, self.data_proj = embedder.proj, embedder.data_proj

    def forward(self, vectors: torch.Tensor, padding_mask: None = None) -> tuple[torch.Tensor, None]:
        """[B, frames, width] to [B, frames, hidden]."""
        return self.data_proj(self.proj(vectors)), padding_mask


def _length(part: FloatArray | None) -> int:
    return 0 if part is None else len(part)


def _numpy(vectors: torch.Tensor) -> FloatArray:
    return vectors.float().cpu().numpy()
