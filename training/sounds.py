"""The sounds of the world, synthesised from oscillators and noise, and the mix of a scene."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from training import speech
from training.scene import Scene

SAMPLE_RATE = speech.SAMPLE_RATE
FADE_IN_SECONDS = 0.01
FADE_OUT_SECONDS = 0.03
LOUDNESS = 0.2  # RMS of a sound at 0 dB, unless PEAK limits it
PEAK = 0.9  # maximum peak of a sound at 0 dB

Wave = NDArray[np.float64]
Rng = np.random.Generator


def render_audio(scene: Scene) -> NDArray[np.float32]:
    """The sound of a scene: float32 [round(duration * 48000)], mono, 48 kHz, peak at most 0.99."""
    return render_over(background(scene), scene)


def render_over(mix: Wave, scene: Scene) -> NDArray[np.float32]:
    """The sounds and speech of a scene, mixed into a background, which is modified."""
    for heard in scene.heard:
        rng = np.random.default_rng(heard.variant)
        sound = synth(heard.what, heard.end_seconds - heard.start_seconds, rng)
        _add(mix, heard.start_seconds, sound * 10 ** (heard.gain_db / 20))
    for said in scene.said:
        voice = speech.speak(said.text, said.voice, said.words_per_minute, said.pitch)
        spoken = speech.fit(voice, round((said.end_seconds - said.start_seconds) * SAMPLE_RATE))
        _add(mix, said.start_seconds, _level(spoken.astype(np.float64)) * 10 ** (-3 / 20))
    return (mix * min(1.0, 0.99 / max(float(np.abs(mix).max()), 1e-9))).astype(np.float32)


def synth(what: str, seconds: float, rng: Rng) -> NDArray[np.float32]:
    """A sound, audible over its whole length: float32 [round(seconds * 48000)]. Not for `speech`."""
    wave = _level(_MAKERS[what](np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE, rng))
    rise, fall = round(FADE_IN_SECONDS * SAMPLE_RATE), round(FADE_OUT_SECONDS * SAMPLE_RATE)
    wave[:rise] *= np.linspace(0, 1, rise)[: len(wave)]
    wave[-fall:] *= np.linspace(1, 0, fall)[-len(wave) :]
    return wave.astype(np.float32)


def _add(mix: Wave, start_seconds: float, sound: NDArray[np.floating]) -> None:
    start = round(start_seconds * SAMPLE_RATE)
    end = min(len(mix), start + len(sound))
    mix[start:end] += sound[: end - start]


def _level(wave: Wave) -> Wave:
    loudness = np.sqrt(np.mean(wave**2))
    return np.asarray(wave * min(LOUDNESS / max(loudness, 1e-9), PEAK / max(float(np.abs(wave).max()), 1e-9)))


def background(scene: Scene) -> Wave:
    """White, pink or brown noise of the scene's level."""
    rng = np.random.default_rng([scene.seed, 815])
    samples = round(scene.duration_seconds * SAMPLE_RATE)
    slope = rng.choice([0.0, 0.5, 1.0])
    noise = _noise(samples, rng, lambda hertz: 1 / np.maximum(hertz, 50.0) ** slope)
    return noise * 10 ** (scene.noise_db / 20) / max(float(np.sqrt(np.mean(noise**2))), 1e-9)


def _noise(samples: int, rng: Rng, gain: Callable[[Wave], Wave]) -> Wave:
    """Noise with the amplitude `gain` at each frequency in hertz."""
    padded = -(-samples // 4800) * 4800
    hertz = np.asarray(np.fft.rfftfreq(padded, 1 / SAMPLE_RATE), np.float64)
    spectrum = np.fft.rfft(rng.standard_normal(padded)) * gain(hertz)
    return np.fft.irfft(spectrum, padded)[:samples]


def _band(samples: int, rng: Rng, low_hertz: float, high_hertz: float) -> Wave:
    """Noise between two frequencies, with a peak of about 1."""
    wave = _noise(samples, rng, lambda hertz: ((hertz > low_hertz) & (hertz < high_hertz)).astype(np.float64))
    return wave / max(float(np.abs(wave).max()), 1e-9)


def _since(t: Wave, period_seconds: float) -> Wave:
    """Seconds since the last beat, of regular beats from 0 on."""
    return np.mod(t, period_seconds)


def _phase(hertz: Wave) -> Wave:
    """The phase, in radians, of an oscillator with changing frequency."""
    return 2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE


def _siren(t: Wave, rng: Rng) -> Wave:
    low, high, rate = rng.uniform(500, 700), rng.uniform(1200, 1600), rng.uniform(0.8, 1.6)
    sweep = np.abs(2 * np.mod(t * rate + rng.random(), 1) - 1)
    phase = _phase(low + (high - low) * sweep)
    return np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase)


