"""Checkpoints with random weights in the hub's format: tiny ones, and ones of the real `small` set's dimensions."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from pesearch.encoders.lazy_imports import load_open_clip, load_transformers, suppress_output
from pesearch.encoders.parameter_init import SkipParameterInit

WORDS = ["siren", "train", "bell", "dog", "rain", "and", "a", "the", "of", "heard", "loud", "at", "night"]
MAX_DRAWN = 1_000_003
"""Large tensors repeat this many random weights. The number is prime, so no two rows of a tensor are equal."""

CODEC_PARTS = ("embedder.dac_encoder.", "embedder.bottleneck.")
SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]


@dataclass(frozen=True, slots=True)
class Size:
    """Dimensions of a PE-AV: `layers` of the audio, video and fusion towers; `frames` per window."""

    text: dict[str, Any]
    tower: dict[str, Any]
    layers: tuple[int, int, int]
    codec: dict[str, Any]
    vision: dict[str, Any]
    image_size: int
    frames: int


TINY = Size(
    text={"vocab_size": 32, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3}
    | {"num_attention_heads": 2, "max_position_embeddings": 64}
    | {"pad_token_id": 0, "cls_token_id": 1, "bos_token_id": 1, "sep_token_id": 2, "eos_token_id": 2},
    tower={"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "head_dim": 16},
    layers=(2, 2, 2),
    codec={"encoder_hidden_size": 2, "downsampling_ratios": [2, 8, 10, 12], "codebook_dim": 16, "codebook_size": 64},
    vision={
        "architecture": "vit_pe_core_tiny_patch16_384",
        "model_args": {"embed_dim": 48, "img_size": (32, 32), "depth": 2, "num_heads": 3},
        "num_classes": 24,
    },
    image_size=32,
    frames=16,
)
SHARED_TINY = replace(TINY, vision={"architecture": "vit_pe_core_starter_patch8_64", "num_classes": 32}, image_size=64)
"""TINY with the image tower of `save_pe_core`."""

SMALL = Size(
    text={"hidden_size": 1024, "intermediate_size": 2624, "num_hidden_layers": 22, "num_attention_heads": 16},
    tower={"hidden_size": 768, "intermediate_size": 2048, "num_attention_heads": 6, "head_dim": 128},
    layers=(12, 4, 6),
    codec={"encoder_hidden_size": 64, "downsampling_ratios": [2, 8, 10, 12], "codebook_dim": 128},
    vision={"architecture": "vit_pe_core_large_patch14_336", "num_classes": 1024},
    image_size=336,
    frames=2,
)
"""`small` as released."""

SHALLOW = replace(
    SMALL,
    text=SMALL.text
    | {"num_hidden_layers": 1, "vocab_size": 64}
    | {name: TINY.text[name] for name in TINY.text if "_id" in name},
    layers=(1, 1, 1),
    vision=SMALL.vision | {"model_args": {"depth": 1}},
)
"""`small` in all widths, but with one layer per tower and a small vocabulary."""


def save_pe_av(size: Size, path: Path) -> Path:
    """A checkpoint as save_pretrained writes it, which loses the width of the video tower (`num_labels`)."""
    transformers = load_transformers()
    _save(transformers.PeAudioVideoModel, pe_av_config(size), path)
    transformers.PeAudioVideoProcessor(
        feature_extractor=transformers.PeAudioFeatureExtractor(),
        video_processor=transformers.PeVideoVideoProcessor(
            do_resize=True,
            do_rescale=True,
            do_normalize=True,
            size={"height": size.image_size, "width": size.image_size},
            do_sample_frames=True,
            num_frames=size.frames,
            image_mean=[0.5] * 3,
            image_std=[0.5] * 3,
        ),
        tokenizer=_tokenizer(),
    ).save_pretrained(path)
    return path


def pe_av_config(size: Size) -> Any:
    transformers = load_transformers()
    _, video, fusion = size.layers
    return transformers.PeAudioVideoConfig(
        text_config=transformers.ModernBertConfig(**size.text),
        audio_video_config=transformers.PeAudioVideoEncoderConfig(
            audio_config=_audio_config(size),
            video_config=transformers.PeVideoEncoderConfig(
                vision_config=transformers.TimmWrapperConfig(
                    global_pool="map", num_labels=size.vision["num_classes"], **size.vision
                ),
                num_hidden_layers=video,
                **size.tower,
            ),
            num_hidden_layers=fusion,
            **size.tower,
        ),
    )


def pe_a_frame_config(size: Size) -> Any:
    transformers = load_transformers()
    return transformers.PeAudioConfig(
        text_config=transformers.ModernBertConfig(**size.text), audio_config=_audio_config(size)
    )


def save_pe_a_frame(size: Size, path: Path) -> Path:
    transformers = load_transformers()
    _save(transformers.PeAudioFrameLevelModel, pe_a_frame_config(size), path)
    extractor = transformers.PeAudioFeatureExtractor()
    transformers.PeAudioProcessor(feature_extractor=extractor, tokenizer=_tokenizer()).save_pretrained(path)
    return path


def save_pe_core(path: Path, name: str | None = None, text_layers: int | None = None) -> Path:
    """An open_clip folder: a known architecture, or the starter's image tower with a tiny text tower."""
    from safetensors.torch import save_file

    open_clip = load_open_clip()
    config = open_clip.get_model_config(name or "PE-Core-T-16-384")
    if name is None:
        config |= {"embed_dim": 32}
        config["vision_cfg"] |= {"timm_model_name": "vit_pe_core_starter_patch8_64", "image_size": 64}
        config["text_cfg"] |= {"width": 32, "heads": 2, "layers": 2}
    if text_layers is not None:
        config["text_cfg"] |= {"layers": text_layers}
    path.mkdir(parents=True)
    preprocessing = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
    content = {"model_cfg": config, "preprocess_cfg": preprocessing}
    (path / "open_clip_config.json").write_text(json.dumps(content))
    with suppress_output(), SkipParameterInit() if name else nullcontext():
        model = open_clip.create_model(f"local-dir:{path}")
    for key, parameter in model.named_parameters() if name else ():
        _randomise(key, parameter)
    weights = {key: value.contiguous() for key, value in model.state_dict().items()}
    save_file(weights, path / "open_clip_model.safetensors")
    return path


