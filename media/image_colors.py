"""Pixels of any mode and colour space as the sRGB that a viewer shows."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

_WIDE_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
"""Grey with more than 8 bits, which Pillow would clip to 255."""

_MIN_SHARE_OF_RANGE = 0.25
"""A picture whose brightest pixel is below this share of its type's range is stretched: 12 bits are often stored in 16,
and scientific pictures use any range. Above it a dark picture stays dark."""

_RANGES = {"f": (1.0, 255.0, 65535.0), "u": (65535.0,), "i": (255.0, 65535.0, 2.0**31 - 1)}
"""The values of white that are usual, by NumPy's kind of type: floating point, 16 bits, 32 bits."""

_PROFILE_MODES = {"RGB ": "RGB", "CMYK": "CMYK", "GRAY": "L"}
"""The mode of the pixels that an ICC profile of a colour space describes."""


def to_srgb(image: Image.Image) -> Image.Image:
    """An image of any mode as RGB: converted by its ICC profile, transparency over white, wide greys by their range."""
    if image.mode in _WIDE_MODES:
        image = _narrowed(image)
    if not image.has_transparency_data:
        return _by_profile(image)
    layer = image.convert("RGBA")
    alpha = layer.getchannel("A")
    colours = layer.convert("RGB")
    colours.info = image.info
    over = Image.new("RGB", layer.size, (255, 255, 255))
    over.paste(_by_profile(colours), mask=alpha)
    return over


def _narrowed(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits, or floating point, as 8 bits."""
    values = np.asarray(image)
    finite = np.where(np.isfinite(values), values, 0) if values.dtype.kind == "f" else values
    black, white = _shown_range(finite)
    scaled = (finite.astype(np.float64) - black) / (white - black) * 255
    grey = Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))
    grey.info = image.info
    return grey


def _shown_range(values: npt.NDArray[Any]) -> tuple[float, float]:
    """The values shown as black and white: the range of a usual type if the picture uses it, else its own."""
    low, high = float(values.min()), float(values.max())
    for white in _RANGES[values.dtype.kind]:
        if low >= 0 and _MIN_SHARE_OF_RANGE * white < high <= white:
            return 0.0, white
    return (low, high) if high > low else (min(low, 0.0), max(high, 1.0))


def _by_profile(image: Image.Image) -> Image.Image:
    """RGB by the image's ICC profile; a missing, damaged or unfit profile is ignored."""
    if image.mode == "LAB":
        return _converted(image, _lab_transform())
    profile = image.info.get("icc_profile")
    transform = _transform(bytes(profile)) if profile else None
    if transform is None or (image.mode == "CMYK") != (transform.input_mode == "CMYK"):
        return image.convert("RGB")
    if transform.input_mode == "L" and image.mode not in ("L", "1"):
        return image.convert("RGB")
    return _converted(image.convert(transform.input_mode), transform)


def _converted(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # None only with inPlace
    return converted


@lru_cache(maxsize=16)
def _transform(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """The transform of an ICC profile to sRGB; None if it is sRGB, or unusable."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _PROFILE_MODES.get(source.profile.xcolor_space)
        if mode is None or "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=1)
def _lab_transform() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
