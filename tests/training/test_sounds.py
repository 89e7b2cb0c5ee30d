"""Sounds: audible exactly in their intervals, and different from each other."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training import speech
from training.scene import Heard, Said, Scene, sample_scene
from training.sounds import SAMPLE_RATE, render_audio, synth
from training.words import SOUNDS

MADE = SOUNDS[:-1]


def loudness(sound: NDArray[np.float32], frame_seconds: float = 0.05) -> NDArray[np.float64]:
    """RMS of each frame."""
    frame = round(frame_seconds * SAMPLE_RATE)
    return np.sqrt(np.mean(sound[: len(sound) // frame * frame].reshape(-1, frame).astype(float) ** 2, axis=1))


def octaves(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """The share of the energy in bands between 0, 150, 400, 900, 1800, 3500, 7000 Hz and above."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    band = np.digitize(hertz, [150, 400, 900, 1800, 3500, 7000])
    return np.bincount(band, power, minlength=7) / power.sum()


def scene(*heard: Heard, said: tuple[Said, ...] = (), noise_db: float = -50.0) -> Scene:
    return Scene(900_001, 4.0, "day", heard, said, (), noise_db)


@pytest.mark.parametrize("what", MADE)
def test_each_sound_fills_its_interval(what: str) -> None:
    sound = synth(what, 2.0, np.random.default_rng(1))
    assert sound.dtype == np.float32
    assert sound.shape == (2 * SAMPLE_RATE,)
    assert np.isfinite(sound).all()
    loud = np.flatnonzero(loudness(sound) > 0.02)
    assert loud[0] == 0
    assert np.diff([*loud, 40]).max() * 0.05 <= 0.36


@pytest.mark.parametrize("what", MADE)
def test_sound_is_audible_in_its_interval_only(what: str) -> None:
    levels = loudness(render_audio(scene(Heard(what, 1.0, 3.0, -6.0, 7))))
    quiet = max(levels[:19].max(), levels[61:].max())
    assert quiet < 0.01
    assert levels[20:60].max() > 5 * quiet


def test_sounds_have_their_bands() -> None:
    spectra = {what: octaves(synth(what, 2.0, np.random.default_rng(2))) for what in MADE}
    assert spectra["beep"][3] > 0.95
    assert spectra["birds"][4:6].sum() > 0.95
    assert spectra["drum"][0] > 0.8
    assert spectra["engine"][:2].sum() > 0.8
    assert spectra["thunder"][0] > 0.7
    assert spectra["siren"][2:4].sum() > 0.8
    assert spectra["rain"][3:].sum() > 0.8


def test_variants_differ_and_repeat() -> None:
    one, other = (render_audio(scene(Heard("bell", 1.0, 3.0, -6.0, variant))) for variant in (1, 2))
    assert not np.allclose(one, other)
    assert np.array_equal(one, render_audio(scene(Heard("bell", 1.0, 3.0, -6.0, 1))))


@pytest.mark.parametrize("seed", range(6))
def test_scene_has_its_length_and_never_clips(seed: int) -> None:
    sound = render_audio(sample_scene(seed))
    assert sound.dtype == np.float32
    assert sound.shape == (4 * SAMPLE_RATE,)
    assert 0.05 < np.abs(sound).max() <= 0.99001


def test_phrase_is_spoken_in_its_interval() -> None:
    levels = loudness(render_audio(scene(said=(Said("mind the gap", 1.0, 2.0, "en-gb", 160, 50),))))
    assert levels[20:40].max() > 0.1
    assert max(levels[:19].max(), levels[41:].max()) < 0.01


def test_voices_speak_differently() -> None:
    man, woman = speech.speak("good morning", "en-gb"), speech.speak("good morning", "en-us+f3")
    assert 0.3 < len(man) / SAMPLE_RATE < 1.5
    assert np.abs(man).max() == pytest.approx(1.0)
    assert man.shape != woman.shape or not np.allclose(man, woman)


def test_resampling_keeps_a_tone() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050).astype(np.float32)
    longer = speech.resample(tone, 22_050, 48_000)
    expected = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    assert longer.shape == (48_000,)
    assert np.abs(longer - expected).max() < 1e-3


def test_fitting_gives_the_length() -> None:
    sound = np.linspace(0, 1, 1000, dtype=np.float32)
    assert np.allclose(speech.fit(sound, 700), np.linspace(0, 1, 700), atol=1e-5)
