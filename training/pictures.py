"""The pictures of the world: a scene at one moment, antialiased, the same at every size."""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.scene import Scene, Seen
from training.shapes import SHAPES, Pen

ASPECT = 4 / 3
FINER = 2
JUMP_SECONDS = 0.9
JUMP_HEIGHT = 0.24
TRAVEL_PER_SECOND = 0.16
MAX_TRAVEL = 0.64


def render_frame(scene: Scene, at_seconds: float, width: int = 256, height: int = 192) -> NDArray[np.uint8]:
    """The scene at one moment: uint8 [height, width, 3]. Positions are relative, so any size shows the same.

    A scene of length 0 is a still picture with all its objects.
    """
    picture = _background(scene.place, scene.seed % 16, width * FINER, height * FINER).copy()
    draw = ImageDraw.Draw(picture)
    for seen in sorted(scene.seen, key=lambda seen: seen.what == "rain"):
        if seen.start_seconds <= at_seconds < seen.end_seconds or scene.duration_seconds == 0:
            _draw(draw, picture.size, seen, at_seconds - seen.start_seconds)
    return np.asarray(picture.reduce(FINER))


def position(seen: Seen, since_seconds: float) -> tuple[float, float]:
    """The centre of an object that many seconds after its start, relative to the picture's width and height."""
    if seen.motion == "jumping":
        return seen.x, seen.y - JUMP_HEIGHT * abs(math.sin(math.pi * since_seconds / JUMP_SECONDS))
    if not seen.motion.startswith("moving"):
        return seen.x, seen.y
    span = seen.end_seconds - seen.start_seconds
    travel = min(MAX_TRAVEL, TRAVEL_PER_SECOND * span) * (since_seconds / span - 0.5)
    return seen.x + (travel if seen.motion == "moving right" else -travel), seen.y


def _draw(draw: ImageDraw.ImageDraw, size: tuple[int, int], seen: Seen, since_seconds: float) -> None:
    x, y = position(seen, since_seconds)
    width, height = size
    pen = Pen(
        draw,
        x * width,
        y * height,
        seen.size * width / ASPECT * (-1 if seen.motion == "moving left" else 1),
        seen.size * height,
    )
    if seen.what == "rain":
        pen = Pen(draw, width / 2, height / 2, width, height)
    SHAPES[seen.what](pen, seen.colour or "", since_seconds, seen.flashing)


@lru_cache(maxsize=160)
def _background(place: str, variant: int, width: int, height: int) -> Image.Image:
    """The background of a place; its details depend on the variant. Cached: copy before drawing on it."""
    top, bottom = _SKIES[place]
    share = np.linspace(0, 1, height)[:, None, None]
    tint = np.random.default_rng([variant, 7]).uniform(-12, 12, 3)
    rows = np.array(top) * (1 - share) + np.array(bottom) * share + tint
    pixels = np.broadcast_to(np.clip(rows, 0, 255), (height, width, 3)).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    pen = Pen(ImageDraw.Draw(picture), 0, 0, width, height)
    _GROUNDS[place](pen, np.random.default_rng([variant, 8]))
    return picture


def _day(pen: Pen, rng: np.random.Generator) -> None:
    for x, y in rng.uniform((0.05, 0.06), (0.95, 0.22), (3, 2)):
        for shift in (-0.06, 0.0, 0.06):
            pen.ellipse(x + shift, y, 0.09, 0.06, (250, 250, 252))
    pen.box(0, 0.86, 1, 1, (196, 178, 140))


def _night(pen: Pen, rng: np.random.Generator) -> None:
    for x, y in rng.uniform((0, 0), (1, 0.7), (24, 2)):
        pen.ellipse(x, y, 0.009, 0.012, (235, 235, 200))
    moon = rng.uniform(0.1, 0.9)
    pen.ellipse(moon, 0.13, 0.09, 0.12, (240, 236, 205))
    pen.ellipse(moon + 0.025, 0.12, 0.075, 0.1, (14, 16, 44))
    pen.box(0, 0.88, 1, 1, (8, 10, 24))


def _city(pen: Pen, rng: np.random.Generator) -> None:
    left = -0.03
    while left < 1:
        width, top = rng.uniform(0.1, 0.17), rng.uniform(0.12, 0.5)
        grey = int(rng.uniform(90, 125))
        pen.box(left, top, left + width - 0.01, 0.88, (grey, grey - 2, grey + 8))
        for row in np.arange(top + 0.05, 0.8, 0.1):
            for column in (0.25, 0.6):
                pen.box(left + column * width, row, left + (column + 0.16) * width, row + 0.045, (214, 206, 150))
        left += width
    pen.box(0, 0.86, 1, 1, (70, 70, 74))


def _sea(pen: Pen, rng: np.random.Generator) -> None:
    pen.box(0, 0.5, 1, 1, (20, 110, 140))
    for row, y in enumerate(np.arange(0.56, 1, 0.11)):
        for x in np.arange(-0.1, 1, 0.16) + 0.08 * (row % 2) + rng.uniform(-0.02, 0.02):
            pen.line(((x, y), (x + 0.04, y - 0.025), (x + 0.08, y)), 0.014, (150, 215, 225))


def _field(pen: Pen, rng: np.random.Generator) -> None:
    pen.box(0, 0.45, 1, 1, (104, 150, 62))
    for x, y in rng.uniform((0, 0.5), (1, 0.97), (40, 2)):
        pen.line(((x, y), (x + 0.008, y - 0.04)), 0.008, (70, 112, 40))
    for x in rng.uniform(0, 1, 3):
        pen.box(x - 0.008, 0.34, x + 0.008, 0.46, (96, 66, 40))
        pen.ellipse(x, 0.32, 0.09, 0.15, (58, 104, 44))


Colour = tuple[int, int, int]

_SKIES: Mapping[str, tuple[Colour, Colour]] = {
    "day": ((120, 190, 240), (205, 232, 248)),
    "night": ((6, 8, 30), (24, 26, 62)),
    "city": ((150, 152, 160), (190, 188, 186)),
    "sea": ((170, 215, 235), (225, 240, 245)),
    "field": ((165, 205, 225), (225, 235, 225)),
}
_GROUNDS: Mapping[str, Callable[[Pen, np.random.Generator], None]] = {
    "day": _day,
    "night": _night,
    "city": _city,
    "sea": _sea,
    "field": _field,
}
