"""The pool as input of PE-AV's towers: codec features and frame vectors of each clip, and its facts over time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import normalize

from training.pool import CLIP_SECONDS, FRAME_TIMES, Pool
from training.scene import Scene, facts_of
from training.sounds import render_audio
from training.stage_codec import HOP, encode
from training.stage_vision import augment, image_facts
from training.words import PHRASES, SOUNDS

FRAMES_PER_SECOND = 25
CLIPS_PER_BACKGROUND = 4
CLIP_FRAMES = int(CLIP_SECONDS * FRAMES_PER_SECOND)
AUDIBLE = (*(f"heard:{name}" for name in SOUNDS), *(f"said:{phrase}" for phrase in PHRASES))
MAX_FRAMES = 250  # in a window of 10 s
MAX_PICTURES = 16  # in a window of 10 s
MIN_HEARD_SHARE = 0.6  # of an event, or one second of it, is in a window that contains the event

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clips:
    """codec: float16 [n, 100, 80]; vision: float16 [n, 7, 128], norm 1; active: bool [n, 100, 63] by AUDIBLE.

    background: float16 [m, 100, 80], codec features of clips in which nothing sounds.
    """

    codec: NDArray[np.float16]
    background: NDArray[np.float16]
    vision: NDArray[np.float16]
    active: NDArray[np.bool_]
    visible: tuple[frozenset[str], ...]

    def __len__(self) -> int:
        return len(self.codec)


@dataclass(frozen=True, slots=True)
class Windows:
    """A batch of windows. codec: [b, t, 80]; vision: [b, f, 128]; active: [b, t, 63]; facts of each window."""

    codec: torch.Tensor
    vision: torch.Tensor
    active: torch.Tensor
    audible: tuple[frozenset[str], ...]
    visible: tuple[frozenset[str], ...]


def cache_codec(pool: Pool, embedder: Any, work: Path) -> None:
    """Write the codec features of every rendered clip to `work/codec_features.npy` and their rows to `codec_rows.npy`.

    The features of the background alone, of every CLIPS_PER_BACKGROUND-th clip, go to `background_features.npy`.
    """
    rows = pool.rows()
    np.save(work / "codec_rows.npy", rows)
    np.save(work / "codec_features.npy", _codec_features(rows, lambda row: pool.audio[row], embedder))
    quiet = rows[::CLIPS_PER_BACKGROUND]
    np.save(work / "background_features.npy", _codec_features(quiet, lambda row: _background(pool, row), embedder))


def _codec_features(
    rows: NDArray[np.int64], samples_of: Callable[[int], NDArray[np.int16]], embedder: Any
) -> NDArray[np.float16]:
    device = next(embedder.parameters()).device
    features = np.zeros((len(rows), CLIP_FRAMES, embedder.bottleneck.out_channels), np.float16)
    with torch.inference_mode():
        for at in range(0, len(rows), 8):
            samples = np.stack([samples_of(int(row)) for row in rows[at : at + 8]])
            wave = torch.from_numpy(samples.astype(np.float32) / 32768).to(device)
            features[at : at + 8] = encode(embedder, wave).cpu().numpy()
    return features


def _background(pool: Pool, row: int) -> NDArray[np.int16]:
    return (render_audio(replace(pool.scene(row), heard=(), said=())) * 32767).astype(np.int16)


def cache_vision(pool: Pool, tower: nn.Module, work: Path) -> None:
    """Write the normalised frame vectors of every clip to `work/vision_features.npy`."""
    rng, device = np.random.default_rng(6), next(tower.parameters()).device
    vectors = np.zeros((len(pool), len(FRAME_TIMES), 128), np.float16)
    tower.eval()
    with torch.inference_mode():
        for row in pool.rows():
            frames = augment(pool.frames[row], rng).to(device)
            vectors[row] = normalize(tower(frames), dim=-1).cpu().numpy()
    tower.train()
    np.save(work / "vision_features.npy", vectors)


def open_clips(pool: Pool, work: Path) -> Clips:
    """The cached features with the facts of their scenes."""
    names = ("codec_rows", "codec_features", "background_features", "vision_features")
    rows, codec, background, vision = (np.load(work / f"{name}.npy") for name in names)
    scenes = [pool.scene(int(row)) for row in rows]
    active = np.stack([active_frames(scene) for scene in scenes])
    return Clips(codec, background, vision[rows], active, tuple(visible_facts(scene) for scene in scenes))


def visible_facts(scene: Scene) -> frozenset[str]:
    """Everything that the scene shows, with motions and whether a light flashes."""
    return facts_of(scene).visible() | image_facts(scene)


def active_frames(scene: Scene) -> NDArray[np.bool_]:
    """Which of AUDIBLE are active in each 40 ms: bool [frames, 63]. The middle of a frame decides."""
    middles = (np.arange(round(scene.duration_seconds * FRAMES_PER_SECOND)) + 0.5) * HOP / 48_000
    active = np.zeros((len(middles), len(AUDIBLE)), bool)
    spans = [(f"heard:{heard.what}", heard.start_seconds, heard.end_seconds) for heard in scene.heard]
    for said in scene.said:
        spans += [(fact, said.start_seconds, said.end_seconds) for fact in ("heard:speech", f"said:{said.text}")]
    for fact, start, end in spans:
        active[:, AUDIBLE.index(fact)] |= (middles >= start) & (middles < end)
    return active


def sample_windows(
    clips: Clips, rng: np.random.Generator, count: int, noise: float = 0.25, quiet_share: float = 0.0
) -> Windows:
    """Windows of one length: usually `count` single clips, else fewer that join several clips (up to 10 s).

    In `quiet_share` of the clips the sound is background only; their pictures stay.
    """
    joined = int(rng.choice([1, 2, 3], p=[0.7, 0.15, 0.15]))
    count = max(1, count // joined)
    max_length = min(joined * CLIP_FRAMES, MAX_FRAMES)
    length = max_length if joined == 1 else int(rng.integers(max_length - 50, max_length + 1))
    pictures = min(joined * len(FRAME_TIMES), round(length / FRAMES_PER_SECOND * 1.6) + (joined == 1), MAX_PICTURES)
    rows = rng.integers(len(clips), size=(count, joined))
    codec, active = _heard(clips, rows, rng.random(rows.shape) < quiet_share, rng)
    vision = clips.vision[rows].reshape(count, -1, clips.vision.shape[-1])[:, :pictures].astype(np.float32)
    start = int(rng.integers(codec.shape[1] - length + 1))
    window = slice(start, start + length)
    codec = codec[:, window] + rng.uniform(0, noise) * rng.standard_normal((count, length, codec.shape[-1]), np.float32)
    return Windows(
        torch.from_numpy(codec),
        torch.from_numpy(vision),
        torch.from_numpy(active[:, window].astype(np.float32)),
        tuple(_audible(whole, whole[window]) for whole in active),
        tuple(_visible([clips.visible[row] for row in row_set], pictures) for row_set in rows),
    )


def _heard(
    clips: Clips, rows: NDArray[np.int64], quiet: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Floats, NDArray[np.bool_]]:
    """Codec features and AUDIBLE of joined clips: [count, joined * 100, ...]."""
    codec, active = clips.codec[rows].astype(np.float32), clips.active[rows]
    codec[quiet] = clips.background[rng.integers(len(clips.background), size=int(quiet.sum()))]
    active[quiet] = False
    return codec.reshape(len(rows), -1, codec.shape[-1]), active.reshape(len(rows), -1, len(AUDIBLE))


def _audible(whole: NDArray[np.bool_], part: NDArray[np.bool_]) -> frozenset[str]:
    total, inside = whole.sum(0), part.sum(0)
    contained = (inside > 0) & ((inside >= MIN_HEARD_SHARE * total) | (inside >= FRAMES_PER_SECOND))
    return frozenset(AUDIBLE[index] for index in np.flatnonzero(contained))


def _visible(clips: list[frozenset[str]], pictures: int) -> frozenset[str]:
    """Facts of the clips of which at least three pictures are in the window."""
    shown = [facts for index, facts in enumerate(clips) if pictures - index * len(FRAME_TIMES) >= 3]
    return frozenset().union(*shown)
