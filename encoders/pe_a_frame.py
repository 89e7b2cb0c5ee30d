"""PE-A-Frame through transformers: how surely each phrase sounds at each step of 40 ms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch

from pesearch.encoders.device import batch_size, computing, place
from pesearch.encoders.folders import ModelFolder
from pesearch.encoders.pe_checkpoint import load_pe_a_frame, load_tokenizer, tokenize
from pesearch.encoders.preprocess import STEP_SAMPLES, batches_of_equals, whole_steps
from pesearch.types import FloatArray

SECTION_STEPS = 250
"""10 s: longer audio is heard in sections, because the codec's memory and time grow with the length heard at once."""

OVERLAP_STEPS = 50
"""2 s: each section sees a second beyond what is kept of it, on both sides."""


class PeAFrame:
    """A PE-A-Frame model on a device."""

    def __init__(self, folder: ModelFolder, device: str) -> None:
        self.device = device
        self._model = place(load_pe_a_frame(folder.path), device)
        self._tokenizer = load_tokenizer(folder.path)

    def probabilities(self, audio: FloatArray, phrases: Sequence[str]) -> FloatArray:
        """float32 [phrases, ceil(samples / 1920)] in 0..1, for mono audio at 48 kHz of any length."""
        steps = -(-audio.size // STEP_SAMPLES)
        if not steps or not phrases:
            return np.zeros((len(phrases), steps), dtype=np.float32)
        text = self._embed_phrases(phrases)
        bounds = sections(steps)
        keeps = kept(bounds)
        logits = np.empty((len(phrases), steps), dtype=np.float32)
        for position, section_logits in self._hear(audio, bounds, text):
            first, (keep_first, keep_last) = bounds[position][0], keeps[position]
            logits[:, keep_first:keep_last] = section_logits[:, keep_first - first : keep_last - first]
        return (1.0 / (1.0 + np.exp(-np.clip(logits, -80.0, 80.0)))).astype(np.float32)

    def _embed_phrases(self, phrases: Sequence[str]) -> torch.Tensor:
        """Phrases to float32 [n, dim]."""
        with computing(self.device):
            tokens = tokenize(self._tokenizer, phrases).to(self.device)
            state = self._model.text_model(**tokens).last_hidden_state[:, 0]
            vectors: torch.Tensor = self._model.text_audio_head(state).float()
            return vectors

    def _hear(
        self, audio: FloatArray, bounds: Sequence[tuple[int, int]], text: torch.Tensor
    ) -> Iterator[tuple[int, FloatArray]]:
        """The position of each section and its logits [phrases, steps], a batch at a time."""
        sizes = [min(last * STEP_SAMPLES, audio.size) - first * STEP_SAMPLES for first, last in bounds]
        whole = [-(-size // STEP_SAMPLES) for size in sizes]
        for positions in batches_of_equals(whole, batch_size(self.device)):
            cuts = [whole_steps(audio[bounds[at][0] * STEP_SAMPLES :][: sizes[at]]) for at in positions]
            logits = self._logits(torch.from_numpy(np.stack(cuts))[:, None].to(self.device), text)
            yield from zip(positions, logits, strict=True)

    def _logits(self, samples: torch.Tensor, text: torch.Tensor) -> FloatArray:
        """float32 [B, phrases, steps] of `samples` [B, 1, steps * 1920]."""
        model = self._model
        with computing(self.device):
            heard = model.audio_head(model.audio_encoder(input_values=samples).last_hidden_state)
        with torch.inference_mode():
            dots = torch.einsum("pd,bsd->bps", text, heard.float())
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
