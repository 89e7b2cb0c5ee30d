"""truths.json: what is seen, heard and said in the clips beside it, and from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pesearch.errors import QueryError
from pesearch.evaluation.table_reader import read_json
from pesearch.types import MediaFile


@dataclass(frozen=True, slots=True)
class Truth:
    """One thing that is true of a clip from start to end: a sound, an object, or words that are spoken.

    `details` are further words that hold of it, such as an object's colour and movement.
    """

    what: str
    start_seconds: float
    end_seconds: float
    details: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ClipTruth:
    """All that is true of one clip, and captions that say it ("" where there is none).

    `place` is where it plays, `sources` are the objects that make its sounds; both may be unknown.
    """

    path: Path
    audio_caption: str
    video_caption: str
    caption: str
    heard: tuple[Truth, ...]
    seen: tuple[Truth, ...]
    said: tuple[Truth, ...]
    place: str
    sources: frozenset[str]

    def heard_facts(self) -> frozenset[str]:
        """What a text about the sound may say: each sound, and each phrase that is spoken."""
        return frozenset(
            {f"heard:{truth.what}" for truth in self.heard} | {f"said:{truth.what}" for truth in self.said}
        )

    def seen_facts(self) -> frozenset[str]:
        """What a text about the picture may say: each object with its details, and the place."""
        details = {f"seen:{truth.what}:{detail}" for truth in self.seen for detail in truth.details}
        place = {f"place:{self.place}"} if self.place else set()
        return frozenset({f"seen:{truth.what}" for truth in self.seen} | details | place)

    def sounding(self) -> frozenset[str]:
        """The objects that are heard: the sources where they are told, else what is heard."""
        return self.sources or frozenset(truth.what for truth in self.heard)

    def shows(self) -> frozenset[str]:
        """The objects that are seen."""
        return frozenset(truth.what for truth in self.seen)


@dataclass(frozen=True, slots=True)
class JudgedClip:
    """A clip's truth and its file in a library."""

    truth: ClipTruth
    file: MediaFile


def read_truths(path: Path) -> tuple[ClipTruth, ...]:
    """The clips of a truths.json, their paths made absolute. Raises QueryError naming the clip that is wrong."""
    content = read_json(path)
    clips = content.get("clips") if isinstance(content, dict) else None
    if not isinstance(clips, list) or not clips:
        raise QueryError(f'{path} has no clips: it should hold {{"clips": [{{"path": ...}}, ...]}}')
    return tuple(_clip(clip, path, number) for number, clip in enumerate(clips, start=1))


def _clip(clip: Any, path: Path, number: int) -> ClipTruth:
    """One entry of the list, checked."""
    try:
        return ClipTruth(
            path=(path.parent / _text(clip["path"])).absolute(),
            audio_caption=_text(clip.get("audio_caption", "")),
            video_caption=_text(clip.get("video_caption", "")),
            caption=_text(clip.get("caption", "")),
            heard=tuple(_truth(entry, "what") for entry in clip.get("heard", ())),
            seen=tuple(_truth(entry, "what") for entry in clip.get("seen", ())),
            said=tuple(_truth(entry, "text") for entry in clip.get("said", ())),
            place=_text(clip.get("place", "")),
            sources=frozenset(_text(entry) for entry in clip.get("sources", ())),
        )
    except KeyError as error:
        raise QueryError(f"{path}: clip {number} has no {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise QueryError(f"{path}: clip {number} is not as described in the documentation: {error}") from error


def _truth(entry: dict[str, Any], name: str) -> Truth:
    """A thing with its times; every further text in the entry is a detail of it."""
    start, end = float(entry["start"]), float(entry["end"])
    if not 0 <= start <= end:
        raise ValueError(f"{entry[name]!r} lasts from {start:g} to {end:g} s")
    details = {f"{key}:{value}" for key, value in entry.items() if key != name and isinstance(value, str)}
    return Truth(_text(entry[name]), start, end, frozenset(details))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value
