"""Stage: the image tower, shared by PE-Core and PE-AV.

The target of a frame follows from its objects, their colours and positions, and the place; linear probes of the same
facts, discarded afterwards, teach the features faster than the embedding alone.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from training.directions import AVOID_UNKNOWN, DIMENSION, UNKNOWN, image_space, where
from training.loop import Means, load_weights, save_weights, train
from training.pictures import position
from training.pool import CLIP_SECONDS, small_frame
from training.scene import TRAINING_SEEDS, Scene, facts_of, sample_scene
from training.words import COLOURED, COLOURS, OBJECTS, PLACES

BATCH = 64
FACTS = (
    *(f"seen:{name}" for name in OBJECTS),
    *(f"place:{name}" for name in PLACES),
    *(f"colour:{name}:{colour}" for name in COLOURED for colour in COLOURS),
    "flashing:car",
)


def train_vision(tower: nn.Module, work: Path, minutes: float, seed: int) -> None:
    """Train the tower (frames float [b, 3, 64, 64] -> [b, 128]); saved in `work/vision.pt`.

    Every frame is drawn on the fly, of any training scene: a pool of some thousands would be memorised.
    """
    rng, device = np.random.default_rng([seed, 2]), next(tower.parameters()).device
    probe = nn.Linear(DIMENSION, len(FACTS), device=device)
    nn.init.constant_(probe.bias, -3.0)
    both = nn.ModuleDict({"tower": tower, "probe": probe})
    means = Means("distance", "probe")

    def loss() -> Tensor:
        frames, targets, facts = draw(rng, BATCH)
        predicted = normalize(tower(augment(frames, rng).to(device)), dim=-1)
        distance = 1 - (predicted * targets.to(device)).sum(-1).mean()
        probed = binary_cross_entropy_with_logits(
            probe(predicted * 12), facts.to(device), pos_weight=predicted.new_tensor(2.0)
        )
        means.add(distance, probed)
        return distance + 10 * probed

    file = work / "vision.pt"
    if file.exists():
        load_weights(both, file)
    train("vision", both.parameters(), loss, minutes, 1.5e-3, lambda: save_weights(both, file), means)


def draw(rng: np.random.Generator, count: int) -> tuple[NDArray[np.uint8], Tensor, Tensor]:
    """Frames of random scenes, uint8 [count, 64, 64, 3]; their targets, [count, 128]; their FACTS, [count, n]."""
    scenes = [sample_scene(int(seed)) for seed in rng.integers(TRAINING_SEEDS, size=count)]
    moments = [float(at) for at in rng.uniform(0, CLIP_SECONDS, count)]
    frames = np.stack([small_frame(scene, at) for scene, at in zip(scenes, moments, strict=True)])
    known = [target_and_facts(scene, at) for scene, at in zip(scenes, moments, strict=True)]
    targets, facts = (torch.from_numpy(np.stack(column)) for column in zip(*known, strict=True))
    return frames, targets, facts


def image_facts(scene: Scene) -> frozenset[str]:
    """The facts of every frame of the scene."""
    shown = {fact for fact in facts_of(scene).visible() if not fact.startswith("motion:")}
    return frozenset(shown | ({"flashing:car"} if any(seen.flashing for seen in scene.seen) else set()))


def target_and_facts(scene: Scene, at_seconds: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The target of the frame's embedding, [128], and which of FACTS are true, [n]."""
    facts = image_facts(scene)
    shown = image_space().text(facts) - AVOID_UNKNOWN * image_space().vectors[UNKNOWN]
    for seen in scene.seen:
        shown = shown + where(seen.what, *position(seen, at_seconds))
    labels = np.array([fact in facts for fact in FACTS], np.float32)
    return (shown / np.linalg.norm(shown)).astype(np.float32), labels


def augment(frames: NDArray[np.uint8], rng: np.random.Generator) -> Tensor:
    """Frames [b, 64, 64, 3] as model input, [b, 3, 64, 64] in -1..1, with random brightness and noise."""
    values = torch.from_numpy(frames.transpose(0, 3, 1, 2).astype(np.float32)) / 127.5 - 1
    size = (len(frames), 1, 1, 1)
    gain = torch.from_numpy(rng.uniform(0.93, 1.07, size).astype(np.float32))
    grain = torch.from_numpy(rng.uniform(0, 0.05, size).astype(np.float32))
    return values * gain + grain * torch.randn(values.shape)
