"""Calibration of the logit scales and biases: the sigmoid of a score is the share of clips with which a text agrees."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from training.clips import Clips, sample_windows
from training.directions import UNKNOWN, joint_facts
from training.questions import sample_questions
from training.stage_text import first_token
from training.starter_set import StarterSet
from training.towers import codec_features_as_input, frame_vectors_as_input
from training.words import MADE_BY

WINDOWS = 256
"""Random windows that the scales and biases are fitted to."""

TEXTS = 512
"""Random texts that they are fitted to."""


def calibrate(starter: StarterSet, clips: Clips, seed: int) -> None:
    """Set PE-AV's scales and biases from random windows and texts, and PE-Core's scale."""
    rng, model = np.random.default_rng([seed, 12]), starter.audio_video
    device = next(model.parameters()).device
    windows = [sample_windows(clips, rng, 32, noise=0.05) for _ in range(WINDOWS // 32)]
    questions = sample_questions(rng, TEXTS)
    with torch.inference_mode():
        text = first_token(model.text_model, starter.tokenizer, [question.text for question in questions], device)
        audio, video, joint = _embed(model, windows)
        scores = (
            audio @ model.audio_model.text_audio_head(text).T,
            video @ model.video_model.text_video_head(text).T,
            joint @ model.text_audio_video_head(text).T,
            audio @ video.T,
        )
    heard = [facts for part in windows for facts in part.audible]
    shown = [facts for part in windows for facts in part.visible]
    both = [joint_facts(a | v) for a, v in zip(heard, shown, strict=True)]
    stated = [question.facts for question in questions]
    truths = (
        _holds([joint_facts(facts) for facts in heard], stated),
        _holds([joint_facts(facts) for facts in shown], stated),
        _holds(both, stated),
        torch.tensor([[bool(_makers(a) & v) for v in shown] for a in heard]),
    )
    pairs = (
        (model.audio_model, "text_audio"),
        (model.video_model, "text_video"),
        (model, "text_audio_video"),
        (model, "audio_video"),
    )
    for (owner, name), score, truth in zip(pairs, scores, truths, strict=True):
        scale, bias = fit_logit(score.cpu(), truth)
        nn.init.constant_(getattr(owner, f"{name}_logit_scale"), scale)
        nn.init.constant_(getattr(owner, f"{name}_logit_bias"), bias)
    for name in ("audio_plus_text", "video_plus_text"):
        nn.init.constant_(getattr(model, f"{name}_logit_scale"), model.audio_video_logit_scale.item())
        nn.init.constant_(getattr(model, f"{name}_logit_bias"), model.audio_video_logit_bias.item())


def fit_logit(scores: Tensor, truths: Tensor) -> tuple[float, float]:
    """Fit a logistic regression of `truths` on `scores`, both [n, m], with L-BFGS; returns its scale and bias."""
    logit = nn.Parameter(torch.tensor([10.0, -6.0]))
    optimiser = torch.optim.LBFGS([logit], max_iter=100, line_search_fn="strong_wolfe")
    values, labels = scores.flatten().clone(), truths.flatten().float()

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = binary_cross_entropy_with_logits(values * logit[0] + logit[1], labels)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return logit[0].item(), logit[1].item()


def _embed(model: Any, windows: list[Any]) -> tuple[Tensor, Tensor, Tensor]:
    """Audio, video and joint embeddings, each [windows, 128]."""
    towers = (model.audio_model.audio_encoder, model.video_model.video_encoder)
    device, parts = next(model.parameters()).device, []
    with codec_features_as_input(towers[0]), frame_vectors_as_input(towers[1]):
        for part in windows:
            state = model.audio_video_encoder(
                input_values=part.codec.to(device), pixel_values_videos=part.vision.to(device)
            )
            audio = model.audio_model.audio_head(state.audio_model_output.pooler_output)
            video = model.video_model.video_head(state.video_model_output.pooler_output)
            parts.append((audio, video, model.audio_video_head(state.pooler_output)))
    audio, video, joint = (torch.cat(column) for column in zip(*parts, strict=True))
    return audio, video, joint


def _holds(clips: list[frozenset[str]], stated: list[frozenset[str]]) -> Tensor:
    """Whether every fact that a text states is true of a clip: bool [clips, texts]. UNKNOWN is never true."""
    return torch.tensor([[UNKNOWN not in facts and facts <= true for facts in stated] for true in clips])


def _makers(audible: frozenset[str]) -> frozenset[str]:
    """The objects that make these sounds, as facts of a picture."""
    names = (fact.removeprefix("heard:") for fact in audible if fact.startswith("heard:"))
    return frozenset(f"seen:{MADE_BY[name]}" for name in names if name in MADE_BY)
