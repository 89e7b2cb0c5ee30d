"""Stage: the text towers. From texts alone they learn the target of a text in each space."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pesearch.encoders.lazy_imports import load_open_clip
from training.directions import Space, audio_space, image_space, joint_space, video_space
from training.loop import Means, load_weights, save_weights, train
from training.questions import Question, image_question, sample_questions

BATCH = 128


def train_text(model: Any, tokenizer: Any, work: Path, minutes: float, seed: int) -> None:
    """Train PE-AV's text tower and its three text heads; saved in `work/text.pt`."""
    rng, device = np.random.default_rng([seed, 4]), next(model.parameters()).device
    towers = text_towers(model)
    heads = {"audio": audio_space(), "video": video_space(), "joint": joint_space()}
    means = Means(*heads)

    def loss() -> Tensor:
        questions = sample_questions(rng, BATCH)
        pooled = first_token(model.text_model, tokenizer, [question.text for question in questions], device)
        misses = [
            distance(towers[name](pooled), text_targets(space, questions, device)) for name, space in heads.items()
        ]
        means.add(*misses)
        return torch.stack(misses).sum()

    file = work / "text.pt"
    if file.exists():
        load_weights(towers, file)
    train("text", towers.parameters(), loss, minutes, 1.5e-3, lambda: save_weights(towers, file), means)


def train_core_text(core: Any, work: Path, minutes: float, seed: int) -> None:
    """Train PE-Core's text tower; saved in `work/core_text.pt`."""
    rng, device = np.random.default_rng([seed, 5]), next(core.parameters()).device
    tokenize = core_tokenizer()

    def loss() -> Tensor:
        questions = [image_question(rng) for _ in range(BATCH)]
        predicted = core.encode_text(tokenize([question.text for question in questions]).to(device))
        return distance(predicted, text_targets(image_space(), questions, device))

    file = work / "core_text.pt"
    if file.exists():
        load_weights(core.text, file)
    train("core_text", core.text.parameters(), loss, minutes, 2e-3, lambda: save_weights(core.text, file))


def text_towers(model: Any) -> nn.ModuleDict:
    """The text tower without the final norm (see `first_token`), and its heads by space."""
    model.text_model.final_norm = nn.Identity()
    heads = {
        "audio": model.audio_model.text_audio_head,
        "video": model.video_model.text_video_head,
        "joint": model.text_audio_video_head,
    }
    return nn.ModuleDict({"tower": model.text_model, **heads})


def first_token(text_model: Any, tokenizer: Any, texts: Sequence[str], device: torch.device) -> Tensor:
    """The state of the first token [n, 128] before ModernBERT's final norm, the input of Perception Encoder's heads."""
    tokens = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt").to(device)
    state: Tensor = text_model(
        input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
    ).last_hidden_state[:, 0]
    return state


def text_targets(space: Space, questions: Sequence[Question], device: torch.device) -> Tensor:
    """Targets of the questions in a space: [n, 128]."""
    return torch.from_numpy(np.stack([space.text(question.facts) for question in questions])).to(device)


def distance(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared distance of vectors [n, 128]: 0 when direction and length match."""
    return (predicted - target).square().sum(-1).mean()


def core_tokenizer() -> Any:
    """CLIP's byte-pair tokenizer as open_clip ships it, for PE-Core's context of 32 tokens."""
    return load_open_clip().tokenizer.SimpleTokenizer(context_length=32)
