"""The three models of the starter set: the real classes in small sizes."""

import math
from typing import Any

import torch
from torch import nn

from pesearch.encoders.lazy_imports import load_open_clip, load_transformers
from training.directions import DIMENSION
from training.pool import FRAME_PIXELS

WIDTH = DIMENSION  # of every tower of PE-AV and of every embedding
CODEC_WIDTH = 80
TEXT_LAYERS = 3
AUDIO_LAYERS = 3
VIDEO_LAYERS = 2
FUSION_LAYERS = 2
TOWER = {"hidden_size": WIDTH, "intermediate_size": 256, "num_attention_heads": 4, "head_dim": 32}
CORE_CONFIG = {
    "embed_dim": DIMENSION,
    "vision_cfg": {
        "image_size": FRAME_PIXELS,
        "timm_model_name": "vit_pe_core_starter_patch8_64",
        "timm_model_pretrained": False,
        "timm_pool": "map",
        "timm_proj": None,
    },
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 3},
    "custom_text": True,
}


def tiny_core() -> Any:
    """PE-Core as built by open_clip: `visual` (128-d, 64 pixels) and `text` (CLIP's BPE, 32 tokens)."""
    open_clip = load_open_clip()
    config = {name: CORE_CONFIG[name] for name in ("embed_dim", "vision_cfg", "text_cfg")}
    return open_clip.CustomTextCLIP(**config)


def tiny_audio_video(vocabulary: int) -> Any:
    """PE-AV: a PeAudioVideoModel with 128-d towers, embeddings and codec frames of 40 ms."""
    models = load_transformers()
    joint = models.PeAudioVideoEncoderConfig(
        audio_config=_audio(models), video_config=_video(models), num_hidden_layers=FUSION_LAYERS, **TOWER
    )
    config = models.PeAudioVideoConfig(text_config=_text(models, vocabulary), audio_video_config=joint)
    model = models.PeAudioVideoModel(config)
    _share_towers(model)
    return _initialise(model)


def tiny_frame_level(vocabulary: int) -> Any:
    """PE-A-Frame: a PeAudioFrameLevelModel with text and audio towers like PE-AV's."""
    models = load_transformers()
    config = models.PeAudioConfig(text_config=_text(models, vocabulary), audio_config=_audio(models))
    return _initialise(models.PeAudioFrameLevelModel(config))


def _share_towers(model: Any) -> None:
    """Share one text, audio and video tower among all their uses in the model, as in the saved file."""
    model.audio_model.text_model = model.video_model.text_model = model.text_model
    model.audio_video_encoder.embedder.audio_encoder = model.audio_model.audio_encoder
    model.audio_video_encoder.embedder.video_encoder = model.video_model.video_encoder


def _text(models: Any, vocabulary: int) -> Any:
    """ModernBERT over a WordPiece vocabulary whose first tokens are [PAD], [CLS] and [SEP]."""
    return models.ModernBertConfig(
        vocab_size=vocabulary,
        hidden_size=WIDTH,
        intermediate_size=192,
        num_hidden_layers=TEXT_LAYERS,
        num_attention_heads=4,
        max_position_embeddings=512,
        pad_token_id=0,
        cls_token_id=1,
        bos_token_id=1,
        sep_token_id=2,
        eos_token_id=2,
    )


def _audio(models: Any) -> Any:
    """Strides multiply to 1920 samples: 40 ms at 48 kHz, as in the real models."""
    codec = models.DacConfig(encoder_hidden_size=8, downsampling_ratios=[12, 8, 5, 4], codebook_dim=CODEC_WIDTH)
    return models.PeAudioEncoderConfig(dac_config=codec, num_hidden_layers=AUDIO_LAYERS, **TOWER)


def _video(models: Any) -> Any:
    """`num_labels` must be set as well as `num_classes`, or the tower silently has two outputs."""
    from pesearch.encoders.starter_tower import SIZES  # imports timm, which load_transformers has made possible

    tower = {
        "architecture": "vit_pe_core_tiny_patch16_384",
        "do_pooling": True,
        "global_pool": "map",
        "num_classes": DIMENSION,
        "num_labels": DIMENSION,
        "model_args": dict(SIZES),
    }
    return models.PeVideoEncoderConfig(vision_config=tower, num_hidden_layers=VIDEO_LAYERS, **TOWER)


def _initialise(model: Any) -> Any:
    """Weights of deviation 1 / sqrt(inputs), less in heads, so that embeddings start with norm 1.

    The library's deviation of 0.02 is made for wide layers and too small for narrow ones.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear | nn.Conv1d) and "vision_model" not in name:
            fan_in = module.weight[0].numel()
            residual = name.endswith(("o_proj", "down_proj", "Wo"))
            scale = 1 / math.sqrt(fan_in) if "_head." in name else 0.5 if residual else 1.0
            nn.init.normal_(module.weight, std=scale / math.sqrt(fan_in))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for name, parameter in model.named_parameters():
        if name.endswith("video_encoder.embedder.proj.weight"):
            nn.init.normal_(parameter)  # its input has norm 1 over 128 numbers
        elif name.endswith("class_embedding"):
            nn.init.normal_(parameter, std=0.5)
        elif name.endswith(("logit_scale", "logit_bias")):
            nn.init.constant_(parameter, 10.0 if name.endswith("scale") else -5.0)
    return model


def choose_device(name: str) -> torch.device:
    """The torch device; `auto` is a GPU when there is one."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)
