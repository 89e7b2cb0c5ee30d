"""The search controls of the page: they hold the query, and most of them keep it in the page's URL too.

The options of the two selectors are values in URLs: renaming one breaks bookmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pesearch.app.filter_controls import read_filters
from pesearch.app.server_state import is_read_only, library
from pesearch.app.uploads import save_recording, save_upload, upload_folder
from pesearch.app.viewers import ensure_library_examples
from pesearch.media.sniff import sniff
from pesearch.search.query.language.parser import parse
from pesearch.search.query.request import SearchRequest
from pesearch.types import MediaKind, Sense

MOMENTS_PER_PAGE = 40
"""Moments in the first result and in each further page: enough for a histogram of their scores."""

SENSES = {"anything": None, "seen": Sense.SEEN, "heard": Sense.HEARD, "said": Sense.SAID}
EXAMPLE_TYPES = [
    *("wav", "mp3", "m4a", "aac", "flac", "ogg", "opus"), *("jpg", "jpeg", "png", "webp"),
    *("mp4", "mov", "mkv", "webm", "avi", "m4v", "ts"),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Examples:
    """The example file of a query, by its kind."""

    audio: Path | None = None
    video: Path | None = None
    image: Path | None = None


def read_request() -> SearchRequest | None:
    """Lay out the controls and read the query; None when there is none. Raises QueryError for an invalid one."""
    bar, chips = st.columns([3, 2], vertical_alignment="bottom")
    text = bar.text_input(
        "Search",
        key="text",
        type="search",
        bind="query-params",
        placeholder="siren and train",
        help="Plain words, or a query: heard:siren THEN seen:train, said:&quot;mind the gap&quot;, -music",
    )
    sense = chips.segmented_control(
        "Match", list(SENSES), key="sense", default="anything", required=True, bind="query-params"
    )
    examples = _read_examples()
    dedupe = st.sidebar.toggle("Hide near-duplicates", key="dedupe", bind="query-params")
    files, per_file = read_filters()
    query = _restrict_to_sense(text or "", SENSES[sense or "anything"])
    if query and is_read_only():
        ensure_library_examples(query, library())
    if not (query or examples != Examples()):
        return None
    return SearchRequest(
        text=query, audio=examples.audio, video=examples.video, image=examples.image,
        k=MOMENTS_PER_PAGE, per_file=per_file, dedupe=dedupe, files=files,
    )  # fmt: skip


def _restrict_to_sense(text: str, sense: Sense | None) -> str:
    """The query restricted to a sense. Raises QuerySyntaxError with positions in the text as it was typed."""
    if not text.strip():
        return ""
    parse(text)
    return text if sense is None else f"{sense}:({text})"


def _read_examples() -> Examples:
    """The recording or else the uploaded file, if there is any."""
    with st.popover("Search by sound, picture or clip", icon=":material/attach_file:"):
        upload = st.file_uploader("Upload a sound, a picture or a clip", type=EXAMPLE_TYPES, key="example")
        recording = st.audio_input("Or record a sound: hum, play or say it", sample_rate=48_000, key="recording")
    if recording:
        return Examples(audio=save_recording(recording, upload_folder()))
    path = save_upload(upload, upload_folder())
    if path is None:
        return Examples()
    kind = sniff(path)
    if kind is MediaKind.AUDIO:
        return Examples(audio=path)
    return Examples(image=path) if kind is MediaKind.IMAGE else Examples(video=path)
