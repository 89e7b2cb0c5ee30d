"""PE-A-Frame on stored codec features."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from pesearch.encoders.model_files import ModelFolder, read_json, weight_files
from pesearch.encoders.numpy_models.audio_transformer import AudioTransformer, AudioTransformerConfig
from pesearch.encoders.numpy_models.codec_digest import PE_A_FRAME_CODEC, codec_digest
from pesearch.encoders.numpy_models.cores import on_cores
from pesearch.encoders.numpy_models.mapped_weights import MappedWeights
from pesearch.encoders.numpy_models.text_model import TextModel, apply_head
from pesearch.encoders.sound_detector import SoundDetector
from pesearch.types import FloatArray

WINDOWS_PER_THREAD = 2
"""Windows of 10 s read at once for each thread."""


class NumpyPeAFrame(SoundDetector):
    """The model in a folder, on `threads` threads; its probabilities equal those of `PeAFrame`."""

    def __init__(self, folder: ModelFolder, threads: int) -> None:
        """Raises UnsupportedModel, ModelDamaged."""
        self._weights = MappedWeights(weight_files(folder.path, "pe_a_frame"))
        self._text = TextModel(folder.path, self._weights, threads)
        config = AudioTransformerConfig.read(read_json(folder.path / "config.json").get("audio_config", {}))
        self._transformer = AudioTransformer(config, self._weights, "audio_encoder.")
        self._threads = threads
        self._embedded: tuple[tuple[str, ...], FloatArray] | None = None

    @cached_property
    def codec_digest(self) -> str:
        """Digest of the codec whose features it takes."""
        return codec_digest(self._weights, PE_A_FRAME_CODEC)

    @property
    def batch_size(self) -> int:
        """Windows computed at once."""
        return self._threads * WINDOWS_PER_THREAD

    def embed_phrases(self, phrases: Sequence[str]) -> FloatArray:
        """Phrases to float32 [n, dim]. The last result is cached: consecutive clips are searched for the same."""
        cached = self._embedded  # read once: other threads may replace it
        if cached is None or cached[0] != tuple(phrases):
            vectors = apply_head(self._weights, "text_audio_head", self._text.states(phrases))
            cached = self._embedded = tuple(phrases), vectors
        return cached[1]

    def logits(self, windows: Sequence[FloatArray], text: FloatArray) -> list[FloatArray]:
        """Logits float32 [phrases, steps] of windows [steps, dim], for embedded phrases."""
        return on_cores(lambda window: self._logits(window, text), windows, self._threads)

    def _logits(self, features: FloatArray, text: FloatArray) -> FloatArray:
        states = self._transformer.states(features[None])[0]
        vectors = apply_head(self._weights, "audio_head", states)
        dots = text @ vectors.T
        logits: FloatArray = dots * self._weights["text_audio_logit_scale"] + self._weights["text_audio_logit_bias"]
        return np.asarray(logits, dtype=np.float32)
