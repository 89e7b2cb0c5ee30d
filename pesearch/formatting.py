"""Times, moments and paths as text for people, the same in the terminal and on the page."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from pesearch.capture_time import CaptureTime, DateSource
from pesearch.cues import CueKind, FoundBy, FoundCue
from pesearch.damage import DamagedFile
from pesearch.types import Event, Hit, MediaFile, MediaKind, Moment, NearDuplicate, Remark, SpaceName

MAX_CUE_CHARACTERS = 100
"""Longer cue texts are cut to this length, the last character being an ellipsis."""

MAX_DAMAGED = 5
"""Files with damaged data that are named."""

MAX_NEAR_DUPLICATES = 3
"""Near-equal moments that are named."""

SENSE_WORDS = {
    SpaceName.FRAME: "seen",
    SpaceName.VIDEO: "seen",
    SpaceName.AUDIO: "heard",
    SpaceName.AUDIO_VIDEO: "seen and heard",
}
"""The word shown for hits of each media space."""


def format_clock(value_seconds: float) -> str:
    """`MM:SS.s`, with hours if needed."""
    minutes, tenths = divmod(round(value_seconds * 10), 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{minutes:02d}:{tenths / 10:04.1f}"
    return f"{hours}:{tail}" if hours else tail


def format_span(start_seconds: float, end_seconds: float) -> str:
    """`MM:SS.s-MM:SS.s`."""
    return f"{format_clock(start_seconds)}-{format_clock(end_seconds)}"


def format_moment_time(moment: Moment | NearDuplicate) -> str:
    """`MM:SS.s-MM:SS.s` of a moment, or `still` for an image, which has no duration."""
    if moment.file.info.kind is MediaKind.IMAGE:
        return "still"
    return format_span(moment.start_seconds, moment.end_seconds)


def format_near_duplicates(near_duplicates: Sequence[NearDuplicate]) -> str:
    """`5 like it: copy.mp4 00:01.2-00:02.1, ...`: how many there are, and the first MAX_NEAR_DUPLICATES of them."""
    listed = near_duplicates[:MAX_NEAR_DUPLICATES]
    names = [f"{printable(each.path.name)} {format_moment_time(each)}" for each in listed]
    more = ["..."] if len(listed) < len(near_duplicates) else []
    return f"{len(near_duplicates)} like it: {', '.join([*names, *more])}"


def hidden_by_near_duplicates(compared: int) -> str:
    """A warning that only so many moments were compared to show near-equal ones once."""
    return f"only the {compared:,} best moments were compared, and others may match: narrow the query"


def format_absence(file: MediaFile) -> str:
    """Why a file cannot be opened: "not found" or "offline"; "" if it can be reached."""
    if file.is_online:
        return ""
    return "not found" if file.is_missing else "offline"


def format_evidence(evidence: Sequence[Hit]) -> str:
    """The best rank in each sense, best first: `heard #1, seen #3`."""
    best: dict[str, int] = {}
    for hit in evidence:
        sense = SENSE_WORDS[hit.space]
        best[sense] = min(hit.rank, best.get(sense, hit.rank))
    return ", ".join(f"{sense} #{rank}" for sense, rank in sorted(best.items(), key=lambda entry: entry[1]))


def format_cue(cue: FoundCue) -> str:
    """`subtitle 00:01.2-00:02.1 "mind the gap" (film.srt)`; a match by meaning ends in `(film.srt, by meaning)`."""
    is_timed = cue.kind not in (CueKind.TITLE, CueKind.DESCRIPTION)
    time = f" {format_span(cue.start_seconds, cue.end_seconds)}" if is_timed else ""
    text = cue.text if len(cue.text) <= MAX_CUE_CHARACTERS else f"{cue.text[: MAX_CUE_CHARACTERS - 1]}…"
    match = ", by meaning" if cue.found_by is FoundBy.MEANING else ""
    return f'{cue.kind}{time} "{text}" ({cue.source}{match})'


_DATE_WORDS = {
    DateSource.FILE_NAME: " (by its name)",
    DateSource.FILE_TIME: " (file date)",
}
"""Dates that the recording itself does not state."""


def format_recording(file: MediaFile) -> str:
    """`2019-07-04 23:34 +02:00 · Apple iPhone X · 1920x1080, 29.97 fps, hevc, aac · 48.85840, 2.29450`."""
    parts = [
        _format_captured(file.captured) if file.captured else "",
        file.properties.camera if file.properties else "",
    ]
    video, audio = file.info.video, file.info.audio
    streams = [f"{video.width}x{video.height}"] if video else []
    if video and video.frames_per_second:
        streams.append(f"{video.frames_per_second:.2f}".rstrip("0").rstrip(".") + " fps")
    streams += [stream.codec for stream in (video, audio) if stream]
    place = file.properties.place if file.properties else None
    parts += [", ".join(streams), f"{place.latitude:.5f}, {place.longitude:.5f}" if place else ""]
    return " · ".join(part for part in parts if part)


def _format_captured(time: CaptureTime) -> str:
    """Minutes in the local time of the recording if known, else in this system's time zone."""
    at = time.at if time.is_local else time.at.astimezone().replace(tzinfo=None)
    return (
        at.strftime("%Y-%m-%d %H:%M")
        + (f" {at.isoformat()[-6:]}" if at.tzinfo else "")
        + _DATE_WORDS.get(time.source, "")
    )


def format_event(event: Event) -> str:
    """`siren 00:02.0-00:07.6 (0.88)`."""
    return f"{event.label} {format_span(event.start_seconds, event.end_seconds)} ({event.score:.2f})"


def format_remark(remark: Remark) -> str:
    """`2 of 3 sound tracks are not searched (12.0 s)`, after the name of its sidecar if it is about one."""
    subject = f"{remark.sidecar.name}: " if remark.sidecar else ""
    length = "" if remark.seconds is None else f" ({format_length(remark.seconds)})"
    return printable(f"{subject}{remark.reason}{length}")


def damage_lines(damaged: Sequence[DamagedFile]) -> Iterator[str]:
    """A line for each of the first MAX_DAMAGED files with damaged data, and one for the others."""
    for file in damaged[:MAX_DAMAGED]:
        yield printable(f"{file.path}: {file}: run `pesearch doctor`")
    if len(damaged) > MAX_DAMAGED:
        yield f"{len(damaged) - MAX_DAMAGED:,} more with damaged vectors or sound features: run `pesearch doctor`"


def count_files(count: int) -> str:
    """`1 file`, `1,200 files`."""
    return "1 file" if count == 1 else f"{count:,} files"


def format_length(seconds: float) -> str:
    """`6.2 s`, `12.5 min`, `3.1 h`: three digits of a duration; `less than 0.1 s` where they would be 0."""
    if seconds < 0.05:
        return "less than 0.1 s"
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def mpv_command(moment: Moment) -> str:
    """The shell command that plays a moment from its start."""
    return f"mpv --start={moment.start_seconds:.1f} -- {quote_path(moment.file.path)}"


def quote_path(path: Path) -> str:
    """The path quoted for a shell, always on one line: with unprintable characters as `$'...'` (bash, zsh)."""
    text = str(path)
    if text.isprintable():
        return shlex.quote(text)
    body = "".join(char if char.isprintable() and char not in "'\\" else _escaped(char) for char in text)
    return f"$'{body}'"


def _escaped(char: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))


def printable(text: str, replacement: str | None = None) -> str:
    """The text on one line: control characters and undecodable bytes are escaped, or replaced by `replacement`."""
    return "".join(
        char if char.isprintable() else repr(char)[1:-1] if replacement is None else replacement for char in text
    )
