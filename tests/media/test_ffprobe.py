"""Parsing of ffprobe's output with values that contain its separators and escapes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pesearch.media import ffprobe
from pesearch.media.embedded_metadata import read_embedded_metadata
from tests.media.samples import ffmpeg

ESCAPES = {"\\": r"\\", "\n": r"\n", "\r": r"\r", "\b": r"\b", "\f": r"\f", "|": r"\|"}
"""As ffprobe's documentation has them for `-of compact` (escape=c)."""

HOSTILE = "a|b\\c\nd=e\u2028f\\|g"


@given(st.dictionaries(st.sampled_from(["title", "comment", "artist"]), st.text()))
@example({"title": HOSTILE, "comment": "\\"})
@example({"title": "Â\x80"})
def test_escaped_fields_are_restored(tags: dict[str, str]) -> None:
    written = {f"tag:{name}": "".join(ESCAPES.get(each, each) for each in text) for name, text in tags.items()}
    line = "|".join(["format", *(f"{name}={text}" for name, text in written.items())])
    section = ffprobe._section(line.encode().decode("latin-1"))
    assert (section.name, section.fields) == ("format", {f"tag:{name}": text for name, text in tags.items()})


@pytest.mark.parametrize("name", ["tagged.mkv", "tagged.mp3"])
def test_tags_with_separators_are_read_from_files(tmp_path: Path, sample: Callable[[str], Path], name: str) -> None:
    path = tmp_path / name
    ffmpeg("-i", sample("tone.mp3"), "-c", "copy", "-metadata", f"title={HOSTILE}", path)
    tags = dict(read_embedded_metadata(path).tags)
    assert tags["title"] == HOSTILE


def test_more_packets_than_are_kept_end_the_program(
    sample: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ffprobe, "MAX_SECTIONS", 3)
    with pytest.raises(ffprobe.TooManySections):
        ffprobe.ffprobe(sample("tone.mp3"), "packet=pts_time")
    assert sum(1 for _ in ffprobe.packets(sample("tone.mp3"), "pts_time")) > 3
