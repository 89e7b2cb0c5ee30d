"""Stage: PE-AV's third transformer, which fuses sound and picture, and the heads for one of them plus a text."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from training import stage_audio, stage_video
from training.clips import AUDIBLE, Clips, Windows, sample_windows
from training.directions import DIMENSION, audio_space, joint_facts, joint_space, video_space
from training.loop import Means, load_weights, save_weights, train
from training.questions import Question, sample_questions
from training.stage_text import distance, first_token, text_targets
from training.stage_video import VISIBLE
from training.towers import codec_features_as_input, frame_vectors_as_input

BATCH = 32


def train_fusion(model: Any, tokenizer: Any, clips: Clips, work: Path, minutes: float, seed: int) -> None:
    """Train the fusion with frozen audio, video and text towers; saved in `work/fusion.pt`."""
    rng, device = np.random.default_rng([seed, 9]), next(model.parameters()).device
    encoder = model.audio_video_encoder
    towers = (model.audio_model.audio_encoder, model.video_model.video_encoder)
    probe = nn.Linear(DIMENSION, len(AUDIBLE) + len(VISIBLE), device=device)
    parts = nn.ModuleDict({**fusion_parts(model), "probe": probe})
    means = Means("clip", "probe", "audio_text", "video_text")

    def loss() -> Tensor:
        windows = sample_windows(clips, rng, BATCH)
        state = encoder(input_values=windows.codec.to(device), pixel_values_videos=windows.vision.to(device))
        values = (
            distance(model.audio_video_head(state.pooler_output), targets(windows, device)),
            binary_cross_entropy_with_logits(probe(state.pooler_output), fact_labels(windows).to(device)),
            *_plus_text(model, tokenizer, state, windows, sample_questions(rng, len(windows.codec))),
        )
        means.add(*values)
        return values[0] + 8 * values[1] + 0.3 * (values[2] + values[3])

    file = work / "fusion.pt"
    if file.exists():
        load_weights(parts, file)
    for tower in towers:
        tower.requires_grad_(False)
    with codec_features_as_input(towers[0]), frame_vectors_as_input(towers[1]):
        train("fusion", parts.parameters(), loss, minutes, 1.2e-3, lambda: save_weights(parts, file), means)
    for tower in towers:
        tower.requires_grad_(True)


def fusion_parts(model: Any) -> dict[str, nn.Module]:
    """The layers of the fusion and the heads on it or on two towers."""
    encoder = model.audio_video_encoder
    inside = {name: part for name, part in encoder.embedder.named_children() if not name.endswith("_encoder")}
    layers = {name: part for name, part in encoder.named_children() if name not in ("embedder", "rotary_emb")}
    heads = ("audio_video_head", "audio_plus_text_head", "video_plus_text_head")
    return {**inside, **layers, **{name: getattr(model, name) for name in heads}}


def targets(windows: Windows, device: torch.device) -> Tensor:
    """Targets of the windows in the joint space: [b, 128]."""
    both = zip(windows.audible, windows.visible, strict=True)
    return torch.from_numpy(np.stack([joint_space().media(joint_facts(a | v)) for a, v in both])).to(device)


def fact_labels(windows: Windows) -> Tensor:
    """Which of AUDIBLE and VISIBLE are true of each window: float [b, n]."""
    heard = [[fact in facts for fact in AUDIBLE] for facts in windows.audible]
    return torch.cat([torch.tensor(heard).float(), stage_video.fact_labels(windows)], dim=1)


def _plus_text(model: Any, tokenizer: Any, state: Any, windows: Windows, questions: list[Question]) -> list[Tensor]:
    """Losses of a sound plus a text, whose target in the space of pictures is halfway between both, and vice versa."""
    device = state.pooler_output.device
    heard, shown = stage_audio.targets(audio_space(), windows, device), stage_video.targets(windows, device)
    with torch.no_grad():
        text = first_token(model.text_model, tokenizer, [question.text for question in questions], device)
    cases = (
        (model.audio_plus_text_head, state.audio_model_output, heard, video_space()),
        (model.video_plus_text_head, state.video_model_output, shown, audio_space()),
    )
    losses = []
    for head, media, place, space in cases:
        between = nn.functional.normalize(place + text_targets(space, questions, device), dim=-1)
        losses.append(distance(head(torch.cat([media.pooler_output, text], dim=-1)), between))
    return losses
