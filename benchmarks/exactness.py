"""Codec features and vectors of sound on a device, against transformers' own modules in float32 on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.embedded import cosines
from benchmarks.figures import Row
from pesearch.encoders.checkpoint_loader import load_pe_av
from pesearch.encoders.io_types import SoundChunk, WindowFeatures
from pesearch.encoders.model_set import ModelSet
from pesearch.timeline import STEP_SAMPLES, WINDOW_SECONDS, step_count
from pesearch.types import FloatArray

MIN_COSINE = 0.9995
"""For every step and every window, under every precision."""


@dataclass(frozen=True, slots=True)
class Exactness:
    """Lowest cosine of the codec features of a step, and of the vector of a window."""

    part: str
    precision: str
    lowest_step_cosine: float
    window_cosine: float
    at_least: float = MIN_COSINE

    def rows(self) -> Iterator[Row]:
        """Both cosines."""
        wanted = f">= {self.at_least}"
        yield Row("codec features of sound, lowest cosine to transformers", f"{self.lowest_step_cosine:.6f}", wanted)
        yield Row(f"vector of sound ({self.precision}), cosine to transformers", f"{self.window_cosine:.6f}", wanted)


def measure_exactness(built: Path, models: ModelSet) -> Exactness:
    """Compare one window of noise that grows louder."""
    steps = step_count(WINDOW_SECONDS)
    noise = np.random.default_rng(5).standard_normal(steps * STEP_SAMPLES) * np.linspace(0, 0.3, steps * STEP_SAMPLES)
    samples = noise.astype(np.float32)
    (found,) = models.encode_sound([SoundChunk(samples, 0, 0, steps, (), ())])
    (vectors,) = models.encode_windows([WindowFeatures(None, found.steps)])
    features, vector = _plain(built, samples)
    if vectors.audio is None:
        raise RuntimeError("the set embeds no sound")
    return Exactness(
        part="gpu",
        precision=models.precision,
        lowest_step_cosine=float(cosines(features, found.steps).min()),
        window_cosine=float(cosines(vector, vectors.audio[None])[0]),
    )


@torch.inference_mode()
def _plain(built: Path, samples: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Codec features [steps, dim] and the vector [1, dim]."""
    audio = load_pe_av(built / "pe_av").audio_model
    embedder, inputs = audio.audio_encoder.embedder, torch.from_numpy(samples)[None, None]
    features = embedder.bottleneck(embedder.dac_encoder(inputs))[0].T
    vector = audio.audio_head(audio.audio_encoder(input_values=inputs).pooler_output)
    return features.numpy(), vector.numpy()
