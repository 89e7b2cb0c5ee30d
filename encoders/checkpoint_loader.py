"""Loads PE-AV and PE-A-Frame from a folder; incomplete weights are errors.

transformers itself only warns about missing weights and wrong shapes. Two of its faults are worked around, each in a
function of this module that a test guards:

- `_restore_tower_width`: saving a PE-AV writes the width of the video tower as `num_classes` only, and the loader then
  builds a tower of two outputs.
- `_end_before_final_norm`: Perception models were trained on the state before the text tower's final norm, but
  `hidden_states[-1]` is the state after it since 5.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from pesearch.encoders.lazy_imports import TOKENIZER_LOCK, load_transformers, suppress_output
from pesearch.encoders.model_files import remedy
from pesearch.encoders.parameter_init import AvoidMetaTracing, SkipParameterInit
from pesearch.encoders.preprocess import MAX_TEXT_TOKENS
from pesearch.errors import ModelDamaged, first_line
from pesearch.timeline import STEP_SAMPLES


def load_pe_av(path: Path, *, with_video: bool = True, image_size: int | None = None) -> Any:
    """A PeAudioVideoModel, float32 on the CPU, in evaluation mode, its text tower ending before the final norm.

    Raises ModelDamaged, also if its images are not of `image_size` pixels (None: any size).
    """
    transformers = load_transformers()
    config = _configuration(transformers.PeAudioVideoConfig, path)
    width = _restore_tower_width(config)
    model = _load(transformers.PeAudioVideoModel, path, config)
    tower = model.video_model.video_encoder.embedder
    if width <= 2 or tower.proj.weight.shape[1] != width:
        raise ModelDamaged(f"{path}: its configuration lacks the width of the video tower: {remedy(path)}.")
    if image_size is not None and _image_size(model) != (image_size, image_size):
        raise ModelDamaged(f"{path} takes images of {_image_size(model)}, not {image_size} pixels: {remedy(path)}.")
    _check_hop(model.audio_model.audio_encoder, path)
    _share_towers(model, path)
    _end_before_final_norm(model)
    if not with_video:
        model.video_model = model.audio_video_encoder = None
    return model


def load_pe_a_frame(path: Path) -> Any:
    """A PeAudioFrameLevelModel, float32 on the CPU, in evaluation mode, its text tower ending before the final norm.

    The class is named because transformers' AutoModel picks PeAudioModel, which gives one vector for all of the audio.
    """
    transformers = load_transformers()
    model = _load(transformers.PeAudioFrameLevelModel, path, _configuration(transformers.PeAudioConfig, path))
    _check_hop(model.audio_encoder, path)
    _end_before_final_norm(model)
    return model


def load_tokenizer(path: Path) -> Any:
    """The tokenizer of the text tower."""
    return _from_folder(load_transformers().AutoTokenizer, path)


def trained_frame_count(path: Path) -> int | None:
    """Number of evenly spread frames per window that the checkpoint was trained with; None: all."""
    processor = _from_folder(load_transformers().PeVideoVideoProcessor, path)
    return int(processor.num_frames) if processor.do_sample_frames else None


def tower_image_size(model: Any) -> int:
    """Side in pixels of the square images that a PE-AV takes. Raises ModelDamaged if they are not square."""
    height, width = _image_size(model)
    if height != width:
        raise ModelDamaged(f"the video tower takes images of {height}x{width} pixels: a square is expected.")
    return height


def tokenize(tokenizer: Any, texts: Sequence[str]) -> Any:
    """Texts as a padded batch with its attention mask. Thread-safe."""
    max_tokens = min(MAX_TEXT_TOKENS, tokenizer.model_max_length)
    with TOKENIZER_LOCK:
        return tokenizer(list(texts), padding=True, truncation=True, max_length=max_tokens, return_tensors="pt")


def _configuration(kind: Any, path: Path) -> Any:
    config = _from_folder(kind, path)
    if config.model_type != kind.model_type:
        raise ModelDamaged(f"{path} holds a model of type {config.model_type}, not {kind.model_type}.")
    return config


def _load(kind: Any, path: Path, config: Any) -> Any:
    model, report = _from_folder(kind, path, config=config, dtype=torch.float32, output_loading_info=True)
    if wrong := [key for what in ("missing_keys", "mismatched_keys") for key in report[what]]:
        raise ModelDamaged(
            f"{path}: {len(wrong)} weights missing or of another shape (first: {wrong[0]}): {remedy(path)}."
        )
    return model.eval()


def _from_folder(kind: Any, path: Path, **options: Any) -> Any:
    try:
        with suppress_output(), SkipParameterInit(), AvoidMetaTracing():
            return kind.from_pretrained(str(path), local_files_only=True, **options)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        reason = first_line(error)
        raise ModelDamaged(f"{path} cannot be loaded as {kind.__name__} ({reason}): {remedy(path)}.") from error


def _end_before_final_norm(model: Any) -> None:
    """Replace the text tower's final norm by the identity, which is right under every version of transformers."""
    model.text_model.final_norm = torch.nn.Identity()


def _restore_tower_width(config: Any) -> int:
    """Copy the tower's width from `num_classes`, where saving leaves it, to `num_labels`. Returns the width."""
    vision = config.audio_video_config.video_config.vision_config
    width = getattr(vision, "num_classes", None) or vision.num_labels
    if vision.num_labels != width:
        vision.num_labels = width
    return int(width)


def _image_size(model: Any) -> tuple[int, int]:
    """Height and width of the images that the video tower takes."""
    height, width = model.video_model.video_encoder.embedder.vision_model.timm_model.patch_embed.img_size
    return int(height), int(width)


def _check_hop(encoder: Any, path: Path) -> None:
    hop = encoder.config.dac_config.hop_length
    if hop != STEP_SAMPLES:
        raise ModelDamaged(f"{path}: a codec step is {hop} samples, not {STEP_SAMPLES}.")


def _share_towers(model: Any, path: Path) -> None:
    """Merge the two copies of each tower. Raises ModelDamaged if they hold different weights.

    A checkpoint holds one copy, tied on loading. One saved untied would give other vectors for a window with audio and
    video than for audio or video alone.
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
