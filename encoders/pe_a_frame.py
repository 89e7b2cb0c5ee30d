"""PE-A-Frame through transformers: how surely each phrase sounds at each step of 40 ms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch

from pesearch.encoders.codec import Codec
from pesearch.encoders.device import Batches, computing, place
from pesearch.encoders.folders import ModelFolder
from pesearch.encoders.pe_av import FromSound
from pesearch.encoders.pe_checkpoint import load_pe_a_frame, load_tokenizer, tokenize
from pesearch.encoders.sound import SoundEncoder
from pesearch.timeline import steps_of
from pesearch.types import FloatArray

SECTION_STEPS = 250
"""10 s: longer sound is heard in sections, as long as the windows that the model was trained on."""

SECTIONS_AT_ONCE = {"cuda": 64, "cpu": 4}

OVERLAP_STEPS = 50
"""2 s: each section sees a second beyond what is kept of it, on both sides."""


class PeAFrame:
    """A PE-A-Frame model on a device."""

    def __init__(self, folder: ModelFolder, device: str) -> None:
        self.device = device
        self._model = place(load_pe_a_frame(folder.path), device)
        self._tokenizer = load_tokenizer(folder.path)
        self.codec = Codec(self._model.audio_encoder.embedder)
        self.sound = SoundEncoder(self.codec, device)
        self._model.audio_encoder.embedder = FromSound(self._model.audio_encoder.embedder)
        self.batches = Batches("sections", device, SECTIONS_AT_ONCE)
        self._embedded: tuple[tuple[str, ...], torch.Tensor] | None = None

    def hear(self, audio: FloatArray, phrases: Sequence[str]) -> FloatArray:
        """float32 [phrases, ceil(samples / 1920)] in 0..1, for mono audio at 48 kHz, at most 399.96 s of it."""
        if not audio.size or not phrases:
            return np.zeros((len(phrases), steps_of(audio.size)), dtype=np.float32)
        (features,) = self.sound.plain([audio])
        return self.probabilities(features, phrases)

    def probabilities(self, features: FloatArray, phrases: Sequence[str]) -> FloatArray:
        """float32 [phrases, steps] in 0..1, for the codec's features float32 [steps, dim] of a sound of any length."""
        steps = len(features)
        if not steps or not phrases:
            return np.zeros((len(phrases), steps), dtype=np.float32)
        text = self._embed_phrases(phrases)
        bounds = sections(steps)
        logits = np.empty((len(phrases), steps), dtype=np.float32)
        heard = self._hear([features[first:last] for first, last in bounds], text)
        for (first, _), (keep_first, keep_last), section in zip(bounds, kept(bounds), heard, strict=True):
            logits[:, keep_first:keep_last] = section[:, keep_first - first : keep_last - first]
        return (1.0 / (1.0 + np.exp(-np.clip(logits, -80.0, 80.0)))).astype(np.float32)

    def _embed_phrases(self, phrases: Sequence[str]) -> torch.Tensor:
        """Phrases to float32 [n, dim]. The last ones are kept: one clip after another is asked for the same."""
        if self._embedded is None or self._embedded[0] != tuple(phrases):
            with computing(self.device):
                tokens = tokenize(self._tokenizer, phrases).to(self.device)
                state = self._model.text_model(**tokens).last_hidden_state[:, 0]
                self._embedded = tuple(phrases), self._model.text_audio_head(state).float()
        return self._embedded[1]

    def _hear(self, cuts: Sequence[FloatArray], text: torch.Tensor) -> list[FloatArray]:
        """The logits [phrases, steps] of each section, all of one length."""

        def hear(batch: Sequence[FloatArray]) -> list[FloatArray]:
            return list(self._logits(torch.from_numpy(np.stack(batch)).to(self.device), text))

        return self.batches.run(cuts, hear)

    def _logits(self, features: torch.Tensor, text: torch.Tensor) -> FloatArray:
        """float32 [B, phrases, steps] of `features` [B, steps, codec dim]."""
        model = self._model
        with computing(self.device):
            heard = model.audio_head(model.audio_encoder(input_values=features).last_hidden_state).float()
        with torch.inference_mode():
            dots = torch.einsum("pd,bsd->bps", text, heard)
            logits: FloatArray = (dots * model.text_audio_logit_scale + model.text_audio_logit_bias).cpu().numpy()
        return logits


def sections(steps: int) -> list[tuple[int, int]]:
    """The stretches of steps that are heard at once: the last is shifted back to end where the audio ends."""
    if steps <= SECTION_STEPS:
        return [(0, steps)]
    starts = [*range(0, steps - SECTION_STEPS, SECTION_STEPS - OVERLAP_STEPS), steps - SECTION_STEPS]
    return [(start, start + SECTION_STEPS) for start in starts]


def kept(bounds: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is kept of each section: neighbours meet in the middle of their overlap, so every step is kept once."""
    meetings = [(following[0] + section[1]) // 2 for section, following in pairwise(bounds)]
    edges = [bounds[0][0], *meetings, bounds[-1][1]]
    return list(pairwise(edges))
