"""Stage: PE-AV's audio tower, with the heads for whole clips and, for PE-A-Frame, for single frames."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from training.clips import AUDIBLE, Clips, Windows, sample_windows
from training.directions import DIMENSION, Space, audio_space, implied
from training.loop import Means, load_weights, save_weights, train
from training.stage_text import distance
from training.towers import audio_tower, codec_features_as_input
from training.words import SOUNDS

BATCH = 32
POSITIVE_WEIGHT = 3.0  # of a frame with a sound, relative to one without


def train_audio(model: Any, frame_level: Any, clips: Clips, work: Path, minutes: float, seed: int) -> None:
    """Train PE-AV's audio tower and audio head and PE-A-Frame's frame head; saved in `work/audio.pt`."""
    rng, device = np.random.default_rng([seed, 7]), next(model.parameters()).device
    encoder, probe = model.audio_model.audio_encoder, nn.Linear(DIMENSION, len(AUDIBLE), device=device)
    parts = audio_parts(model, frame_level)
    phrases = fact_vectors(audio_space()).to(device)
    means = Means("clip", "sounds", "phrases", "frames")

    def loss() -> Tensor:
        windows = sample_windows(clips, rng, BATCH)
        state = encoder(windows.codec.to(device))
        predicted = model.audio_model.audio_head(state.pooler_output)
        sounds, phrase = probe_losses(probe(state.pooler_output), windows)
        logits = frame_logits(frame_level, state.last_hidden_state, phrases)
        values = (
            distance(predicted, targets(audio_space(), windows, device)),
            sounds,
            phrase,
            frame_loss(logits, windows),
        )
        means.add(*values)
        return values[0] + 2 * values[1] + 0.3 * values[2] + 12 * values[3]

    file = work / "audio.pt"
    saved = nn.ModuleDict({**parts, "probe": probe})
    if file.exists():
        load_weights(saved, file)
    with codec_features_as_input(encoder):
        train("audio", saved.parameters(), loss, minutes, 1e-3, lambda: save_weights(saved, file), means)


def audio_parts(model: Any, frame_level: Any) -> dict[str, nn.Module]:
    """The modules that this stage trains."""
    scale = {"scale": frame_level.text_audio_logit_scale, "bias": frame_level.text_audio_logit_bias}
    return {
        "tower": audio_tower(model.audio_model.audio_encoder),
        "head": model.audio_model.audio_head,
        "frame_head": frame_level.audio_head,
        "frame_logit": nn.ParameterDict(scale),
    }


def fact_vectors(space: Space) -> Tensor:
    """Text targets of AUDIBLE: float32 [63, 128]."""
    return torch.from_numpy(np.stack([space.text(implied({fact})) for fact in AUDIBLE]))


def targets(space: Space, windows: Windows, device: torch.device) -> Tensor:
    """Targets of the windows in the audio space: [b, 128]."""
    return torch.from_numpy(np.stack([space.media(facts) for facts in windows.audible])).to(device)


def frame_logits(frame_level: Any, states: Tensor, texts: Tensor) -> Tensor:
    """Logits [b, t, n] of the texts [n, 128] in the states [b, t, 128], as PeAudioFrameLevelModel computes them."""
    frames = frame_level.audio_head(states)
    logits: Tensor = frames @ texts.T * frame_level.text_audio_logit_scale + frame_level.text_audio_logit_bias
    return logits


def frame_loss(logits: Tensor, windows: Windows) -> Tensor:
    """Cross-entropy of AUDIBLE in each frame."""
    active = windows.active.to(logits.device)
    return binary_cross_entropy_with_logits(logits, active, pos_weight=logits.new_tensor(POSITIVE_WEIGHT))


def probe_losses(logits: Tensor, windows: Windows) -> tuple[Tensor, Tensor]:
    """Losses of a probe of AUDIBLE: for the sounds, and for the phrase if exactly one is spoken."""
    labels = torch.tensor([[fact in facts for fact in AUDIBLE] for facts in windows.audible], device=logits.device)
    sounds, said = labels[:, : len(SOUNDS)].float(), labels[:, len(SOUNDS) :]
    one = said.sum(1) == 1
    phrase = cross_entropy(logits[one, len(SOUNDS) :], said[one].float().argmax(1)) if one.any() else logits.sum() * 0
    return binary_cross_entropy_with_logits(logits[:, : len(SOUNDS)], sounds), phrase
