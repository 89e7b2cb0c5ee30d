"""truths.json: what is seen, heard and said in clips, with times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pesearch.errors import QueryError
from pesearch.evaluation.table_reader import read_json
from pesearch.types import MediaFile


@dataclass(frozen=True, slots=True)
class Truth:
    """A sound, an object or a spoken phrase in a clip, with its interval.

    `details` are its other attributes as "name:value", such as the colour and movement of an object.
    """

    what: str
    start_seconds: float
    end_seconds: float
    details: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ClipTruth:
    """The annotation of one clip, with captions ("" if missing).

    `place` is the setting, `sources` are the objects that make the sounds; both may be empty.
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
        """Facts that a caption of the sound may state: each sound and each spoken phrase."""
        return frozenset(
            {f"heard:{truth.what}" for truth in self.heard} | {f"said:{truth.what}" for truth in self.said}
        )

    def seen_facts(self) -> frozenset[str]:
        """Facts that a caption of the picture may state: each object, each of its details, and the place."""
        details = {f"seen:{truth.what}:{detail}" for truth in self.seen for detail in truth.details}
        place = {f"place:{self.place}"} if self.place else set()
        return frozenset({f"seen:{truth.what}" for truth in self.seen} | details | place)

    def sound_sources(self) -> frozenset[str]:
        """The sources of the sounds; if they are not annotated, the sounds themselves."""
        return self.sources or frozenset(truth.what for truth in self.heard)

    def visible_objects(self) -> frozenset[str]:
        """The names of the objects in the picture."""
        return frozenset(truth.what for truth in self.seen)


@dataclass(frozen=True, slots=True)
class JudgedClip:
    """The annotation of a clip and its file in the library."""

    truth: ClipTruth
    file: MediaFile


def read_truths(path: Path) -> tuple[ClipTruth, ...]:
    """Read a truths.json; paths become absolute. Raises QueryError with the number of the invalid clip."""
    content = read_json(path)
    clips = content.get("clips") if isinstance(content, dict) else None
    if not isinstance(clips, list) or not clips:
        raise QueryError(f'{path} has no clips: expected {{"clips": [{{"path": ...}}, ...]}}')
    return tuple(_clip(clip, path, number) for number, clip in enumerate(clips, start=1))


def _clip(clip: Any, path: Path, number: int) -> ClipTruth:
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
        raise QueryError(f"{path}: clip {number} is not as `pesearch eval --help` describes: {error}") from error


def _truth(entry: dict[str, Any], name: str) -> Truth:
    """One entry; its other string values become details."""
    start, end = float(entry["start"]), float(entry["end"])
    if not 0 <= start <= end:
        raise ValueError(f"{entry[name]!r} has no valid times: {start:g} to {end:g} s")
    details = {f"{key}:{value}" for key, value in entry.items() if key != name and isinstance(value, str)}
    return Truth(_text(entry[name]), start, end, frozenset(details))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value
