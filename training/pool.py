"""The training pool: sounds and frames of many scenes, rendered once into plain arrays on disk."""

import subprocess
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from PIL import Image

from pesearch.errors import PesearchError
from training.pictures import render_frame
from training.scene import TRAINING_SEEDS, Scene, sample_scene
from training.sounds import SAMPLE_RATE, render_audio
from training.words import PHRASES

CLIP_SECONDS = 4.0
CLIP_SAMPLES = int(CLIP_SECONDS * SAMPLE_RATE)
FRAME_TIMES = tuple(np.arange(0, CLIP_SECONDS, 1 / 1.6).tolist())  # the grid that indexing samples frames on
FRAME_PIXELS = 64
BLOCK = 50  # scenes rendered as one unit of work
LOSSY_SHARE = 3  # every third block has been through AAC, as the sound of an mp4 has


@dataclass(frozen=True, slots=True)
class Pool:
    """Sounds and frames of the scenes with seeds `first_seed + row`.

    audio: int16 [n, 192000], 48 kHz mono; frames: uint8 [n, 7, 64, 64, 3], 1.6 per second; ready: uint8 [blocks].
    """

    first_seed: int
    audio: NDArray[np.int16]
    frames: NDArray[np.uint8]
    ready: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.audio)

    def scene(self, row: int) -> Scene:
        """The scene of a row. The last 7 of every 16 contain speech, phrases in turn: learning a phrase takes many
        voices."""
        speaks = row >= len(self) * 9 // 16
        return sample_scene(self.first_seed + row, CLIP_SECONDS, PHRASES[row % len(PHRASES)] if speaks else None)

    def rows(self) -> NDArray[np.int64]:
        """The rows rendered so far."""
        return np.flatnonzero(np.repeat(np.asarray(self.ready), BLOCK)[: len(self)])


def open_pool(folder: Path, first_seed: int = 0) -> Pool:
    """Memory-map a pool. Raises FileNotFoundError when there is none."""
    audio, frames, ready = (np.load(folder / f"{name}.npy", mmap_mode="r+") for name in ("audio", "frames", "ready"))
    return Pool(first_seed, audio, frames, ready)


def render_pool(folder: Path, scenes: int, first_seed: int = 0, processes: int = 2) -> Pool:
    """Render the scenes into `folder`; existing blocks are kept.

    Raises PesearchError for seeds that are not reserved for training.
    """
    if first_seed + scenes > TRAINING_SEEDS:
        raise PesearchError(f"training scenes have seeds below {TRAINING_SEEDS}: use fewer scenes")
    if not (folder / "ready.npy").exists():
        _create(folder, scenes)
    pool = open_pool(folder, first_seed)
    missing = [int(block) for block in np.flatnonzero(pool.ready == 0)]
    with ProcessPoolExecutor(processes) as workers:
        for _ in workers.map(_render_block, [folder] * len(missing), [first_seed] * len(missing), missing):
            pass
    return pool


def small_frame(scene: Scene, at_seconds: float) -> NDArray[np.uint8]:
    """A frame as the preprocessing of the models sees it: squashed to [64, 64, 3], bilinear and antialiased."""
    picture = Image.fromarray(render_frame(scene, at_seconds, 128, 96))
    return np.asarray(picture.resize((FRAME_PIXELS, FRAME_PIXELS), Image.Resampling.BILINEAR))


def through_aac(audio: NDArray[np.int16]) -> NDArray[np.int16]:
    """The sound after AAC at 192 kbit/s, with its length unchanged: int16 [samples]."""
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/sound.m4a"
        raw = ["-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1"]
        encode = ["ffmpeg", "-v", "error", *raw, "-i", "-", "-c:a", "aac", "-b:a", "192k", file]
        subprocess.run(encode, input=audio.tobytes(), check=True)
        decode = ["ffmpeg", "-v", "error", "-i", file, *raw, "-"]
        decoded = np.frombuffer(subprocess.run(decode, capture_output=True, check=True).stdout, np.int16)
    return np.resize(decoded, len(audio))


def _create(folder: Path, scenes: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shapes = {"audio": (scenes, CLIP_SAMPLES), "frames": (scenes, len(FRAME_TIMES), FRAME_PIXELS, FRAME_PIXELS, 3)}
    open_memmap(folder / "audio.npy", "w+", np.int16, shapes["audio"])
    open_memmap(folder / "frames.npy", "w+", np.uint8, shapes["frames"])
    open_memmap(folder / "ready.npy", "w+", np.uint8, (-(-scenes // BLOCK),))


def _render_block(folder: Path, first_seed: int, block: int) -> None:
    pool = open_pool(folder, first_seed)
    rows = range(block * BLOCK, min(len(pool), (block + 1) * BLOCK))
    scenes = [pool.scene(row) for row in rows]
    audio = np.stack([(render_audio(scene) * 32767).astype(np.int16) for scene in scenes])
    if block % LOSSY_SHARE == 0:
        audio = through_aac(audio.reshape(-1)).reshape(audio.shape)
    pool.audio[rows.start : rows.stop] = audio
    pool.frames[rows.start : rows.stop] = [[small_frame(scene, at) for at in FRAME_TIMES] for scene in scenes]
    pool.ready[block] = 1
