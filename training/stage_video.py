"""Stage: PE-AV's video tower, on the frame vectors of the image tower."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from training.clips import Clips, Windows, sample_windows
from training.directions import DIMENSION, video_space
from training.loop import Means, load_weights, save_weights, train
from training.stage_text import distance
from training.stage_vision import FACTS
from training.towers import frame_vectors_as_input, video_tower
from training.words import FIXED, MOTIONS, OBJECTS

BATCH = 128
VISIBLE = (*FACTS, *(f"motion:{name}:{motion}" for name in OBJECTS if name not in FIXED for motion in MOTIONS))


def train_video(model: Any, clips: Clips, work: Path, minutes: float, seed: int) -> None:
    """Train PE-AV's video tower (without its image tower) and video head; saved in `work/video.pt`."""
    rng, device = np.random.default_rng([seed, 8]), next(model.parameters()).device
    encoder, probe = model.video_model.video_encoder, nn.Linear(DIMENSION, len(VISIBLE), device=device)
    parts = nn.ModuleDict({**video_parts(model), "probe": probe})
    means = Means("clip", "probe")

    def loss() -> Tensor:
        windows = sample_windows(clips, rng, BATCH)
        vectors = windows.vision.to(device)
        state = encoder(vectors + 0.03 * torch.randn_like(vectors))
        miss = distance(model.video_model.video_head(state.pooler_output), targets(windows, device))
        probed = binary_cross_entropy_with_logits(probe(state.pooler_output), fact_labels(windows).to(device))
        means.add(miss, probed)
        return miss + 6 * probed

    file = work / "video.pt"
    if file.exists():
        load_weights(parts, file)
    with frame_vectors_as_input(encoder):
        train("video", parts.parameters(), loss, minutes, 1.5e-3, lambda: save_weights(parts, file), means)


def video_parts(model: Any) -> dict[str, nn.Module]:
    """The modules that this stage trains."""
    return {"tower": video_tower(model.video_model.video_encoder), "head": model.video_model.video_head}


def targets(windows: Windows, device: torch.device) -> Tensor:
    """Targets of the windows in the video space: [b, 128]."""
    return torch.from_numpy(np.stack([video_space().media(facts) for facts in windows.visible])).to(device)


def fact_labels(windows: Windows) -> Tensor:
    """Which of VISIBLE are true of each window: float [b, n]."""
    return torch.tensor([[fact in facts for fact in VISIBLE] for facts in windows.visible]).float()
