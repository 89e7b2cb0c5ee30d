"""JSON objects of moments, events and cues, in the documented shapes; times are in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pesearch.cues import Cue, FoundCue
    from pesearch.damage import DamagedFile
    from pesearch.search.json_types import (
        CueObject,
        DamageObject,
        EventObject,
        EventsObject,
        FileObject,
        IntervalObject,
        MediaObject,
        MomentObject,
        NearDuplicateObject,
        RecordingObject,
        RemarkedObject,
        RemarkObject,
        ResultObject,
        TextObject,
    )
    from pesearch.search.result import SearchResult
    from pesearch.types import Event, MediaFile, MediaInfo, Moment, NearDuplicate, Remark

JSON_VERSION = 1
"""`version` of the objects: it rises when a field goes or changes its meaning. New fields leave it as it is."""


def result_object(result: SearchResult, moments: Sequence[Moment]) -> ResultObject:
    """The JSON object of a search result with `moments`, those of it to show, best first."""
    return {
        "version": JSON_VERSION,
        "query": result.query,
        "model": result.model,
        "library": str(result.library),
        "moments": [moment_object(result, moment) for moment in moments],
        "compared": result.compared,
        "damaged": [damage_object(file) for file in result.damaged],
    }


def events_object(path: Path, events: Iterable[Event]) -> EventsObject:
    """The JSON object of the located sounds of one file."""
    return {"version": JSON_VERSION, "path": str(path), "events": [event_object(event) for event in events]}


def moment_object(result: SearchResult, moment: Moment) -> MomentObject:
    """The JSON object of a moment of a search result."""
    return {
        "rank": moment.rank,
        "file_id": moment.file.id,
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
        "near_duplicates": [near_duplicate_object(moment) for moment in moment.near_duplicates],
        "media": media_object(moment.file.info),
        "recording": recording_object(moment.file),
        "remarks": [remark_object(remark) for remark in moment.file.remarks],
    }


def near_duplicate_object(moment: NearDuplicate) -> NearDuplicateObject:
    """The JSON object of a moment that was folded into a better one."""
    return {
        **interval_object(moment.file.path, moment.start_seconds, moment.end_seconds),
        "file_id": moment.file.id,
        "score": rounded(moment.score),
    }


def file_object(file: MediaFile) -> FileObject:
    """The JSON object of a file of a library."""
    return {
        "file_id": file.id,
        "path": str(file.path),
        "paths": [str(location.path) for location in file.locations],
        "online": file.is_online,
        "missing": file.is_missing,
        "media": media_object(file.info),
        "recording": recording_object(file),
        "remarks": [remark_object(remark) for remark in file.remarks],
    }


def interval_object(path: Path, start_seconds: float, end_seconds: float) -> IntervalObject:
    """An interval of a file: the fields that search results and exported selections have in common."""
    return {"path": str(path), "start": seconds(start_seconds), "end": seconds(end_seconds)}


def text_object(cue: Cue) -> TextObject:
    """The JSON object of a cue."""
    return {
        "text": cue.text,
        "start": seconds(cue.start_seconds),
        "end": seconds(cue.end_seconds),
        "kind": str(cue.kind),
        "source": cue.source,
    }


def cue_object(cue: FoundCue) -> CueObject:
    """The JSON object of a cue that a query found; `found_by` is "words" or "meaning"."""
    return {**text_object(cue), "found_by": str(cue.found_by)}


def event_object(event: Event) -> EventObject:
    """The JSON object of a located sound."""
    return {
        "label": event.label,
        "start": seconds(event.start_seconds),
        "end": seconds(event.end_seconds),
        "score": rounded(event.score),
    }


def media_object(media: MediaInfo) -> MediaObject:
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


def remark_object(remark: Remark) -> RemarkObject:
    """The JSON object of a remark; `seconds` and `sidecar` may be null."""
    return {
        "reason": remark.reason,
        "seconds": None if remark.seconds is None else seconds(remark.seconds),
        "sidecar": str(remark.sidecar) if remark.sidecar else None,
    }


def remarked_object(path: Path, remark: Remark) -> RemarkedObject:
    """The JSON object of a remark on the file at `path`."""
    return {"path": str(path), **remark_object(remark)}


def damage_object(file: DamagedFile) -> DamageObject:
    """The JSON object of damaged vectors or sound features of a file."""
    return {
        "path": str(file.path),
        "data": file.data,
        "rows": file.rows,
        "lost": file.lost,
        "restored": file.restored,
        "reason": file.reason,
    }


def recording_object(file: MediaFile) -> RecordingObject:
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
