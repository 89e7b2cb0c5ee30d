"""Stage: the image tower, shared by PE-Core and PE-AV.

A frame's embedding is to lie where its objects, their colours, the place and the objects' positions put it; linear
probes of the same facts, thrown away afterwards, teach the features faster than the embedding alone.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, normalize

from training.directions import AVOID_UNKNOWN, DIMENSION, UNKNOWN, image_space, where
from training.loop import load_weights, save_weights, train
from training.pictures import position
from training.pool import FRAME_TIMES, Pool
from training.scene import Scene, facts_of
from training.words import COLOURED, COLOURS, OBJECTS, PLACES

BATCH = 64
FACTS = (
    *(f"seen:{name}" for name in OBJECTS),
    *(f"place:{name}" for name in PLACES),
    *(f"colour:{name}:{colour}" for name in COLOURED for colour in COLOURS),
    "flashing:car",
)


def train_vision(tower: nn.Module, pool: Pool, work: Path, minutes: float, seed: int) -> None:
    """Trains the tower (frames float [b, 3, 64, 64] -> [b, 128]), keeping the result in `work/vision.pt`."""
    rng, device = np.random.default_rng([seed, 2]), next(tower.parameters()).device
    probe = nn.Linear(DIMENSION, len(FACTS), device=device)
    nn.init.constant_(probe.bias, -3.0)
    both = nn.ModuleDict({"tower": tower, "probe": probe})
    known: dict[int, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}
    seen = {"cosine": 0.0, "probe": 0.0}

    def loss() -> Tensor:
        rows = rng.choice(pool.rows(), BATCH)
        moments = rng.integers(0, len(FRAME_TIMES), BATCH)
        for row in rows:
            known.setdefault(int(row), truths(pool.scene(int(row))))
        wanted = torch.from_numpy(np.stack([known[int(r)][0][m] for r, m in zip(rows, moments, strict=True)])).to(device)
        facts = torch.from_numpy(np.stack([known[int(r)][1] for r in rows])).to(device)
        told = normalize(tower(worn(pool.frames[rows, moments], rng).to(device)), dim=-1)
        apart = 1 - (told * wanted).sum(-1).mean()
        probed = binary_cross_entropy_with_logits(probe(told * 12), facts, pos_weight=facts.new_tensor(2.0))
        seen["cosine"] += 0.02 * (1 - apart.item() - seen["cosine"])
        seen["probe"] += 0.02 * (probed.item() - seen["probe"])
        return apart + 10 * probed

    file = work / "vision.pt"
    if file.exists():
        load_weights(both, file)
    report = lambda: " ".join(f"{name} {value:.3f}" for name, value in seen.items())  # noqa: E731
    train("vision", both.parameters(), loss, minutes, 2e-3, lambda: save_weights(both, file), report)


def image_facts(scene: Scene) -> frozenset[str]:
    """What every frame of the scene shows."""
    shown = {fact for fact in facts_of(scene).visible() if not fact.startswith("motion:")}
    return frozenset(shown | ({"flashing:car"} if any(seen.flashing for seen in scene.seen) else set()))


def truths(scene: Scene) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each frame's embedding belongs, [7, 128], and which of FACTS hold, [n]."""
    facts = image_facts(scene)
    shown = image_space().text(facts)
    leaning = AVOID_UNKNOWN * image_space().vectors[UNKNOWN]
    places = [[where(seen.what, *position(seen, at)) for seen in scene.seen] for at in FRAME_TIMES]
    vectors = np.stack([shown - leaning + np.sum(vectors, axis=0) for vectors in places])
    held = np.array([fact in facts for fact in FACTS], np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), held


def worn(frames: NDArray[np.uint8], rng: np.random.Generator) -> Tensor:
    """Frames [b, 64, 64, 3] as models take them, [b, 3, 64, 64] in -1..1, a little noisy and brighter or darker."""
    values = torch.from_numpy(frames.transpose(0, 3, 1, 2).astype(np.float32)) / 127.5 - 1
    size = (len(frames), 1, 1, 1)
    gain = torch.from_numpy(rng.uniform(0.93, 1.07, size).astype(np.float32))
    grain = torch.from_numpy(rng.uniform(0, 0.05, size).astype(np.float32))
    return values * gain + grain * torch.randn(values.shape)