def _train(t: Wave, rng: Rng) -> Wave:
    """Puffs of steam over a rumble, beginning with a horn's chord."""
    chuff = _band(len(t), rng, 300, 3000) * np.exp(-_since(t, 1 / rng.uniform(3.5, 5)) / 0.09)
    rumble = _band(len(t), rng, 30, 140)
    tune = rng.uniform(0.95, 1.06)
    tones = (2 * np.pi * hertz * t for hertz in (311, 370, 466))
    horn = sum((np.sin(tune * tone + np.sin(tone)) for tone in tones), 0 * t)
    return chuff + 0.5 * rumble + 0.22 * horn * (t < rng.uniform(0.5, 0.8))


def _bell(t: Wave, rng: Rng) -> Wave:
    """Strikes with a bell's inharmonic partials (hum, prime, tierce, quint, nominal and above)."""
    since, pitch = _since(t, rng.uniform(0.6, 0.9)), rng.uniform(380, 700)
    partials = ((0.5, 0.5, 0.9), (1, 1.0, 0.7), (1.19, 0.7, 0.6), (1.5, 0.4, 0.5), (2, 0.8, 0.4), (2.74, 0.5, 0.25))
    return sum((g * np.sin(2 * np.pi * pitch * r * since) * np.exp(-since / d) for r, g, d in partials), 0 * t)


def _bark(t: Wave, rng: Rng) -> Wave:
    since, length = _since(t, rng.uniform(0.3, 0.42)), rng.uniform(0.15, 0.19)
    share = np.clip(since / length, 0, 1)
    phase = 2 * np.pi * rng.uniform(330, 520) * (since - 0.25 * since * share)
    growl = sum((np.sin(k * phase) / (1 + 0.5 * abs(k - 3)) for k in range(1, 9)), 0 * t)
    return (growl + 1.2 * _band(len(t), rng, 500, 2500)) * np.sin(np.pi * share) ** 0.7


def _rain(t: Wave, rng: Rng) -> Wave:
    knee = rng.uniform(1500, 3000)
    return _noise(len(t), rng, lambda hertz: (hertz / knee) / (1 + (hertz / knee) ** 2) * (hertz < 12_000))


def _engine(t: Wave, rng: Rng) -> Wave:
    pitch = rng.uniform(45, 85)
    phase = _phase(pitch * (1 + 0.06 * np.sin(2 * np.pi * rng.uniform(0.2, 0.6) * t)))
    rumble = sum((np.sin(k * phase + k * k) / k**0.8 for k in range(1, 16)), 0 * t)
    return rumble * (1 + 0.5 * np.sin(phase / 2)) + 0.3 * _band(len(t), rng, 40, 400)


def _clock(t: Wave, rng: Rng) -> Wave:
    """Alternating tick and tock."""
    period, pitch = rng.uniform(0.24, 0.33), rng.uniform(1700, 2300)
    since, tock = _since(t, period), np.mod(np.floor(t / period), 2)
    tick = np.sin(2 * np.pi * pitch * (1 - 0.25 * tock) * since) + 0.5 * np.sin(2 * np.pi * 2.63 * pitch * since)
    return tick * np.exp(-since / 0.014)


