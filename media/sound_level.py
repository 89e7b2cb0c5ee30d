"""Recordings far from the usual level, or with a constant offset, brought to where models were trained.

Measured with the starter set on six of its clips (at -16 dBFS where they sound): at -6 and +6 dB all is found as
before, at -12 dB half, at -18 and +12 dB next to nothing; an offset of 0.1 costs up to a third of the similarity, 0.6
everything. So nothing is done within -10 and +8 dB of that level, which holds for films, music and speech.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pesearch.timeline import SAMPLE_RATE
from pesearch.types import FloatArray

_USUAL_DBFS = -16.0
"""Level of the sounds in the starter set's clips: RMS of 0.1 s, the 95th percentile."""

_MIN_DBFS = -26.0
_MAX_DBFS = -8.0
"""Levels between these are left alone."""

_NOISE_DBFS = -66.0
"""Below it there is only noise, or silence: it is left alone."""

_MAX_OFFSET = 0.03
"""Largest mean of the samples that is left alone. At 0.02 nothing changes."""

_BLOCK_SAMPLES = SAMPLE_RATE // 10
_PERCENTILE = 95.0

_PROBES = 8
_PROBE_SECONDS = 4.0
"""A recording that does not begin at a usual level is measured in this many places, evenly spread."""


@dataclass(frozen=True, slots=True)
class SoundLevel:
    """`samples * gain - offset * gain` is what the models get."""

    gain: float = 1.0
    offset: float = 0.0

    def apply(self, samples: FloatArray) -> FloatArray:
        """The samples at the usual level; digital silence stays what it is."""
        if self == SoundLevel():
            return samples
        levelled: FloatArray = np.where(samples == 0, 0, (samples - self.offset) * self.gain).astype(np.float32)
        return levelled


def is_usual(samples: FloatArray) -> bool | None:
    """Whether a recording that begins so is left alone; None where only silence was heard so far."""
    offset, level = _measured(samples)
    if level < _NOISE_DBFS and abs(offset) <= _MAX_OFFSET:
        return None
    return abs(offset) <= _MAX_OFFSET and _MIN_DBFS <= level <= _MAX_DBFS


def measure_level(read: Callable[[float, float], FloatArray], duration_seconds: float) -> SoundLevel:
    """The level of a whole recording, from samples of its parts. `read` gives the samples of an interval."""
    spread = max(duration_seconds - _PROBE_SECONDS, 0.0)
    starts = [0.0] if spread == 0 else np.linspace(0.0, spread, _PROBES).tolist()
    if duration_seconds <= _PROBES * _PROBE_SECONDS:
        parts = [read(0.0, duration_seconds)]
    else:
        parts = [read(start, start + _PROBE_SECONDS) for start in starts]
    found = [_measured(part) for part in parts]
    offset = float(np.median([offset for offset, level in found if level > _NOISE_DBFS or offset] or [0.0]))
    offset = offset if abs(offset) > _MAX_OFFSET else 0.0
    level = max(level for _, level in found)
    if level < _NOISE_DBFS or _MIN_DBFS <= level <= _MAX_DBFS:
        return SoundLevel(1.0, offset)
    return SoundLevel(float(10 ** ((_USUAL_DBFS - level) / 20)), offset)


def _measured(samples: FloatArray) -> tuple[float, float]:
    """The mean of the samples, and their level in dBFS without it; silence is at -inf."""
    heard = samples[samples != 0]
    if not heard.size:
        return 0.0, float("-inf")
    offset = float(heard.mean(dtype=np.float64))
    count = max(len(samples) // _BLOCK_SAMPLES, 1)
    blocks = np.array_split(np.where(samples == 0, 0, samples - offset).astype(np.float64), count)
    level = np.percentile([np.sqrt(np.mean(np.square(block))) for block in blocks], _PERCENTILE)
    return offset, float(20 * np.log10(max(level, 1e-12)))
