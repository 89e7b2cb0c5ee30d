"""The shapes of the world's objects, each drawn in a box of height 1 around (0, 0), looking right."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

PAINTS: Mapping[str, Colour] = {
    "red": (222, 28, 34),
    "green": (20, 168, 60),
    "blue": (34, 64, 226),
    "yellow": (250, 212, 20),
    "white": (248, 248, 248),
}
INK = (24, 22, 26)
STEEL = (120, 124, 130)
GLASS = (168, 216, 236)


@dataclass(frozen=True, slots=True)
class Pen:
    """A pen at a position and scale: (0, 0) is at (`x`, `y`), a unit is `across` and `down` pixels.

    A negative `across` mirrors.
    """

    draw: ImageDraw.ImageDraw
    x: float
    y: float
    across: float
    down: float

    def at(self, point: Point) -> Point:
        """The pixel of a point."""
        return self.x + point[0] * self.across, self.y + point[1] * self.down

    def box(
        self, left: float, top: float, right: float, bottom: float, fill: Colour, edge: Colour | None = None
    ) -> None:
        """A rectangle."""
        self.draw.rectangle(self._bounds(left, top, right, bottom), fill=fill, outline=edge, width=self._width(0.03))

    def ellipse(self, x: float, y: float, w: float, h: float, fill: Colour, edge: Colour | None = None) -> None:
        """An ellipse around (x, y), `w` wide and `h` high."""
        bounds = self._bounds(x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        self.draw.ellipse(bounds, fill=fill, outline=edge, width=self._width(0.03))

    def shape(self, points: Iterable[Point], fill: Colour, edge: Colour | None = None) -> None:
        """A polygon."""
        self.draw.polygon([self.at(point) for point in points], fill=fill, outline=edge, width=self._width(0.03))

    def line(self, points: Iterable[Point], width: float, fill: Colour) -> None:
        """A line through the points, its width in units of height."""
        self.draw.line([self.at(point) for point in points], fill=fill, width=self._width(width), joint="curve")

    def _width(self, width: float) -> int:
        return max(1, round(width * self.down))

    def _bounds(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        (x0, y0), (x1, y1) = self.at((left, top)), self.at((right, bottom))
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _wheel(pen: Pen, x: float, size: float) -> None:
    pen.ellipse(x, 0.5 - size / 2, size, size, INK)
    pen.ellipse(x, 0.5 - size / 2, size * 0.45, size * 0.45, STEEL)


def _train(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    """A steam locomotive with one coach, seen from the side."""
    paint = PAINTS[colour]
    for puff in range(3):
        rise = (0.8 * seconds + puff / 3) % 1
        pen.ellipse(0.62 - 0.5 * rise, -0.42 - 0.16 * rise, 0.16 + 0.2 * rise, 0.12 + 0.14 * rise, (215, 215, 218))
    pen.box(-1.1, -0.28, -0.32, 0.32, paint, INK)
    for left in (-1.02, -0.78, -0.54):
        pen.box(left, -0.18, left + 0.16, 0.06, GLASS, INK)
    pen.box(-0.36, 0.2, -0.16, 0.28, INK)
    pen.box(-0.2, -0.42, 0.18, 0.32, paint, INK)
    pen.box(-0.28, -0.5, 0.26, -0.4, INK)
    pen.box(-0.1, -0.28, 0.1, -0.04, GLASS, INK)
    pen.box(0.18, -0.14, 0.86, 0.32, paint, INK)
    pen.box(0.56, -0.44, 0.7, -0.14, INK)
    pen.box(0.5, -0.5, 0.76, -0.42, INK)
    pen.shape(((0.86, 0.14), (1.1, 0.44), (0.86, 0.44)), STEEL, INK)
    pen.box(-1.1, 0.28, 0.9, 0.36, INK)
    for x in (-0.96, -0.48, -0.02, 0.34, 0.7):
        _wheel(pen, x, 0.26)


def _car(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    paint = PAINTS[colour]
    pen.shape(((-0.5, 0.02), (-0.3, -0.32), (0.28, -0.32), (0.56, 0.02)), paint, INK)
    pen.shape(((-0.38, 0.0), (-0.25, -0.24), (-0.03, -0.24), (-0.03, 0.0)), GLASS, INK)
    pen.shape(((0.04, 0.0), (0.04, -0.24), (0.24, -0.24), (0.42, 0.0)), GLASS, INK)
    pen.shape(((-0.92, 0.08), (-0.84, 0.0), (0.7, 0.0), (0.92, 0.12), (0.92, 0.36), (-0.92, 0.36)), paint, INK)
    pen.ellipse(0.84, 0.14, 0.1, 0.1, (255, 240, 150), INK)
    _wheel(pen, -0.54, 0.36)
    _wheel(pen, 0.54, 0.36)
    if flashing:
        lit = int(seconds * 5) % 2 == 0
        if lit:
            pen.ellipse(0, -0.42, 0.5, 0.4, (110, 180, 255))
        pen.box(-0.12, -0.46, 0.12, -0.32, (0, 90, 255) if lit else (20, 30, 90), INK)


def _ball(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    pen.ellipse(0, 0, 1, 1, PAINTS[colour], INK)
    pen.ellipse(-0.17, -0.2, 0.24, 0.18, (255, 255, 255))


def _bird(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    paint, flap = PAINTS[colour], 0.12 + 0.32 * math.cos(2 * math.pi * 1.7 * seconds)
    pen.shape(((-0.42, 0.02), (-0.86, -0.14), (-0.8, 0.16)), paint, INK)
    pen.shape(((0.6, -0.2), (0.9, -0.08), (0.6, -0.02)), (240, 140, 20), INK)
    pen.ellipse(-0.02, 0.08, 0.96, 0.46, paint, INK)
    pen.ellipse(0.44, -0.12, 0.4, 0.38, paint, INK)
    pen.shape(((-0.24, 0.06), (0.2, 0.06), (-0.2, -0.12 - flap)), paint, INK)
    pen.ellipse(0.5, -0.16, 0.08, 0.08, INK)
    for x in (-0.06, 0.1):
        pen.line(((x, 0.3), (x, 0.48), (x + 0.1, 0.48)), 0.04, (240, 140, 20))


def _house(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    pen.box(0.24, -0.46, 0.38, -0.1, (110, 60, 50), INK)
    pen.box(-0.48, -0.08, 0.48, 0.5, PAINTS[colour], INK)
    pen.shape(((-0.64, -0.06), (0, -0.5), (0.64, -0.06)), (92, 48, 40), INK)
    pen.box(-0.1, 0.14, 0.12, 0.5, (70, 44, 30), INK)
    for left in (-0.38, 0.2):
        pen.box(left, 0.06, left + 0.2, 0.26, GLASS, INK)


def _sun(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    for ray in range(12):
        turn = 2 * math.pi * ray / 12 + 0.1 * seconds
        pen.shape(
            (_polar(0.5, turn), _polar(0.3, turn + 0.2), _polar(0.3, turn - 0.2)),
            (255, 170, 0),
        )
    pen.ellipse(0, 0, 0.6, 0.6, (255, 216, 30), (255, 150, 0))


def _people(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    """Two people side by side, waving."""
    wave = 0.08 * math.sin(2 * math.pi * 1.2 * seconds)
    for x, cloth in ((-0.26, (140, 50, 160)), (0.26, (236, 120, 40))):
        for leg in (-0.07, 0.07):
            pen.line(((x + 0.4 * leg, 0.14), (x + leg, 0.5)), 0.09, (50, 44, 60))
        pen.line(((x - 0.1, -0.14), (x - 0.24, 0.08)), 0.07, (236, 190, 150))
        pen.line(((x + 0.1, -0.14), (x + 0.22, -0.3 + wave)), 0.07, (236, 190, 150))
        pen.shape(((x - 0.13, -0.2), (x + 0.13, -0.2), (x + 0.15, 0.2), (x - 0.15, 0.2)), cloth, INK)
        pen.ellipse(x, -0.35, 0.24, 0.28, (236, 190, 150), INK)


def _dog(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    fur, dark = (150, 96, 50), (92, 54, 26)
    wag = 0.1 * math.sin(2 * math.pi * 2.3 * seconds)
    pen.line(((-0.46, 0.0), (-0.66, -0.24 + wag)), 0.09, dark)
    for x in (-0.4, -0.24, 0.16, 0.32):
        pen.box(x - 0.05, 0.12, x + 0.05, 0.5, fur, INK)
    pen.ellipse(-0.04, 0.06, 1.0, 0.4, fur, INK)
    pen.ellipse(0.46, -0.2, 0.42, 0.4, fur, INK)
    pen.ellipse(0.68, -0.12, 0.28, 0.2, fur, INK)
    pen.ellipse(0.8, -0.15, 0.1, 0.09, INK)
    pen.shape(((0.26, -0.38), (0.42, -0.3), (0.3, -0.02)), dark, INK)
    pen.ellipse(0.52, -0.24, 0.07, 0.07, INK)


def _bell(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    gold, swing = (214, 160, 30), 0.12 * math.sin(2 * math.pi * 1.3 * seconds)
    pen.ellipse(swing, 0.4, 0.2, 0.2, (110, 76, 16), INK)
    pen.ellipse(0, -0.42, 0.18, 0.16, gold, INK)
    pen.shape(
        ((-0.12, -0.36), (0.12, -0.36), (0.26, -0.18), (0.32, 0.16), (0.5, 0.36), (-0.5, 0.36), (-0.32, 0.16),
         (-0.26, -0.18)),
        gold,
        INK,
    )  # fmt: skip
    pen.line(((-0.32, 0.16), (0.32, 0.16)), 0.04, (130, 90, 16))


def _clock(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    pen.ellipse(0, 0, 1, 1, (90, 50, 24), INK)
    pen.ellipse(0, 0, 0.78, 0.78, (250, 246, 232), INK)
    for hour in range(12):
        turn = math.pi * hour / 6
        pen.line((_polar(0.3, turn), _polar(0.36, turn)), 0.035, INK)
    pen.line(((0, 0), _polar(0.28, 0.5 * math.pi * seconds)), 0.05, INK)
    pen.line(((0, 0), _polar(0.18, -2.4)), 0.07, INK)


def _rain(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    """Drops all over the picture, under dark clouds."""
    for drop in range(56):
        x = (drop * 0.7548777) % 1.1 - 0.55
        y = (drop * 0.5698403 + (1.1 + 0.4 * (drop % 3)) * seconds) % 1 - 0.45
        pen.line(((x, y), (x - 0.025, y + 0.09)), 0.016, (96, 150, 215))
    for cloud in range(7):
        pen.ellipse(cloud / 6 - 0.5, -0.48 + 0.03 * (cloud % 2), 0.26, 0.24, (84, 90, 104))


def _phone(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    """A mobile phone with an aerial, a screen and keys, shaking a little."""
    shake = 0.02 * math.sin(2 * math.pi * 3.1 * seconds)
    pen.box(0.12 + shake, -0.5, 0.2 + shake, -0.3, INK)
    pen.box(-0.28 + shake, -0.38, 0.28 + shake, 0.5, PAINTS[colour], INK)
    pen.box(-0.2 + shake, -0.3, 0.2 + shake, 0.02, (30, 60, 50), INK)
    for row in range(3):
        for column in range(3):
            x, y = -0.17 + 0.13 * column + shake, 0.1 + 0.13 * row
            pen.box(x, y, x + 0.08, y + 0.08, INK)


def _drum(pen: Pen, colour: str, seconds: float, flashing: bool) -> None:
    """A snare drum with laces and two sticks."""
    pen.ellipse(0, 0.34, 1.1, 0.32, PAINTS[colour], INK)
    pen.box(-0.55, -0.14, 0.55, 0.34, PAINTS[colour])
    laces = [(-0.55 + 1.1 * step / 8, 0.4 if step % 2 else 0.0) for step in range(9)]
    pen.line(laces, 0.035, INK)
    pen.ellipse(0, -0.14, 1.1, 0.32, (240, 226, 196), INK)
    for side in (-1, 1):
        lift = 0.08 * math.sin(2 * math.pi * 2.7 * seconds + side)
        pen.line(((side * 0.1, -0.16), (side * 0.5, -0.46 - lift)), 0.06, (120, 72, 30))


def _polar(radius: float, turn: float) -> Point:
    """A point at a distance from the centre, clockwise from the top by an angle in radians."""
    return radius * math.sin(turn), -radius * math.cos(turn)


SHAPES: Mapping[str, Callable[[Pen, str, float, bool], None]] = {
    "train": _train,
    "car": _car,
    "ball": _ball,
    "bird": _bird,
    "house": _house,
    "sun": _sun,
    "people": _people,
    "dog": _dog,
    "bell": _bell,
    "clock": _clock,
    "rain": _rain,
    "phone": _phone,
    "drum": _drum,
}
"""Drawing function of each object: pen, colour ("" for objects with a fixed one), seconds since its start, flashing."""
