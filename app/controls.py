"""What is asked, as the page's controls and its address hold it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import streamlit as st

from pesearch.app.uploads import kept_recording, kept_upload
from pesearch.errors import QueryError
from pesearch.media.sniff import sniff
from pesearch.search.query.file_filter import FileFilter, duration_seconds
from pesearch.search.query.language.parser import parse
from pesearch.search.query.request import SearchRequest
from pesearch.settings import expand_home
from pesearch.types import MediaKind, Sense

MOMENTS = 40
"""So many moments are asked for, and so many more each time: enough for a histogram of their scores."""

SENSES = {"anything": None, "seen": Sense.SEEN, "heard": Sense.HEARD, "said": Sense.SAID}
KINDS = {"every kind": None, "video": MediaKind.VIDEO, "audio": MediaKind.AUDIO, "image": MediaKind.IMAGE}
EXAMPLE_TYPES = [
    *("wav", "mp3", "m4a", "aac", "flac", "ogg", "opus"), *("jpg", "jpeg", "png", "webp"),
    *("mp4", "mov", "mkv", "webm", "avi", "m4v", "ts"),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Examples:
    """The files that are asked with."""

    audio: Path | None = None
    video: Path | None = None
    image: Path | None = None


def asked() -> SearchRequest | None:
    """The question, None while nothing is asked. Raises QueryError for what cannot be asked."""
    bar, chips = st.columns([3, 2], vertical_alignment="bottom")
    text = bar.text_input(
        "What is seen, heard or said",
        key="text",
        type="search",
        bind="query-params",
        placeholder="siren and train",
        help="Plain words, or a query: heard:siren THEN seen:train, said:&quot;mind the gap&quot;, -music",
    )
    sense = chips.segmented_control(
        "Look for it as", list(SENSES), key="sense", default="anything", required=True, bind="query-params"
    )
    examples = _examples()
    files, per_file = _filters()
    written = _narrowed(text or "", SENSES[sense or "anything"])
    if not (written or examples != Examples()):
        return None
    return SearchRequest(
        text=written, audio=examples.audio, video=examples.video, image=examples.image,
        k=MOMENTS, per_file=per_file, files=files,
    )  # fmt: skip


def _narrowed(text: str, sense: Sense | None) -> str:
    """The text, narrowed to a sense. Raises QuerySyntaxError with the place in the text as it was typed."""
    if not text.strip():
        return ""
    parse(text)
    return text if sense is None else f"{sense}:({text})"


def _examples() -> Examples:
    """A file that was dropped, or a recording."""
    with st.popover("Search by a sound, picture or clip", icon=":material/attach_file:"):
        dropped = st.file_uploader("Drop a sound, a picture or a clip", type=EXAMPLE_TYPES, key="example")
        spoken = st.audio_input("Or record it: hum, play or say it", sample_rate=48_000, key="recording")
    if spoken:
        return Examples(audio=kept_recording(spoken))
    path = kept_upload(dropped)
    if path is None:
        return Examples()
    kind = sniff(path)
    if kind is MediaKind.AUDIO:
        return Examples(audio=path)
    return Examples(image=path) if kind is MediaKind.IMAGE else Examples(video=path)


def _filters() -> tuple[FileFilter, int | None]:
    """Which files are asked, and how many moments of each."""
    with st.sidebar, st.expander("Which files", icon=":material/filter_list:"):
        kind = st.selectbox("Kind", list(KINDS), key="kind", bind="query-params")
        under = st.text_input("Under this folder", key="in", bind="query-params")
        longer = st.text_input("At least so long", key="longer", bind="query-params", placeholder="90s, 5m, 1:30")
        shorter = st.text_input("At most so long", key="shorter", bind="query-params")
        after = st.text_input("Changed on or after", key="after", bind="query-params", placeholder="2026-01-31")
        before = st.text_input("Changed before", key="before", bind="query-params")
        online = st.toggle("Only what can be opened now", key="online", bind="query-params")
        single = st.toggle("One moment of each file", key="single", bind="query-params")
    files = FileFilter(
        under=expand_home(under) if under else None,
        after=_day(after), before=_day(before), kind=KINDS[kind],
        at_least_seconds=duration_seconds(longer) if longer else None,
        at_most_seconds=duration_seconds(shorter) if shorter else None,
        online=online,
    )  # fmt: skip
    return files, 1 if single else None


def _day(text: str | None) -> date | None:
    """Raises QueryError for what is no day."""
    if not text:
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise QueryError(f"{text!r} is no day: write it as 2026-01-31") from error
