"""Spoken phrases, with the program espeak-ng."""

import subprocess
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pesearch.errors import PesearchError

SAMPLE_RATE = 48_000


@lru_cache(maxsize=4096)
def speak(text: str, voice: str = "en-gb", words_per_minute: int = 160, pitch: int = 50) -> NDArray[np.float32]:
    """The spoken text without silence around it: float32 [samples], 48 kHz, peak 1. Cached: do not modify it.

    Raises PesearchError when espeak-ng is missing or does not know the voice.
    """
    command = ["espeak-ng", "--stdout", "-v", voice, "-s", str(words_per_minute), "-p", str(pitch), "--", text]
    try:
        wave = subprocess.run(command, capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise PesearchError("espeak-ng is missing: install it, for example with `apt install espeak-ng`") from None
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip()
        raise PesearchError(f"espeak-ng could not speak with voice {voice!r}: {reason}") from None
    spoken = resample(_trim(_samples(wave)), _rate(wave), SAMPLE_RATE)
    spoken /= np.abs(spoken).max()
    spoken.setflags(write=False)
    return spoken


def fit(sound: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    """Stretch the sound to exactly this length."""
    stretched = np.interp(np.linspace(0, len(sound) - 1, samples), np.arange(len(sound)), sound)
    return np.asarray(stretched, np.float32)


def resample(sound: NDArray[np.float32], rate: int, wanted_rate: int) -> NDArray[np.float32]:
    """Resample by truncating or padding the spectrum (band-limited, exact for periodic sounds)."""
    blocks = -(-len(sound) * 10 // rate)
    padded = np.zeros(blocks * rate // 10, np.float32)
    padded[: len(sound)] = sound
    wanted = blocks * wanted_rate // 10
    longer = np.fft.irfft(np.fft.rfft(padded), wanted) * (wanted / len(padded))
    return longer[: round(len(sound) * wanted_rate / rate)].astype(np.float32)


def _rate(wave: bytes) -> int:
    return int.from_bytes(wave[24:28], "little")


def _samples(wave: bytes) -> NDArray[np.float32]:
    """16-bit mono samples of a WAV from a pipe, whose header does not state its length."""
    start = wave.index(b"data") + 8
    samples = np.frombuffer(wave[start : start + (len(wave) - start) // 2 * 2], "<i2")
    return samples.astype(np.float32) / np.float32(32768)


def _trim(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Trim silence (below 2 % of the peak) at both ends."""
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    if len(loud) == 0:
        raise PesearchError("espeak-ng returned no sound: check that its voices are installed")
    return sound[loud[0] : loud[-1] + 1]
