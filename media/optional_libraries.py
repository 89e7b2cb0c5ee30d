"""Optional libraries for photos: `pip install 'pesearch[photos]'`."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from pesearch.errors import MediaError

_INSTALL = "run `pip install 'pesearch[photos]'`, or convert it to JPEG"


@cache
def register_heif() -> bool:
    """Lets Pillow open HEIC and HEIF through pillow-heif; False if it is not installed."""
    try:
        pillow_heif = importlib.import_module("pillow_heif")
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def import_rawpy() -> Any:
    """The module rawpy. Errors: MediaError with the command that installs it."""
    try:
        return importlib.import_module("rawpy")
    except ImportError as error:
        raise MediaError(f"raw pictures of cameras need rawpy: {_INSTALL}") from error


def heif_missing() -> MediaError:
    """The error for a HEIF file without pillow-heif."""
    return MediaError(f"HEIC pictures need pillow-heif: {_INSTALL}")
