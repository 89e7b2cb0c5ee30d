"""Wide greys, colour spaces and transparency as a viewer shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from pesearch.media.image import read_image
from pesearch.media.image_colors import to_srgb

_RAMP = np.linspace(0, 1, 64).reshape(8, 8)
_EXPECTED = np.rint(_RAMP * 255).astype(int)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("16_bits.png", (_RAMP * 65535).astype(np.uint16)),
        ("16_bits.tif", (_RAMP * 65535).astype(np.uint16)),
        ("12_bits.tif", (_RAMP * 4095).astype(np.uint16)),
        ("32_bits.tif", (_RAMP * 65535).astype(np.int32)),
        ("wide.tif", (_RAMP * 2e9).astype(np.int32)),
        ("signed.tif", (_RAMP * 4000 - 1000).astype(np.int32)),
        ("unit.tif", _RAMP.astype(np.float32)),
        ("bytes.tif", (_RAMP * 255).astype(np.float32)),
        ("depth.tif", (_RAMP * 9000 - 400).astype(np.float32)),
    ],
)
def test_wide_greys_are_scaled_by_their_range(
    tmp_path: Path, name: str, values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]
) -> None:
    Image.fromarray(values).save(tmp_path / name)
    picture = read_image(tmp_path / name).astype(int)
    tolerance = 18 if name == "wide.tif" else 1  # 2,000,000,000 of 2,147,483,647
    assert np.abs(picture - _EXPECTED[..., None]).max() <= tolerance


def test_fits_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sky.fits"
    cards = ("SIMPLE  = T", "BITPIX  = -32", "NAXIS   = 2", "NAXIS1  = 8", "NAXIS2  = 8", "END")
    header = "".join(card.ljust(80) for card in cards).ljust(2880)
    path.write_bytes(header.encode() + (_RAMP * 9000).astype(">f4").tobytes().ljust(2880, b"\0"))
    picture = read_image(path).astype(int)
    assert np.abs(picture[::-1] - _EXPECTED[..., None]).max() <= 1  # its first row is the lowest


def test_a_dark_picture_stays_dark(tmp_path: Path) -> None:
    path = tmp_path / "night.png"
    Image.fromarray((_RAMP * 20_000).astype(np.uint16)).save(path)
    assert read_image(path).max() == round(20_000 / 257)


@given(st.lists(st.floats(width=32), min_size=4, max_size=4))
def test_any_floats_are_a_picture(values: list[float]) -> None:
    image = Image.fromarray(np.array(values, np.float32).reshape(2, 2))
    assert to_srgb(image).mode == "RGB"


def test_icc_profiles_are_followed(tmp_path: Path) -> None:
    swapped = _profile_with_red_and_blue_swapped()
    for name in ("photo.png", "photo.jpg", "photo.tif", "photo.webp"):
        path = tmp_path / name
        Image.new("RGB", (16, 16), (250, 10, 10)).save(path, icc_profile=swapped)
        red, _, blue = read_image(path)[8, 8].tolist()
        assert blue > 200 > 60 > red, name
        Image.new("RGB", (16, 16), (250, 10, 10)).save(path, icc_profile=b"no profile")
        red, _, blue = read_image(path)[8, 8].tolist()
        assert red > 200 > 60 > blue, name


def test_transparent_pixels_of_a_profile_are_white(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    image = Image.new("RGBA", (2, 1), (250, 10, 10, 255))
    image.putpixel((1, 0), (250, 10, 10, 0))
    image.save(path, icc_profile=_profile_with_red_and_blue_swapped())
    left, right = read_image(path)[0].tolist()
    assert left[2] > 200 > 60 > left[0]
    assert right == [255, 255, 255]


def test_lab_is_read(tmp_path: Path) -> None:
    path = tmp_path / "print.tif"
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.applyTransform(Image.new("RGB", (4, 4), "red"), ImageCms.buildTransform(*profiles, "RGB", "LAB"))
    assert lab is not None
    lab.save(path)
    assert np.abs(read_image(path)[0, 0].astype(int) - [255, 0, 0]).max() < 8


def _profile_with_red_and_blue_swapped() -> bytes:
    """sRGB with the colourants of red and blue exchanged, under another name."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile).replace(b"s\0R\0G\0B", b"x\0y\0z\0w").replace(b"sRGB", b"xyzw")
