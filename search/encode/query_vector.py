"""A query vector, and how its scores are measured."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pesearch.types import FloatArray, SpaceName


class Measure(StrEnum):
    """How a query meets the vectors of a space."""

    TEXT = "text"
    SOUND_TO_VIDEO = "sound to video"
    JOINT = "joint"
    SIMILARITY = "likeness"


@dataclass(frozen=True, slots=True)
class QueryVector:
    """One vector, float32 [dim], that is put to one space for one term of a question, number `part`."""

    part: int
    space: SpaceName
    vector: FloatArray
    measure: Measure
