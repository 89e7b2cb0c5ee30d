"""Pictures with the statistics of natural ones."""

from __future__ import annotations

import numpy as np

from pesearch.types import FloatArray


def natural_grey(random: np.random.Generator, height: int, width: int, exponent: float) -> FloatArray:
    """Noise [height, width] of deviation 1 whose amplitude falls with this power of the frequency; natural pictures are
    between 1 and 1.5."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1.0
    grey = np.fft.irfft2(np.fft.rfft2(random.standard_normal((height, width))) / frequency**exponent, (height, width))
    deviations: FloatArray = grey / grey.std()
    return deviations
