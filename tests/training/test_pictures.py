"""Pictures: the same at every size, in the requested colour, moving as in the ground truth."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from training.pictures import position, render_frame
from training.scene import Scene, Seen, sample_scene
from training.words import COLOURED, COLOURS, OBJECTS, PLACES


def seen(what: str, colour: str | None = None, motion: str = "still", flashing: bool = False) -> Seen:
    return Seen(what, colour, motion, 0.0, 4.0, x=0.5, y=0.56, size=0.5, flashing=flashing)


def scene(*things: Seen, place: str = "day") -> Scene:
    return Scene(900_001, 4.0, place, (), (), things, -40.0)


def of(what: str) -> Seen:
    return seen(what, "red" if what in COLOURED else None)


def distance(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean difference of the values, 0 to 255."""
    return float(np.abs(one.astype(float) - other).mean())


@pytest.mark.parametrize("seed", range(4))
def test_any_size_shows_the_same_picture(seed: int) -> None:
    large = render_frame(sample_scene(seed), 1.25, 256, 192)
    small = render_frame(sample_scene(seed), 1.25, 128, 96)
    assert (large.shape, small.shape, large.dtype) == ((192, 256, 3), (96, 128, 3), np.uint8)
    assert distance(np.asarray(Image.fromarray(large).reduce(2)), small) < 5
    assert np.array_equal(small, render_frame(sample_scene(seed), 1.25, 128, 96))


def test_every_object_looks_different() -> None:
    pictures = {what: render_frame(scene(of(what)), 0.5, 64, 48) for what in OBJECTS}
    empty = render_frame(scene(), 0.5, 64, 48)
    assert min(distance(picture, empty) for picture in pictures.values()) > 3
    assert min(distance(one, other) for one, other in itertools.combinations(pictures.values(), 2)) > 3


def test_every_place_looks_different() -> None:
    pictures = [render_frame(scene(place=place), 0.0, 64, 48) for place in PLACES]
    assert min(distance(one, other) for one, other in itertools.combinations(pictures, 2)) > 15


@pytest.mark.parametrize("what", COLOURED)
def test_colours_differ_clearly(what: str) -> None:
    pictures = [render_frame(scene(seen(what, colour)), 0.0, 64, 48) for colour in COLOURS]
    empty = render_frame(scene(), 0.0, 64, 48).astype(int)
    changed = np.abs(pictures[0] - empty).sum(axis=2) > 60
    means = [picture[changed].mean(axis=0) for picture in pictures]
    assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(means, 2)) > 25


def test_a_red_ball_is_red_where_it_is() -> None:
    middle = render_frame(scene(seen("ball", "red")), 0.0)[round(0.56 * 192), 128]
    assert middle[0] > 180
    assert max(middle[1:]) < 80


@pytest.mark.parametrize(("motion", "sign"), [("moving left", -1), ("moving right", 1)])
def test_objects_move_in_their_direction(motion: str, sign: int) -> None:
    path = [position(seen("ball", "red", motion), step * 0.6)[0] for step in range(7)]
    assert min(sign * np.diff(path)) > 0.07
    frames = [render_frame(scene(seen("ball", "red", motion)), at, 64, 48) for at in (0.5, 3.5)]
    columns = [np.flatnonzero(np.ptp(frame - render_frame(scene(), 0.0, 64, 48), axis=(0, 2))) for frame in frames]
    assert sign * (columns[1].mean() - columns[0].mean()) > 15


def test_jumping_moves_vertically_and_still_does_not_move() -> None:
    heights = [position(seen("dog", motion="jumping"), step * 0.1)[1] for step in range(10)]
    assert heights[0] == pytest.approx(0.56)
    assert min(heights) < 0.35
    assert heights[9] == pytest.approx(0.56)
    assert position(seen("house", "red"), 0.0) == position(seen("house", "red"), 3.9)


def test_object_is_shown_in_its_interval_only() -> None:
    ball = Seen("ball", "red", "still", 1.0, 2.0, 0.5, 0.56, 0.5)
    empty = render_frame(scene(), 0.5, 64, 48)
    assert np.array_equal(render_frame(scene(ball), 0.5, 64, 48), empty)
    assert not np.array_equal(render_frame(scene(ball), 1.5, 64, 48), empty)


def test_the_light_flashes_blue() -> None:
    car = scene(seen("car", "red", flashing=True))
    lit, dark = render_frame(car, 0.1), render_frame(car, 0.3)
    assert lit[:, :, 2].astype(int).sum() > dark[:, :, 2].astype(int).sum() + 10_000
