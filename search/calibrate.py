"""From dot products to certainties in 0..1, and from many certainties to one score.

Of text and media PE-AV says itself how probable it is that they belong together: sigmoid(scale * dot + bias), with
the scale and the bias that it learned. PE-Core learned no bias, so that its scores only rank: a frame's certainty is
how far the text stands out among everyday words. Between two pieces of media of one space no model learned a
probability: their cosine stands for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pesearch.types import FloatArray, SpaceName

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet

Certainty = npt.NDArray[np.float64]

PROBABILITY, LIKENESS = "model", "likeness"
"""What a moment's score is: the models' own probabilities, not yet calibrated on the library, or a cosine."""


STANDS_OUT, STEEPNESS = 3.0, 1.5
"""A text that fits a frame this many standard deviations better than everyday words do is as likely as not, and how
fast that turns. In a generated world nine in ten of the objects that are there lie above 2.7, and 95 % of those that
are not under 1.4."""


SHOWN_FOR_HEARD = 0.9
"""A picture of what could make a sound speaks less for it than the sound itself does: of the two, that comes first."""


AGREEMENT = 0.1
"""How far the second space lifts what the most certain one leaves open: sound and picture that agree come first."""


class Measure(StrEnum):
    """How a query meets the vectors of a space."""

    TEXT = "text"
    SOUND_TO_VIDEO = "sound to video"
    LIKENESS = "likeness"


@dataclass(frozen=True, slots=True)
class Probe:
    """One vector, float32 [dim], that is put to one space for one part of a question."""

    part: int
    space: SpaceName
    vector: FloatArray
    measure: Measure


def certainty(
    models: ModelSet, probe: Probe, vectors: FloatArray, everyday: FloatArray | None
) -> tuple[FloatArray, Certainty]:
    """The dot products of the probe with vectors [n, dim], and how surely each answers, in 0..1; both [n].

    `everyday` float32 [m, dim] are the words that a text of the frame space is compared with.
    """
    scores = vectors @ probe.vector
    if probe.measure is Measure.LIKENESS:
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(probe.vector)
        return scores, np.clip(scores / np.maximum(lengths, 1e-12), 0.0, 1.0).astype(np.float64)
    if probe.space is SpaceName.FRAME:
        if everyday is None:
            raise ValueError("a text of the frame space needs everyday words beside it")
        return scores, stands_out(scores, vectors @ everyday.T)
    asked_with = SpaceName.AUDIO if probe.measure is Measure.SOUND_TO_VIDEO else None
    probabilities = models.probabilities(probe.space, scores, asked_with)
    if probabilities is None:
        raise ValueError(f"the model set {models.name} has no probability for {probe.space} asked with {probe.measure}")
    weight = SHOWN_FOR_HEARD if probe.measure is Measure.SOUND_TO_VIDEO else 1.0
    return scores, weight * probabilities.astype(np.float64)


def stands_out(scores: FloatArray, others: FloatArray) -> Certainty:
    """How surely a text fits frames, from its `scores` [n] and those of other texts, `others` [n, m].

    The score is taken in standard deviations from the mean of the others (the test normalisation of speaker
    verification, Auckenthaler et al. 2000), which removes what any text scores on that frame; then a logistic curve.
    """
    spread = np.maximum(others.std(axis=1, dtype=np.float64), 1e-6)
    deviations = (scores - others.mean(axis=1, dtype=np.float64)) / spread
    certain: Certainty = 1.0 / (1.0 + np.exp(-np.clip(STEEPNESS * (deviations - STANDS_OUT), -80.0, 80.0)))
    return certain


def fuse(certainties: Certainty, wholes: int) -> Certainty:
    """One score from certainties [..., parts, spaces]: the first `wholes` parts are a text as a whole and examples.

    A part is as certain as in the space that is most certain of it, because what is heard need not be seen (CombMAX
    of Fox and Shaw, 1994); a second space that agrees decides between equals. The terms of a text must all be there:
    the least certain of them counts (the AND of Zadeh, 1965). What must hold together is joined by the geometric mean,
    which keeps the scale of a probability.
    """
    ordered = np.sort(certainties, axis=-1)
    best, second = ordered[..., -1], ordered[..., -2]
    parts = best + AGREEMENT * (1 - best) * second
    asked = parts[..., :wholes]
    if parts.shape[-1] > wholes:
        asked = np.concatenate([asked, parts[..., wholes:].min(axis=-1, keepdims=True)], axis=-1)
    fused: Certainty = np.exp(np.log(np.maximum(asked, 1e-12)).mean(axis=-1))
    return fused
