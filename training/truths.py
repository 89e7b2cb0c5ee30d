"""truths.json: what is heard, seen and said in each clip of a folder, and when."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path

from pesearch.store.disk.durable import write_atomically
from training.scene import Scene
from training.words import FIXED, MADE_BY


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound and its interval in seconds."""

    what: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Thing:
    """An object and its interval in seconds. `colour` and `motion` are None if the object has none."""

    what: str
    start: float
    end: float
    colour: str | None
    motion: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """A spoken phrase and its interval in seconds."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Truth:
    """A clip in truths.json. Captions of senses that the clip does not have are empty.

    `place` is empty when there is none or more than one; `sources` are the objects that make the sounds, seen or not.
    """

    path: str
    audio_caption: str
    video_caption: str
    caption: str
    heard: tuple[Sound, ...]
    seen: tuple[Thing, ...]
    said: tuple[Line, ...]
    place: str
    sources: tuple[str, ...]


def truth_of(path: str, scenes: Sequence[Scene], audio_caption: str, video_caption: str, caption: str) -> Truth:
    """The ground truth of a clip that shows the scenes one after another. Speech is also heard."""
    begins = list(accumulate((scene.duration_seconds for scene in scenes), initial=0.0))[:-1]
    timed = list(zip(scenes, begins, strict=True))
    heard = sorted((sound for scene, begin in timed for sound in _heard(scene, begin)), key=lambda sound: sound.start)
    places = {scene.place for scene in scenes}
    return Truth(
        path=path,
        audio_caption=audio_caption,
        video_caption=video_caption,
        caption=caption,
        heard=tuple(heard),
        seen=tuple(thing for scene, begin in timed for thing in _seen(scene, begin)),
        said=tuple(line for scene, begin in timed for line in _said(scene, begin)),
        place=places.pop() if len(places) == 1 else "",
        sources=tuple(sorted({MADE_BY[sound.what] for sound in heard if sound.what in MADE_BY})),
    )


def write_truths(path: Path, truths: Sequence[Truth]) -> None:
    """Write truths.json atomically."""
    text = json.dumps({"clips": [asdict(truth) for truth in truths]}, indent=1, ensure_ascii=False)
    write_atomically(path, lambda sink: sink.write(f"{text}\n".encode()), durable=False)


def _heard(scene: Scene, begin: float) -> list[Sound]:
    sounds = [Sound(x.what, _at(begin, x.start_seconds), _at(begin, x.end_seconds)) for x in scene.heard]
    return sounds + [Sound("speech", line.start, line.end) for line in _said(scene, begin)]


def _seen(scene: Scene, begin: float) -> list[Thing]:
    return [
        Thing(
            x.what,
            _at(begin, x.start_seconds),
            _at(begin, x.end_seconds),
            x.colour,
            None if x.what in FIXED else x.motion,
        )
        for x in scene.seen
    ]


def _said(scene: Scene, begin: float) -> list[Line]:
    return [Line(x.text, _at(begin, x.start_seconds), _at(begin, x.end_seconds)) for x in scene.said]


def _at(begin: float, seconds: float) -> float:
    """Seconds since the start of the clip, to the millisecond."""
    return round(begin + seconds, 3)
