"""The clips of sample_media/, defined by hand: python -m training.sample_media makes them again.

None of these scenes is in the training data: their seeds, which choose backgrounds and noise, are above training's.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import PesearchError
from training.render import write_audio, write_picture, write_video
from training.scene import Heard, Said, Scene, Seen
from training.truths import Truth, truth_of, write_truths

FOLDER = Path(__file__).resolve().parent.parent / "sample_media"
FRAMES_PER_SECOND = 15
SEED = 500_000


@dataclass(frozen=True, slots=True)
class Sample:
    """A file: its scenes one after another, and its captions. A PNG shows the first moment of its scene."""

    name: str
    scenes: tuple[Scene, ...]
    audio_caption: str
    video_caption: str
    caption: str
    sound: bool = True


def samples() -> list[Sample]:
    """Every file of sample_media/."""
    return [*_pairs(), *_singles(), *_spoken(), *_others()]


def write_samples(folder: Path) -> list[Truth]:
    """Write every sample and truths.json into the folder, replacing existing ones."""
    folder.mkdir(parents=True, exist_ok=True)
    truths = []
    for sample in samples():
        _write(folder / sample.name, sample)
        captions = (sample.audio_caption, sample.video_caption, sample.caption)
        truths.append(truth_of(sample.name, sample.scenes, *captions))
    write_truths(folder / "truths.json", truths)
    return truths


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Exit status: 0 done, 2 error."""
    parser = argparse.ArgumentParser(prog="python -m training.sample_media", description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder (default: sample_media of this repository)")
    options = parser.parse_args(arguments)
    try:
        truths = write_samples(options.out)
    except (PesearchError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{len(truths)} files in {options.out}", file=sys.stderr)
    return 0


def _pairs() -> list[Sample]:
    return [
        Sample(
            "siren_train.mp4",
            (
                _scene(
                    1, "night", (_heard("siren", 0.6, 2.8), _heard("train", 3.0, 5.6)), duration_seconds=6.0,
                    seen=(
                        _seen("car", "blue", y=0.3, size=0.3, seconds=6.0, flashing=True),
                        _seen("train", "red", "moving right", y=0.74, size=0.32, seconds=6.0),
                    ),
                ),
            ),
            "a siren and then a train",
            "a blue car and a red train moving right at night",
            "a siren and a train can be heard, a blue car and a red train moving right at night",
        ),
        Sample(
            "rain_thunder.mp4",
            (_scene(2, "night", (_heard("rain", 0.2, 2.1), _heard("thunder", 2.2, 3.9)), seen=(_seen("rain"),)),),
            "rain and thunder",
            "rain at night",
            "rain and thunder can be heard, rain at night",
        ),
        Sample(
            "phone_people.mp4",
            (
                _scene(
                    3, "city", (_heard("phone", 1.0, 3.2),),
                    seen=(_seen("phone", "green", y=0.28, size=0.4), _seen("people", y=0.74, size=0.42)),
                ),
            ),
            "a phone ringing",
            "a green phone and people in the city",
            "a phone ringing can be heard, a green phone and people in the city",
        ),
    ]  # fmt: skip


def _singles() -> list[Sample]:
    return [
        _single("dog_bark.mp4", 4, "bark", (0.8, 3.2), _seen("dog", motion="jumping", y=0.64), "field",
                "a dog barking", "a dog jumping in a field"),
        _single("bell.mp4", 5, "bell", (0.7, 3.3), _seen("bell"), "day", "a ringing bell", "a bell by day"),
        _single("birds_day.mp4", 6, "birds", (0.5, 3.3), _seen("bird", "blue", "moving left"), "day",
                "birds", "a blue bird moving left by day"),
        _single("drum.mp4", 7, "drum", (0.6, 3.2), _seen("drum", "yellow"), "field",
                "drums", "a yellow drum in a field"),
        _single("engine_car.mp4", 8, "engine", (0.8, 3.4), _seen("car", "white", "moving right", size=0.42), "city",
                "an engine", "a white car moving right in the city"),
    ]  # fmt: skip


def _spoken() -> list[Sample]:
    gap = Said("mind the gap", 1.2, 2.2, "en-gb", 150, 50)
    coffee = Said("the coffee is ready", 1.0, 2.3, "en-us+f3", 150, 50)
    return [
        Sample(
            "speech_platform.mp4",
            (_scene(9, "city", said=(gap,), seen=(_seen("train", "green", size=0.44),)),),
            'a voice says "mind the gap"',
            "a green train in the city",
            'a voice says "mind the gap", a green train in the city',
        ),
        Sample(
            "speech_house.mp4",
            (_scene(10, "sea", said=(coffee,), seen=(_seen("house", "red"),)),),
            'someone says "the coffee is ready"',
            "a red house by the sea",
            'someone says "the coffee is ready", a red house by the sea',
        ),
    ]


def _others() -> list[Sample]:
    """Sound alone, a still picture, a video without sound, and a longer video of several scenes."""
    return [
        Sample("siren_alone.wav", (_scene(11, "", (_heard("siren", 0.5, 3.5),)),), "a siren", "", "a siren"),
        Sample("red_ball.png", (_still(_seen("ball", "red", seconds=0.0)),), "", "a red ball by day",
               "a red ball by day"),
        Sample("silent_sun.mp4", (_scene(13, "sea", seen=(_seen("sun"),)),), "", "the sun by the sea",
               "the sun by the sea", sound=False),
        Sample(
            "six_scenes.mp4",
            _six_scenes(),
            'a clock, applause, a beep, notes, a voice says "see you tomorrow"',
            "a clock, people in the city, a green ball in a field, a yellow house at night, a white phone, a blue ball",
            'a clock, people and applause, a beep, notes and a yellow house, a voice says "see you tomorrow"',
        ),
    ]  # fmt: skip


def _six_scenes() -> tuple[Scene, ...]:
    """24 seconds. The other samples contain none of its sounds and phrases."""
    tomorrow = Said("see you tomorrow", 1.2, 2.4, "en-us", 150, 50)
    return (
        _scene(14, "day", (_heard("clock", 0.6, 3.4),), seen=(_seen("clock"),)),
        _scene(15, "city", (_heard("applause", 0.6, 3.4),), seen=(_seen("people"),)),
        _scene(16, "field", (_heard("beep", 0.6, 3.4),), seen=(_seen("ball", "green", "jumping", y=0.64),)),
        _scene(17, "night", (_heard("notes", 0.6, 3.4),), seen=(_seen("house", "yellow"),)),
        _scene(18, "sea", said=(tomorrow,), seen=(_seen("phone", "white"),)),
        _scene(19, "day", seen=(_seen("ball", "blue", "moving left"),)),
    )


def _single(
    name: str, number: int, what: str, span: tuple[float, float], seen: Seen, place: str, heard: str, shown: str
) -> Sample:
    """Four seconds of one sound and one object."""
    scene = _scene(number, place, (_heard(what, *span),), seen=(seen,))
    return Sample(name, (scene,), heard, shown, f"{heard} can be heard, {shown}")


def _scene(
    number: int,
    place: str,
    heard: tuple[Heard, ...] = (),
    said: tuple[Said, ...] = (),
    seen: tuple[Seen, ...] = (),
    duration_seconds: float = 4.0,
) -> Scene:
    return Scene(SEED + number, duration_seconds, place, heard, said, seen, noise_db=-48.0)


def _still(seen: Seen) -> Scene:
    """A picture has no length: its ground truth spans from 0 to 0."""
    return _scene(12, "day", seen=(seen,), duration_seconds=0.0)


def _heard(what: str, start_seconds: float, end_seconds: float) -> Heard:
    return Heard(what, start_seconds, end_seconds, gain_db=-3.0, variant=SEED)


def _seen(
    what: str,
    colour: str | None = None,
    motion: str = "still",
    y: float = 0.56,
    size: float = 0.54,
    seconds: float = 4.0,
    flashing: bool = False,
) -> Seen:
    return Seen(what, colour, motion, 0.0, seconds, x=0.5, y=y, size=size, flashing=flashing)


def _write(path: Path, sample: Sample) -> None:
    if path.suffix == ".png":
        write_picture(path, sample.scenes[0])
    elif path.suffix == ".wav":
        write_audio(path, sample.scenes[0])
    else:
        write_video(path, sample.scenes, FRAMES_PER_SECOND, sample.sound)


if __name__ == "__main__":
    sys.exit(main())
