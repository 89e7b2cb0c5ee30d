"""PE-AV's towers on cached features, so that a training step runs neither the codec nor the image tower."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn


class Cached(nn.Module):
    """Replaces the embedder of an encoder, and takes its output in place of samples or pixels."""

    def __init__(self, *projections: nn.Module) -> None:
        super().__init__()
        self.project = nn.Sequential(*projections)

    def forward(self, values: Tensor, padding_mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        return self.project(values), padding_mask


@contextmanager
def codec_features_as_input(audio_encoder: Any) -> Iterator[None]:
    """Inside, the audio encoder takes codec features [b, t, 80] instead of a waveform."""
    embedder = audio_encoder.embedder
    audio_encoder.embedder = Cached(embedder.data_proj)
    try:
        yield
    finally:
        audio_encoder.embedder = embedder


@contextmanager
def frame_vectors_as_input(video_encoder: Any) -> Iterator[None]:
    """Inside, the video encoder takes normalised frame vectors [b, f, 128] instead of pixels."""
    embedder = video_encoder.embedder
    video_encoder.embedder = Cached(embedder.proj, embedder.data_proj)
    try:
        yield
    finally:
        video_encoder.embedder = embedder


def audio_tower(audio_encoder: Any) -> nn.ModuleDict:
    """An audio encoder without its codec, which is frozen."""
    return _without(audio_encoder, {"data_proj": audio_encoder.embedder.data_proj})


def video_tower(video_encoder: Any) -> nn.ModuleDict:
    """A video encoder without its image tower, which is frozen."""
    embedder = video_encoder.embedder
    return _without(video_encoder, {"proj": embedder.proj, "data_proj": embedder.data_proj})


def _without(encoder: Any, projections: dict[str, nn.Module]) -> nn.ModuleDict:
    parts = {name: child for name, child in encoder.named_children() if name not in ("embedder", "rotary_emb")}
    return nn.ModuleDict({**parts, **projections})
