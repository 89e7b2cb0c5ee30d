"""JSON objects of moments, events and cues, in the documented shapes; times are in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from pesearch.cues import FoundCue
    from pesearch.damage import DamagedFile
    from pesearch.search.search import SearchResult
    from pesearch.types import Event, MediaFile, MediaInfo, Moment, Remark


def moment_object(result: SearchResult, moment: Moment) -> dict[str, Any]:
    """The JSON object of a moment of a search result."""
    return {
        "rank": moment.rank,
        **interval_object(moment.file.path, moment.start_seconds, moment.end_seconds),
        "online": moment.file.is_online,
        "missing": moment.file.is_missing,
        "score": rounded(moment.score),
        "score_kind": result.score_kind,
        "confident": result.is_match(moment),
        "evidence": [
            {
                "space": str(hit.space),
                "start": seconds(hit.start_seconds),
                "end": seconds(hit.end_seconds),
                "score": rounded(hit.score),
                "rank": hit.rank,
            }
            for hit in moment.evidence
        ],
        "events": [event_object(event) for event in moment.events],
        "cues": [cue_object(cue) for cue in moment.cues],
        "media": media_object(moment.file.info),
        "recording": recording_object(moment.file),
        "remarks": [remark_object(remark) for remark in moment.file.remarks],
    }


def interval_object(path: Path, start_seconds: float, end_seconds: float) -> dict[str, Any]:
    """An interval of a file: the fields that search results and exported selections have in common."""
    return {"path": str(path), "start": seconds(start_seconds), "end": seconds(end_seconds)}


def cue_object(cue: FoundCue) -> dict[str, Any]:
    """The JSON object of a cue; `found_by` is "words" or "meaning"."""
    return {
        "text": cue.text,
        "start": seconds(cue.start_seconds),
        "end": seconds(cue.end_seconds),
        "kind": str(cue.kind),
        "source": cue.source,
        "found_by": str(cue.found_by),
    }


def event_object(event: Event) -> dict[str, Any]:
    """The JSON object of a located sound."""
    return {
        "label": event.label,
        "start": seconds(event.start_seconds),
        "end": seconds(event.end_seconds),
        "score": rounded(event.score),
    }


def media_object(media: MediaInfo) -> dict[str, Any]:
    """The JSON object of the streams of a file, as exports need it."""
    video, audio = media.video, media.audio
    return {
        "kind": str(media.kind),
        "duration": seconds(media.duration_seconds),
        "frames_per_second": round(video.frames_per_second, 5) if video else None,
        "width": video.width if video else None,
        "height": video.height if video else None,
        "sample_rate": audio.sample_rate if audio else None,
        "channels": audio.channels if audio else None,
    }


def remark_object(remark: Remark) -> dict[str, Any]:
    """The JSON object of a remark; `seconds` and `sidecar` may be null."""
    return {
        "reason": remark.reason,
        "seconds": None if remark.seconds is None else seconds(remark.seconds),
        "sidecar": str(remark.sidecar) if remark.sidecar else None,
    }


def damage_object(file: DamagedFile) -> dict[str, Any]:
    """The JSON object of damaged vectors or sound features of a file."""
    return {
        "path": str(file.path),
        "data": file.data,
        "rows": file.rows,
        "lost": file.lost,
        "restored": file.restored,
        "reason": file.reason,
    }


def recording_object(file: MediaFile) -> dict[str, Any]:
    """When, where and with what a file was recorded; null where it does not say.

    `date` is ISO 8601: without an offset it is the local time of the recording, with `Z` that local time is unknown.
    `date_source` is a `DateSource`. `rotation` is how far the stored pictures are turned clockwise to be shown.
    """
    properties, captured = file.properties, file.captured
    place = properties.place if properties else None
    video, audio = file.info.video, file.info.audio
    return {
        "date": captured.text if captured else None,
        "date_source": str(captured.source) if captured else None,
        "place": {"latitude": place.latitude, "longitude": place.longitude, "altitude": place.altitude_meters}
        if place
        else None,
        "camera": (properties.camera or None) if properties else None,
        "rotation": properties.rotation_degrees if properties and video else None,
        "video_codec": video.codec if video else None,
        "audio_codec": audio.codec if audio else None,
        "subtitles": file.has_subtitles,
    }


def seconds(value: float) -> float:
    """Rounds a time to milliseconds."""
    return round(float(value), 3)


def rounded(value: float) -> float:
    """Rounds a score to four digits."""
    return round(float(value), 4)
