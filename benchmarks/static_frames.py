"""Static frames: which frames of generated films are taken for the last encoded one, and whether something is missed.

    python -m benchmarks.static_frames [--tower]

Films of 1280x720 and 7 s in H.264, at CRF 18 and 26, sampled as by the indexer: objects of 4 to 64 pixels that appear
or move, changing text of 9 to 40 pixels, fades and noise, on a textured, a dark and a grey ground and a page of text.
Reported for towers of 224 and 336 pixels: frames that are not encoded, and those of them that are on the other side of
a change of the film. `--tower` adds the least cosine of such a frame to the one encoded in its place, by a random
PE-Core-B of real size (some minutes). JSON lines on stdout, a table on stderr.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from benchmarks.figures import Finding, Row, report, this_machine
from benchmarks.pictures import natural_grey
from pesearch.encoders.image_tower import resize_like_open_clip
from pesearch.encoders.io_types import ResizedFrame
from pesearch.encoders.lazy_imports import load_open_clip
from pesearch.indexer.static_frames import StaticFrames
from pesearch.media.video import read_frames
from pesearch.timeline import grid
from pesearch.types import ImageArray

WIDTH, HEIGHT, RATE, SECONDS = 1280, 720, 4, 7
SIZES = (224, 336)
CRFS = ("18", "26")
_TIMES: list[float] = grid(0, SECONDS).tolist()

Paint = Callable[[Image.Image, float], Image.Image]


@dataclass(frozen=True, slots=True)
class Film:
    """What is painted over a ground at each time, which changes every `period_seconds`."""

    name: str
    ground: Image.Image
    paint: Paint
    period_seconds: float


@dataclass(frozen=True, slots=True)
class Reused:
    """All films as one tower sees them; `missed` counts the reused frames of each film beyond one of its changes."""

    part: str
    size: int
    frames: int
    reused: int
    missed: dict[str, int]
    least_cosine: float | None

    def rows(self) -> Iterator[Row]:
        """Frames that are not encoded, and those that should have been."""
        yield Row(f"{self.size} pixels: frames not encoded", f"{self.reused} of {self.frames}")
        missed = ", ".join(f"{film} {count}" for film, count in self.missed.items())
        yield Row("  of them beyond a change", missed or "0", "0 from 12 pixels")
        if self.least_cosine is not None:
            yield Row("  least cosine to the frame encoded", f"{self.least_cosine:.6f}", ">= 0.995")


def films() -> Iterator[Film]:
    """Each kind of change on each ground."""
    random = np.random.default_rng(3)
    for name, ground in _grounds(random).items():
        yield Film(f"still {name}", ground, lambda image, seconds: image, SECONDS)
        for size, levels in ((4, 120), (8, 60), (16, 20), (32, 10), (64, 5)):
            yield Film(f"appears {size} {name}", ground, _appearing(size, levels), 4)
        for size in (9, 12, 16, 24, 40):
            yield Film(f"text {size} {name}", ground, _text(size), 1)
        yield Film(f"moves 12 {name}", ground, _appearing(12, 80, speed=60), 1)
        yield Film(f"fade {name}", ground, lambda image, seconds: image.point(lambda v: v * (1 - seconds / 20)), 1)
        for deviation in (1, 4):
            yield Film(f"noise {deviation} {name}", ground, _noise(random, deviation), SECONDS)


def measure(folder: Path, *, with_tower: bool) -> Iterator[Finding]:
    """Encode and read all films, then report for each size."""
    yield this_machine("cpu", "random" if with_tower else "no")
    seen = {
        f"{film.name} crf {crf}": (film, _frames(film, crf, folder / "film.mp4")) for film in films() for crf in CRFS
    }
    embed = _random_tower() if with_tower else None
    for size in SIZES:
        reused, missed, cosines = 0, dict[str, int](), [1.0]
        for name, (film, frames) in seen.items():
            static = StaticFrames()
            shown = frames[size]
            for number, frame in enumerate(shown):
                encoded = static.reuse(frame)
                if encoded is frame:
                    continue
                reused += 1
                first = next(at for at, other in enumerate(shown) if other is encoded)
                if _state(film, first) != _state(film, number):
                    missed[name] = missed.get(name, 0) + 1
                if embed is not None and size == SIZES[0] and not np.array_equal(frame.core, encoded.core):
                    cosines.append(float(torch.nn.functional.cosine_similarity(embed(frame.core), embed(encoded.core))))
        frame_count = sum(len(frames[size]) for _, frames in seen.values())
        least = min(cosines) if embed is not None and size == SIZES[0] else None
        yield Reused("static", size, frame_count, reused, missed, least)


def _grounds(random: np.random.Generator) -> dict[str, Image.Image]:
    texture = np.clip(128 + 48 * natural_grey(random, HEIGHT, WIDTH, 1.5)[..., None] * [1.0, 0.8, 0.6], 0, 255)
    page = Image.new("RGB", (WIDTH, HEIGHT), "white")
    for line in range(20, HEIGHT, 32):
        ImageDraw.Draw(page).text((30, line), "the quick brown fox jumps over the lazy dog " * 3, "black", font_size=22)
    return {
        "on texture": Image.fromarray(texture.astype(np.uint8)),
        "in the dark": Image.fromarray((texture * 0.12).astype(np.uint8)),
        "on grey": Image.new("RGB", (WIDTH, HEIGHT), (120, 124, 118)),
        "on a page": page,
    }


def _appearing(size: int, levels: int, speed: int = 0) -> Paint:
    def paint(image: Image.Image, seconds: float) -> Image.Image:
        pixels = np.array(image).astype(int)
        left = 701 + int(seconds * speed) - (300 if speed else 0)
        if speed or seconds >= 4:
            area = pixels[401 : 401 + size, left : left + size]
            area += np.where(area > 127, -levels, levels)
        return Image.fromarray(pixels.astype(np.uint8))

    return paint


def _text(size: int) -> Paint:
    def paint(image: Image.Image, seconds: float) -> Image.Image:
        shown = image.copy()
        ImageDraw.Draw(shown).rectangle((40, 640, 700, 700), (60, 60, 60))
        ImageDraw.Draw(shown).text((50, 645), f"12:03:{int(seconds):02}", "white", font_size=size)
        return shown

    return paint


def _noise(random: np.random.Generator, deviation: float) -> Paint:
    def paint(image: Image.Image, seconds: float) -> Image.Image:
        pixels = np.array(image) + deviation * random.standard_normal((HEIGHT, WIDTH, 3), dtype=np.float32)
        return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))

    return paint


def _frames(film: Film, crf: str, path: Path) -> dict[int, list[ResizedFrame]]:
    """The frames of the grid as the towers take them, by size."""
    command = (
        "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}",
        "-r", f"{RATE}", "-i", "-", "-c:v", "libx264", "-preset", "veryfast", "-crf", crf, "-pix_fmt", "yuv420p", path,
    )  # fmt: skip
    pixels = b"".join(film.paint(film.ground, number / RATE).tobytes() for number in range(RATE * SECONDS))
    subprocess.run(command, input=pixels, check=True)
    decoded = [[resize_like_open_clip(frame.image, size) for size in SIZES] for frame in read_frames(path, _TIMES)]
    return {size: [ResizedFrame(images[at], None) for images in decoded] for at, size in enumerate(SIZES)}


def _state(film: Film, number: int) -> int:
    """Which of its states a film has at a frame of the grid."""
    shown = int(_TIMES[number] * RATE + 1e-6) / RATE
    return int(shown // film.period_seconds)


def _random_tower() -> Callable[[ImageArray], torch.Tensor]:
    visual = load_open_clip().create_model("PE-Core-B-16").visual.eval()

    def embed(picture: ImageArray) -> torch.Tensor:
        with torch.inference_mode():
            pixels = (torch.from_numpy(picture).permute(2, 0, 1)[None].float() - 127.5) / 127.5
            vectors: torch.Tensor = visual(pixels)
            return vectors

    return embed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tower", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        report(measure(Path(temporary), with_tower=arguments.tower))
