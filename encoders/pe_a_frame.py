"""PE-A-Frame through transformers: the probability of each sound (a phrase) at each step of 40 ms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from pesearch.encoders.checkpoint_loader import load_pe_a_frame, load_tokenizer, tokenize
from pesearch.encoders.chunked_codec import SoundEncoder
from pesearch.encoders.codec import Codec
from pesearch.encoders.device import AdaptiveBatches, inference, move_to
from pesearch.encoders.model_files import ModelFolder
from pesearch.encoders.pe_av import CodecFeatureEmbedder
from pesearch.encoders.sound_detector import SoundDetector
from pesearch.timeline import steps_of
from pesearch.types import FloatArray

WINDOW_BATCH_SIZES = {"cuda": 64, "mps": 16, "cpu": 4}
"""Windows of 10 s, from codec features."""


class PeAFrame(SoundDetector):
    """A PE-A-Frame model on a device."""

    def __init__(self, folder: ModelFolder, device: str) -> None:
        self.device = device
        self._model = move_to(load_pe_a_frame(folder.path), device)
        self._tokenizer = load_tokenizer(folder.path)
        self.codec = Codec(self._model.audio_encoder.embedder)
        self.sound = SoundEncoder(self.codec, device)
        self._model.audio_encoder.embedder = CodecFeatureEmbedder(self._model.audio_encoder.embedder)
        self.batches = AdaptiveBatches("windows of sound", device, WINDOW_BATCH_SIZES)
        self._embedded: tuple[tuple[str, ...], torch.Tensor] | None = None

    @property
    def codec_digest(self) -> str:
        """Digest of the codec whose features it takes."""
        return self.codec.digest

    @property
    def batch_size(self) -> int:
        """Windows computed at once."""
        return self.batches.size

    def detect(self, audio: FloatArray, phrases: Sequence[str]) -> FloatArray:
        """float32 [phrases, ceil(samples / 1920)] in 0..1, for mono audio at 48 kHz of at most 399.96 s."""
        if not audio.size or not phrases:
            return np.zeros((len(phrases), steps_of(audio.size)), dtype=np.float32)
        (features,) = self.sound.encode_whole([audio])
        return self.probabilities(features, phrases)

    def embed_phrases(self, phrases: Sequence[str]) -> torch.Tensor:
        """Phrases to float32 [n, dim]. The last result is cached: consecutive clips are searched for the same."""
        cached = self._embedded  # read once: other threads may replace it
        if cached is None or cached[0] != tuple(phrases):
            with inference(self.device):
                tokens = tokenize(self._tokenizer, phrases).to(self.device)
                state = self._model.text_model(**tokens).last_hidden_state[:, 0]
                cached = self._embedded = tuple(phrases), self._model.text_audio_head(state).float()
        return cached[1]

    def logits(self, windows: Sequence[FloatArray], text: torch.Tensor) -> list[FloatArray]:
        """Logits float32 [phrases, steps] of windows [steps, dim] of equal length, for embedded phrases."""

        def compute(batch: Sequence[FloatArray]) -> list[FloatArray]:
            return list(self._logits(torch.from_numpy(np.stack(batch)).to(self.device), text))

        return self.batches.run(windows, compute)

    def _logits(self, features: torch.Tensor, text: torch.Tensor) -> FloatArray:
        """float32 [B, phrases, steps] of `features` [B, steps, codec dim]."""
        model = self._model
        with inference(self.device):
            vectors = model.audio_head(model.audio_encoder(input_values=features).last_hidden_state).float()
        with torch.inference_mode():
            dots = torch.einsum("pd,bsd->bps", text, vectors)
            logits: FloatArray = (dots * model.text_audio_logit_scale + model.text_audio_logit_bias).cpu().numpy()
        return logits