def save_shared_set(size: Size, core: str | None, folder: Path) -> Path:
    """pe_core/, pe_av/ and pe_a_frame/ as the real sets are expected to be: PE-Core has PE-AV's image tower, and
    PE-A-Frame its codec. `core` is the `name` for `save_pe_core`."""
    windows = save_pe_av(size, folder / "pe_av") / "model.safetensors"
    frames = save_pe_core(folder / "pe_core", core) / "open_clip_model.safetensors"
    events = save_pe_a_frame(size, folder / "pe_a_frame") / "model.safetensors"
    _copy_weights(windows, frames, _of_tower)
    _copy_weights(windows, events, _of_codec)
    return folder


def _copy_weights(source: Path, target: Path, part: Callable[[str], str | None]) -> None:
    """Replaces tensors of `target` by those of `source` of the same shape that `part` maps to the same name; None: not
    of the part."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    weights = load_file(target)
    wanted = {called: name for name in weights if (called := part(name)) is not None}
    with safe_open(source, "pt") as theirs:
        names = theirs.keys()
        found = {called: name for name in names if (called := part(name)) is not None}
        copies = {name: theirs.get_tensor(found[called]) for called, name in wanted.items() if called in found}
        weights |= {name: copy for name, copy in copies.items() if copy.shape == weights[name].shape}
    save_file(weights, target, metadata={"format": "pt"})


def _of_tower(name: str) -> str | None:
    _, found, rest = name.replace("visual.trunk.", "timm_model.").partition("timm_model.")
    return rest if found else None


def _of_codec(name: str) -> str | None:
    return next((name[name.index(part) :] for part in CODEC_PARTS if part in name), None)


def _audio_config(size: Size) -> Any:
    transformers = load_transformers()
    codec = transformers.DacConfig(**size.codec)
    return transformers.PeAudioEncoderConfig(dac_config=codec, num_hidden_layers=size.layers[0], **size.tower)


def _save(kind: Any, config: Any, path: Path) -> None:
    from transformers.initialization import no_init_weights

    torch.manual_seed(crc32(kind.__name__.encode()))  # no two models share weights
    with suppress_output():
        with no_init_weights(), SkipParameterInit():
            model = kind(config)
        model.tie_weights()
        for name, parameter in model.named_parameters():
            _randomise(name, parameter)
        model.save_pretrained(path)


@torch.no_grad()
def _randomise(name: str, parameter: torch.nn.Parameter) -> None:
    """Weights that make every part matter: transformers' own initial values would hide norms, scales and biases."""
    if name.endswith("logit_scale"):
        parameter.fill_(0.1)
    elif name.endswith("logit_bias"):
        parameter.fill_(-0.5)
    elif parameter.ndim < 2:
        parameter.normal_(1.0, 0.1) if "norm" in name or "alpha" in name else parameter.normal_(0.0, 0.1)
    else:
        std, numbers = 1.0 / math.sqrt(parameter[0].numel()), parameter.numel()
        drawn = torch.empty(min(numbers, MAX_DRAWN)).normal_(std=std)
        parameter.copy_(drawn.repeat(-(-numbers // len(drawn)))[:numbers].view_as(parameter))


def _tokenizer() -> Any:
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(SPECIAL + WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    names = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    return load_transformers().PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=512, **names)
