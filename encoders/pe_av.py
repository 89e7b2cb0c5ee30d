"""PE-AV through transformers: windows of video and audio, and texts, to the video, audio and audio-video spaces.

The model's own methods are not used where they are broken or silently wrong (transformers 5.23):

- text: PE-AV was trained on the CLS state *before* the text tower's final norm, but since 5.1 `hidden_states[-1]` is
  the state after it. The norm is replaced by the identity, which is right under every version.
- get_text_audio_embeds, get_text_video_embeds, get_video_embeds and the two *_plus_text ones raise: towers and heads
  are called here, as in the reference implementation.
- padding changes audio embeddings: only windows of equal length share a batch, so nothing is padded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pesearch.encoders.device import batch_size, computing, place
from pesearch.encoders.folders import ModelFolder
from pesearch.encoders.pe_checkpoint import load_pe_av, load_tokenizer, load_video_processor, tokenize
from pesearch.encoders.preprocess import batches_of_equals, whole_steps
from pesearch.types import FloatArray, ImageArray, SpaceName

TEXTS_AT_ONCE = 64

Window = tuple[Sequence[ImageArray] | None, FloatArray | None]
"""Frames and audio of one window."""

Vectors = tuple[FloatArray | None, FloatArray | None, FloatArray | None]
"""Video, audio and audio-video vector of one window."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A learned pair: the probability that two things belong together is sigmoid(dot * scale + bias)."""

    scale: float
    bias: float


class PeAv:
    """A PE-AV model on a device. Without video, its video and fusion towers are not kept in memory."""

    def __init__(self, folder: ModelFolder, device: str, *, with_video: bool = True) -> None:
        self.device = device
        self.dim = folder.dim
        model = load_pe_av(folder.path, with_video=with_video, image_size=folder.image_size)
        self._model = place(model, device)
        self._tokenizer = load_tokenizer(folder.path)
        self._pixels_of = load_video_processor(folder.path, self._model) if with_video else None

    def embed_texts(self, texts: Sequence[str], spaces: Collection[SpaceName]) -> dict[SpaceName, FloatArray]:
        """Texts to float32 [n, dim] for each of `spaces`. Raises DeviceError."""
        empty = np.empty((0, self.dim), dtype=np.float32)
        parts: dict[SpaceName, list[FloatArray]] = {space: [empty] for space in spaces}
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            with computing(self.device):
                tokens = tokenize(self._tokenizer, texts[start : start + TEXTS_AT_ONCE]).to(self.device)
                state = self._model.text_model(**tokens).last_hidden_state[:, 0]
                for space, vectors in parts.items():
                    vectors.append(_numpy(self._text_head(space)(state)))
        return {space: np.concatenate(vectors) for space, vectors in parts.items()}

    def embed_windows(self, windows: Sequence[Window]) -> list[Vectors]:
        """Windows to their vectors, in the order given: None for what a window has no frames or no audio for.

        Frames are RGB uint8 [H, W, 3], of one size in a window; audio is float32 mono at 48 kHz. Raises DeviceError.
        """
        prepared = [(self._pixels(frames), _samples(audio)) for frames, audio in windows]
        vectors: list[Vectors] = [(None, None, None)] * len(prepared)
        lengths = [tuple(None if part is None else part.shape for part in window) for window in prepared]
        for positions in batches_of_equals(lengths, batch_size(self.device)):
            batch = [prepared[position] for position in positions]
            for position, window_vectors in zip(positions, self._embed_batch(batch), strict=True):
                vectors[position] = window_vectors
        return vectors

    def calibration(self, space: SpaceName, asked_with: SpaceName | None) -> Calibration | None:
        """The learned pair for a text (or a vector of the space `asked_with`) that asks `space`, if there is one."""
        model = self._model
        if asked_with is None:
            owner, name = {
                SpaceName.AUDIO: (model.audio_model, "text_audio"),
                SpaceName.VIDEO: (model.video_model, "text_video"),
                SpaceName.AUDIO_VIDEO: (model, "text_audio_video"),
            }[space]
        elif {space, asked_with} == {SpaceName.AUDIO, SpaceName.VIDEO}:
            owner, name = model, "audio_video"
        else:
            return None
        return Calibration(
            getattr(owner, f"{name}_logit_scale").float().item(), getattr(owner, f"{name}_logit_bias").float().item()
        )

    def _embed_batch(self, batch: Sequence[tuple[torch.Tensor | None, torch.Tensor | None]]) -> list[Vectors]:
        pixels = _stack([pixels for pixels, _ in batch], self.device)
        audio = _stack([audio for _, audio in batch], self.device)
        with computing(self.device):
            parts = self._embed_tensors(pixels, audio)
        arrays = [[None] * len(batch) if part is None else list(_numpy(part)) for part in parts]
        return list(zip(*arrays, strict=True))

    def _embed_tensors(
        self, pixels: torch.Tensor | None, audio: torch.Tensor | None
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Video, audio and audio-video vectors [B, dim] of `pixels` [B, F, 3, S, S] and `audio` [B, 1, samples]."""
        model = self._model
        if pixels is not None and audio is not None:
            both = model.audio_video_encoder(input_values=audio, pixel_values_videos=pixels)
            return (
                model.video_model.video_head(both.video_model_output.pooler_output),
                model.audio_model.audio_head(both.audio_model_output.pooler_output),
                model.audio_video_head(both.pooler_output),
            )
        if pixels is not None:
            seen = model.video_model.video_encoder(pixel_values_videos=pixels)
            return model.video_model.video_head(seen.pooler_output), None, None
        if audio is not None:
            heard = model.audio_model.audio_encoder(input_values=audio)
            return None, model.audio_model.audio_head(heard.pooler_output), None
        return None, None, None

    def _text_head(self, space: SpaceName) -> Any:
        model = self._model
        if space is SpaceName.AUDIO:
            return model.audio_model.text_audio_head
        return model.video_model.text_video_head if space is SpaceName.VIDEO else model.text_audio_video_head

    def _pixels(self, frames: Sequence[ImageArray] | None) -> torch.Tensor | None:
        """Frames as the video tower wants them, float32 [F, 3, S, S]."""
        if not frames:
            return None
        if self._pixels_of is None:
            raise ValueError("this model set has no video tower: give windows without frames")
        return self._pixels_of(frames)


def _samples(audio: FloatArray | None) -> torch.Tensor | None:
    """Audio as the codec wants it, float32 [1, samples]."""
    return None if audio is None or not audio.size else torch.from_numpy(whole_steps(audio))[None]


def _stack(parts: Sequence[torch.Tensor | None], device: str) -> torch.Tensor | None:
    present = [part for part in parts if part is not None]
    return torch.stack(present).contiguous().to(device) if present else None


def _numpy(vectors: torch.Tensor) -> FloatArray:
    return vectors.float().cpu().numpy()
