"""PE-AV and PE-A-Frame from a folder on disk, whole or not at all.

transformers loads a checkpoint with weights missing, or of other shapes, and says so only in a warning. Here it is an
error. And what its configuration loses on the way to disk and back is restored: saving a PE-AV writes the width of the
video tower as `num_classes` only, and the loader then builds a tower that gives two numbers a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from pesearch.encoders.lazy_imports import TOKENIZING, load_transformers, silent
from pesearch.errors import ModelDamaged, first_line
from pesearch.timeline import STEP_SAMPLES

MAX_TEXT_TOKENS = 512
"""The reference implementation cuts texts to this length."""


def load_pe_av(path: Path, *, with_video: bool = True, image_size: int | None = None) -> Any:
    """A PeAudioVideoModel, float32 on the CPU, in evaluation mode, its text tower ending before the final norm.

    Raises ModelDamaged, also where its pictures are not of `image_size` pixels (None: whatever they are).
    """
    transformers = load_transformers()
    config = _configuration(transformers.PeAudioVideoConfig, path)
    width = _restore_tower_width(config)
    model = _load(transformers.PeAudioVideoModel, path, config)
    tower = model.video_model.video_encoder.embedder
    if width <= 2 or tower.proj.weight.shape[1] != width:
        raise ModelDamaged(f"{path}: the width of the video tower was lost when it was saved: fetch it again.")
    if image_size is not None and _picture(model) != (image_size, image_size):
        raise ModelDamaged(f"{path} wants pictures of {_picture(model)}, not {image_size} pixels: fetch it again.")
    _check_hop(model.audio_model.audio_encoder, path)
    _share_towers(model, path)
    _end_before_final_norm(model)
    if not with_video:
        model.video_model = model.audio_video_encoder = None
    return model


def load_pe_a_frame(path: Path) -> Any:
    """A PeAudioFrameLevelModel, float32 on the CPU, in evaluation mode, its text tower ending before the final norm.

    By name: transformers' AutoModel would make a PeAudioModel of it, which has one vector for all of the audio.
    """
    transformers = load_transformers()
    model = _load(transformers.PeAudioFrameLevelModel, path, _configuration(transformers.PeAudioConfig, path))
    _check_hop(model.audio_encoder, path)
    _end_before_final_norm(model)
    return model


def load_tokenizer(path: Path) -> Any:
    """The tokenizer of the text tower."""
    return _from_folder(load_transformers().AutoTokenizer, path)


def frames_wanted(path: Path) -> int | None:
    """How many frames of a window, spread evenly, the checkpoint was trained with; None: all."""
    processor = _from_folder(load_transformers().PeVideoVideoProcessor, path)
    return int(processor.num_frames) if processor.do_sample_frames else None


def picture_size(model: Any) -> int:
    """The side in pixels of the square pictures that a PE-AV wants."""
    height, width = _picture(model)
    if height != width:
        raise ModelDamaged(f"the video tower wants pictures of {height}x{width} pixels: a square is expected.")
    return height


def tokenize(tokenizer: Any, texts: Sequence[str]) -> Any:
    """Texts as a padded batch with its attention mask. For any thread."""
    longest = min(MAX_TEXT_TOKENS, tokenizer.model_max_length)
    with TOKENIZING:
        return tokenizer(list(texts), padding=True, truncation=True, max_length=longest, return_tensors="pt")


def _configuration(kind: Any, path: Path) -> Any:
    config = _from_folder(kind, path)
    if config.model_type != kind.model_type:
        raise ModelDamaged(f"{path} holds a model of type {config.model_type}, not {kind.model_type}.")
    return config


def _load(kind: Any, path: Path, config: Any) -> Any:
    model, report = _from_folder(kind, path, config=config, dtype=torch.float32, output_loading_info=True)
    if wrong := [key for what in ("missing_keys", "mismatched_keys") for key in report[what]]:
        raise ModelDamaged(f"{path}: {len(wrong)} weights missing or of another shape, as {wrong[0]}: fetch it again.")
    return model.eval()


def _from_folder(kind: Any, path: Path, **options: Any) -> Any:
    try:
        with silent():
            return kind.from_pretrained(str(path), local_files_only=True, **options)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        reason = first_line(error)
        raise ModelDamaged(f"{path} cannot be loaded as {kind.__name__} ({reason}): fetch it again.") from error


def _end_before_final_norm(model: Any) -> None:
    """Perception models were trained on the state before the norm; `hidden_states[-1]` is after it since 5.1."""
    model.text_model.final_norm = torch.nn.Identity()


def _restore_tower_width(config: Any) -> int:
    vision = config.audio_video_config.video_config.vision_config
    width = getattr(vision, "num_classes", None) or vision.num_labels
    if vision.num_labels != width:
        vision.num_labels = width
    return int(width)


def _picture(model: Any) -> tuple[int, int]:
    """Height and width of the pictures that the video tower wants."""
    height, width = model.video_model.video_encoder.embedder.vision_model.timm_model.patch_embed.img_size
    return int(height), int(width)


def _check_hop(encoder: Any, path: Path) -> None:
    hop = encoder.config.dac_config.hop_length
    if hop != STEP_SAMPLES:
        raise ModelDamaged(f"{path}: a step of its codec is {hop} samples, not {STEP_SAMPLES}.")


def _share_towers(model: Any, path: Path) -> None:
    """Makes one module of each tower that appears twice. Raises ModelDamaged where the two hold different weights.

    A checkpoint holds one copy, tied on loading. One that was saved with both untied would answer differently for a
    window with sound and picture than for sound or picture alone.
    """
    fusion = model.audio_video_encoder.embedder
    for name, one, other in (
        ("audio", model.audio_model.audio_encoder, fusion.audio_encoder),
        ("video", model.video_model.video_encoder, fusion.video_encoder),
        ("text", model.text_model, model.audio_model.text_model),
        ("text", model.text_model, model.video_model.text_model),
    ):
        copies = dict(other.named_parameters())
        if any(weight is not copies[key] and not weight.equal(copies[key]) for key, weight in one.named_parameters()):
            raise ModelDamaged(f"{path} holds two {name} towers of different weights: it was saved untied.")
    fusion.audio_encoder, fusion.video_encoder = model.audio_model.audio_encoder, model.video_model.video_encoder
    model.audio_model.text_model = model.video_model.text_model = model.text_model
