"""Pillow's limits and messages, set before it opens anything."""

from __future__ import annotations

import logging
import re
import warnings

from PIL import Image, PngImagePlugin

MAX_PIXELS = 150_000_000
"""Larger images are refused before a pixel is decoded: 450 MB as RGB, more than phone cameras give in their usual
mode; a PNG of a few kilobytes can claim a thousand times as much."""

MAX_JPEG_PIXELS = 250_000_000
"""JPEGs are decoded at reduced size, so that those of 200 megapixel phones can be read, too."""

_PIL = re.compile(r"PIL\.")


def prepare_pillow() -> None:
    """Set Pillow's limits, and silence its warnings and logs about odd files, which are not for the user.

    The warnings permanently rather than with `catch_warnings`, which is not thread-safe; and only once, because each
    change of the filters makes Python repeat warnings that it had shown before. Generated pictures hold their recipe as
    text of some megabytes, where Pillow's limit is one.
    """
    Image.MAX_IMAGE_PIXELS = MAX_JPEG_PIXELS
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 64 << 20
    if ("ignore", None, Warning, _PIL, 0) not in warnings.filters:
        warnings.filterwarnings("ignore", module=_PIL.pattern)
        logging.getLogger("PIL").addHandler(logging.NullHandler())
