"""The memory that decoding a picture takes, from its header."""

from __future__ import annotations

from PIL import Image

from pesearch.media.image_decoding import wavelet_levels

_BYTES_OF_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
"""Pillow's bytes per pixel; all other modes take 4."""

_COPIES = {"AVIF": 3, "HEIF": 3, "JPEG2000": 5, "PSD": 2, "WEBP": 4}
"""How often plugins hold the picture while they decode it: as planes, as bytes, and as Pillow's own. Measured."""

RAW_BYTES_PER_PIXEL = 3
"""Of the sensor: 2 for its values, and the picture of half its size."""

_MAX_DRAFT = 8
"""libjpeg decodes down to an eighth of each side."""


def decoded_bytes(image: Image.Image, factor: int) -> int:
    """Bytes that decoding an opened image takes, if each side is to be divided by `factor`."""
    pixels = (image.width * image.height) >> 2 * wavelet_levels(image, factor)
    if image.format in ("JPEG", "MPO"):
        draft = min(1 << (max(factor, 1).bit_length() - 1), _MAX_DRAFT)
        coefficients = 2 * len(image.getbands()) * pixels if "progressive" in image.info else 0
        return 4 * pixels // draft**2 + coefficients
    return _BYTES_OF_MODE.get(image.mode, 4) * pixels * _COPIES.get(image.format or "", 1)
