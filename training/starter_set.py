"""The models of the starter set, assembled from the weights that the stages saved in the work folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.loop import load_weights
from training.stage_audio import audio_parts
from training.stage_codec import codec_parts
from training.stage_events import start_from
from training.stage_fusion import fusion_parts
from training.stage_text import text_towers
from training.stage_video import video_parts
from training.tiny_models import tiny_audio_video, tiny_core, tiny_frame_level
from training.tokenizer import kept_tokenizer


@dataclass(frozen=True, slots=True)
class StarterSet:
    """PE-Core, PE-AV and PE-A-Frame with PE-AV's tokenizer; their text towers have no final norm (see stage_text)."""

    core: Any
    audio_video: Any
    frame_level: Any
    tokenizer: Any

    @property
    def codec(self) -> Any:
        """The embedder of PE-AV's audio tower, which contains the codec."""
        return self.audio_video.audio_model.audio_encoder.embedder

    @property
    def vision(self) -> nn.Module:
        """PE-Core's image tower."""
        trunk: nn.Module = self.core.visual.trunk
        return trunk


def build(seed: int, device: torch.device, work: Path) -> StarterSet:
    """Untrained models from a seed, with the work folder's tokenizer."""
    torch.manual_seed(seed)
    tokenizer = kept_tokenizer(work / "tokenizer", seed)
    models = tiny_core(), tiny_audio_video(len(tokenizer)), tiny_frame_level(len(tokenizer))
    for model in models:
        model.to(device)
    return StarterSet(*models, tokenizer)


def load_stages(starter: StarterSet, work: Path) -> StarterSet:
    """Load the weights that the stages have saved so far."""
    model, frame_level = starter.audio_video, starter.frame_level
    image_tower = model.video_model.video_encoder.embedder.vision_model.timm_model
    parts = {
        "codec": codec_parts(starter.codec),
        "vision": nn.ModuleDict({"tower": starter.vision}),
        "text": text_towers(model),
        "core_text": starter.core.text,
        "audio": nn.ModuleDict(audio_parts(model, frame_level)),
        "video": nn.ModuleDict(video_parts(model)),
        "fusion": nn.ModuleDict(fusion_parts(model)),
    }
    for name, part in parts.items():
        if (file := work / f"{name}.pt").exists():
            load_weights(part, file)
    image_tower.load_state_dict(starter.vision.state_dict())
    frame_level.text_model.final_norm = nn.Identity()
    start_from(frame_level, model)
    if (file := work / "events.pt").exists():
        load_weights(frame_level, file)
    return starter
