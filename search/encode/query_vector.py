"""A query vector, and how its scores are calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pesearch.types import FloatArray, SpaceName


class Measure(StrEnum):
    """The origin of a query vector, which decides how its scores are calibrated."""

    TEXT = "text"
    SOUND_TO_VIDEO = "sound to video"
    JOINT = "joint"
    SIMILARITY = "similarity"


@dataclass(frozen=True, slots=True)
class QueryVector:
    """One vector, float32 [dim], that searches one space for the term of number `term`."""

    term: int
    space: SpaceName
    vector: FloatArray
    measure: Measure