def _phone(t: Wave, rng: Rng) -> Wave:
    """A bell that trills between two tones."""
    low, trill = rng.uniform(1250, 1500), rng.uniform(11, 15)
    second = np.mod(t * trill, 1) > 0.5
    phase = _phase(np.where(second, 1.26 * low, low))
    return (np.sin(phase) + 0.3 * np.sin(3 * phase)) * (_since(t, 0.8) < 0.62)


def _drum(t: Wave, rng: Rng) -> Wave:
    since, pitch = _since(t, rng.uniform(0.22, 0.34)), rng.uniform(55, 95)
    thump = np.sin(2 * np.pi * pitch * (since + 0.045 * (1 - np.exp(-since / 0.03)))) * np.exp(-since / 0.11)
    return thump + 0.25 * _band(len(t), rng, 200, 1200) * np.exp(-since / 0.012)


def _notes(t: Wave, rng: Rng) -> Wave:
    """A melody on five notes that decay like a piano's."""
    period = rng.uniform(0.22, 0.32)
    scale = rng.uniform(250, 300) * 2 ** (np.array([0, 2, 4, 7, 9, 12]) / 12)
    melody = scale[rng.integers(len(scale), size=int(t[-1] / period) + 1)] if len(t) else scale
    since, pitch = _since(t, period), melody[(t / period).astype(int)]
    tones = ((1, 1.0, 0.35), (2, 0.5, 0.25), (3, 0.3, 0.18), (4, 0.15, 0.12))
    return sum((g * np.sin(2 * np.pi * k * pitch * since) * np.exp(-since / d) for k, g, d in tones), 0 * t)


def _birds(t: Wave, rng: Rng) -> Wave:
    """Chirps between 2.5 and 6 kHz, each sweeping up or down."""
    period = rng.uniform(0.12, 0.2)
    chirp = (t / period).astype(int)
    count = int(chirp[-1]) + 1 if len(t) else 1
    start, sweep = rng.uniform(3000, 5000, count)[chirp], rng.choice([-7000, 7000, 12_000], count)[chirp]
    since, length = _since(t, period), 0.75 * period
    hertz = np.clip(start + sweep * since, 2400, 6200)
    return np.sin(_phase(hertz)) * np.sin(np.pi * np.clip(since / length, 0, 1)) ** 0.8


def _applause(t: Wave, rng: Rng) -> Wave:
    """Many claps at random times, each a short burst of noise."""
    claps = (rng.random(len(t)) < rng.uniform(50, 90) / SAMPLE_RATE) * rng.uniform(0.4, 1.0, len(t))
    decay = np.exp(-np.arange(2400) / SAMPLE_RATE / 0.008)
    size = -(-(len(t) + 2400) // 4800) * 4800
    strength = np.fft.irfft(np.fft.rfft(claps, size) * np.fft.rfft(decay, size), size)[: len(t)]
    return (np.maximum(strength, 0) + 0.04) * _band(len(t), rng, 700, 3500)


def _beep(t: Wave, rng: Rng) -> Wave:
    return np.sin(2 * np.pi * rng.uniform(960, 1040) * t) * (_since(t, rng.uniform(0.3, 0.4)) < 0.2)


def _thunder(t: Wave, rng: Rng) -> Wave:
    """A crack, then a low roll that swells and sinks."""
    roll = _noise(len(t), rng, lambda hertz: (hertz > 25) / (1 + (hertz / 90) ** 2))
    swell = 1 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.9, 1.8) * t + rng.uniform(0, 6))
    crack = _band(len(t), rng, 100, 1500) * np.exp(-t / 0.15)
    return roll / max(float(np.abs(roll).max()), 1e-9) * swell * (0.35 + np.exp(-t / 0.8)) + 0.8 * crack


_MAKERS: Mapping[str, Callable[[Wave, Rng], Wave]] = {
    "siren": _siren,
    "train": _train,
    "bell": _bell,
    "bark": _bark,
    "rain": _rain,
    "engine": _engine,
    "clock": _clock,
    "phone": _phone,
    "drum": _drum,
    "notes": _notes,
    "birds": _birds,
    "applause": _applause,
    "beep": _beep,
    "thunder": _thunder,
}
