"""The filters in the sidebar: which files are searched. The page's URL keeps them, as options of `pesearch query`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from pesearch.search.query.file_filter import FileFilter, duration_seconds, parse_time
from pesearch.search.query.media_features import Feature, Orientation
from pesearch.search.query.picture_range import parse_frame_rate, parse_size
from pesearch.search.query.property_filter import PropertyFilter, parse_area
from pesearch.settings import expand_home
from pesearch.types import MediaKind

KINDS = {"every kind": None, "video": MediaKind.VIDEO, "audio": MediaKind.AUDIO, "image": MediaKind.IMAGE}
ORIENTATIONS = {"every shape": None, **{orientation.value: orientation for orientation in Orientation}}


@dataclass(frozen=True, slots=True)
class _RecordingFilter:
    """What the filters of recordings say: dates, and the conditions on properties."""

    after: datetime | None
    before: datetime | None
    by_file_time: bool
    properties: PropertyFilter


def read_filters() -> tuple[FileFilter, int | None]:
    """The files to search, and the limit of moments per file. Raises QueryError."""
    with st.sidebar, st.expander("Filter files", icon=":material/filter_list:"):
        kind = st.selectbox("Kind", list(KINDS), key="kind", bind="query-params")
        under = _text("In folder", "in")
        min_length = _text("Minimum length", "longer", "90s, 5m, 1:30")
        max_length = _text("Maximum length", "shorter")
        online = st.toggle("Hide offline files", key="online", bind="query-params")
        single = st.toggle("One moment per file", key="single", bind="query-params")
    with st.sidebar, st.expander("Filter recordings", icon=":material/photo_camera:"):
        recording = _read_recording_filter()
    files = FileFilter(
        under=(expand_home(under),) if under else (),
        after=recording.after, before=recording.before, kind=KINDS[kind],
        min_duration_seconds=duration_seconds(min_length) if min_length else None,
        max_duration_seconds=duration_seconds(max_length) if max_length else None,
        online=online, by_file_time=recording.by_file_time, properties=recording.properties,
    )  # fmt: skip
    return files, 1 if single else None


def _read_recording_filter() -> _RecordingFilter:
    after = _text("Recorded on or after", "after", "2026-01-31")
    before = _text("Recorded before", "before")
    by_file_time = st.toggle("Use the dates of the files", key="file-date", bind="query-params")
    camera = _text("Camera", "camera", "iPhone, Canon")
    near = _text("Near", "near", "48.858,2.294,5 (km)")
    size = _text("Size", "size", "1920x1080, 4k, >=1080p")
    rate = _text("Frame rate", "fps", "25, >=50")
    codec = _text("Codec", "codec", "h264, hevc, aac")
    orientation = st.selectbox("Shape", list(ORIENTATIONS), key="orientation", bind="query-params")
    has = st.multiselect("Has", [feature.value for feature in Feature], key="has", bind="query-params")
    properties = PropertyFilter(
        camera=camera, near=parse_area(near) if near else None, size=parse_size(size) if size else None,
        frame_rate=parse_frame_rate(rate) if rate else None, codec=codec,
        has=tuple(Feature(each) for each in has), orientation=ORIENTATIONS[orientation],
    )  # fmt: skip
    return _RecordingFilter(
        parse_time(after) if after else None, parse_time(before) if before else None, by_file_time, properties
    )


def _text(label: str, key: str, placeholder: str | None = None) -> str:
    """A text field that the URL keeps under `key`; empty if nothing was entered."""
    return (st.text_input(label, key=key, bind="query-params", placeholder=placeholder) or "").strip()
