"""What files can be filtered by without a value. Imports nothing: the command line shows the choices in its help."""

from __future__ import annotations

from enum import StrEnum


class Feature(StrEnum):
    """What a file can have: sound, moving pictures, subtitles (inside it or next to it), a place."""

    AUDIO = "audio"
    VIDEO = "video"
    SUBTITLES = "subtitles"
    PLACE = "place"


class Orientation(StrEnum):
    """The shape of the pictures as they are shown."""

    PORTRAIT = "portrait"
    LANDSCAPE = "landscape"
    SQUARE = "square"
