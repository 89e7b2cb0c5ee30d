"""Stage: PE-A-Frame, which predicts for each 40 ms whether a text is heard in it. It starts from PE-AV's towers."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from training.clips import AUDIBLE, Clips, Windows, sample_windows
from training.directions import UNKNOWN
from training.loop import load_weights, save_weights, train
from training.questions import sample_question, wording
from training.stage_audio import POSITIVE_WEIGHT, frame_logits
from training.stage_text import first_token
from training.towers import codec_features_as_input

BATCH = 32
WORDINGS = 40  # texts for each of AUDIBLE
FOREIGN = 400  # texts about unknown things
FOREIGN_PER_STEP = 12

QUIET_SHARE = 0.3
"""Share of clips without sounds. Every clip of the pool has one, but long files have minutes of background."""


def start_from(frame_level: Any, model: Any) -> None:
    """Copy PE-AV's text tower, its text-audio head and its audio tower. The frame head is already trained."""
    frame_level.text_model.load_state_dict(model.text_model.state_dict())
    frame_level.text_audio_head.load_state_dict(model.audio_model.text_audio_head.state_dict())
    frame_level.audio_encoder.load_state_dict(model.audio_model.audio_encoder.state_dict())


def train_events(frame_level: Any, tokenizer: Any, clips: Clips, work: Path, minutes: float, seed: int) -> None:
    """Train the audio tower and the frame head with a frozen text tower; saved in `work/events.pt`."""
    rng, device = np.random.default_rng([seed, 10]), next(frame_level.parameters()).device
    known, foreign = text_bank(frame_level, tokenizer, rng, device)
    encoder = frame_level.audio_encoder
    encoder.embedder.requires_grad_(False)
    encoder.embedder.data_proj.requires_grad_(True)

    def loss() -> Tensor:
        windows = sample_windows(clips, rng, BATCH, quiet_share=QUIET_SHARE)
        wording = torch.from_numpy(rng.integers(WORDINGS, size=len(AUDIBLE)))
        strange = torch.from_numpy(rng.integers(FOREIGN, size=FOREIGN_PER_STEP))
        texts = torch.cat([known[torch.arange(len(AUDIBLE)), wording], foreign[strange]])
        states = encoder(windows.codec.to(device)).last_hidden_state
        return _loss(frame_logits(frame_level, states, texts), windows)

    file = work / "events.pt"
    if file.exists():
        load_weights(frame_level, file)
    parts = [encoder, frame_level.audio_head]
    scale = [frame_level.text_audio_logit_scale, frame_level.text_audio_logit_bias]
    parameters = [parameter for part in parts for parameter in part.parameters()] + scale
    with codec_features_as_input(encoder):
        train("events", parameters, loss, minutes, 8e-4)
    save_weights(frame_level, file)


def text_bank(
    frame_level: Any, tokenizer: Any, rng: np.random.Generator, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Text embeddings: several wordings of each of AUDIBLE, [63, 40, 128], and unknown things, [400, 128]."""
    known = [wording(frozenset({fact}), rng) for fact in AUDIBLE for _ in range(WORDINGS)]
    foreign: list[str] = []
    while len(foreign) < FOREIGN:
        question = sample_question(rng)
        foreign += [question.text] if question.facts == {UNKNOWN} else []
    with torch.no_grad():
        rows = [
            frame_level.text_audio_head(first_token(frame_level.text_model, tokenizer, texts, device))
            for texts in (known, foreign)
        ]
    return rows[0].view(len(AUDIBLE), WORDINGS, -1), rows[1]


def _loss(logits: Tensor, windows: Windows) -> Tensor:
    """Cross-entropy of each text in each frame; unknown things occur in none."""
    active = windows.active.to(logits.device)
    silent = active.new_zeros((*active.shape[:2], logits.shape[-1] - active.shape[-1]))
    weight = logits.new_tensor(POSITIVE_WEIGHT)
    return 10 * binary_cross_entropy_with_logits(logits, torch.cat([active, silent], dim=2), pos_weight=weight)
