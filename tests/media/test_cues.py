"""Cues of real files: streams, chapters, tags and sidecars."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pesearch.cues import Cue, CueKind, CueSource
from pesearch.locations import Location
from pesearch.media.cues import MAX_SIDECAR_BYTES, CueReadResult, read_embedded_cues, read_sidecar
from pesearch.media.probe import probe
from pesearch.media.sidecars import Sidecars
from tests.media.samples import ffmpeg

SRT = "1\n00:00:01,000 --> 00:00:02,000\nMind the gap\n\n2\n00:00:03,000 --> 00:00:09,000\nStand clear\n"
TAGS = (
    ";FFMETADATA1\ntitle=Going | home\ncomment=By train\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=Doors\n"
)


def subtitled(folder: Path, sample: Path, name: str, *codecs: str) -> Path:
    """The sample with subtitle streams, tags and a chapter in a container of that name."""
    (folder / "of.srt").write_text(SRT)
    (folder / "of.txt").write_text(TAGS)
    made = folder / name
    coded = [
        part for n, codec in enumerate(codecs) for part in (f"-c:s:{n}", codec, f"-metadata:s:s:{n}", "language=eng")
    ]
    ffmpeg(
        "-i", sample, "-i", folder / "of.srt", "-i", folder / "of.txt", "-map", "0", *["-map", "1"] * len(codecs),
        "-map_metadata", "2", "-map_chapters", "2", "-c", "copy", *coded, made,
    )  # fmt: skip
    (folder / "of.srt").unlink()
    (folder / "of.txt").unlink()
    return made


def read_sidecars(media: Path) -> list[CueReadResult]:
    return [read_sidecar(each, media, 4.0) for each in Sidecars().find(media)]


def cues(reading: CueReadResult) -> tuple[Cue, ...]:
    assert reading.source is not None
    return reading.source.cues


def rows(reading: CueReadResult) -> list[tuple[float, float, str, CueKind]]:
    return [(cue.start_seconds, cue.end_seconds, cue.text, cue.kind) for cue in cues(reading)]


@pytest.mark.parametrize(
    ("name", "codecs"), [("film.mp4", ["mov_text"]), ("film.mkv", ["subrip", "ass"]), ("film.mov", ["mov_text"])]
)
def test_embedded_subtitles_chapters_and_tags(
    tmp_path: Path, sample: Callable[[str], Path], name: str, codecs: list[str]
) -> None:
    media = subtitled(tmp_path, sample("both.mp4"), name, *codecs)
    info = probe(media)
    reading = read_embedded_cues(media, info)
    end = info.duration_seconds
    assert reading.remark is None
    found = cues(reading)
    said = [cue for cue in found if cue.kind is CueKind.SUBTITLE]
    assert [(cue.text, cue.language) for cue in said] == [
        (text, "eng") for text in ("Mind the gap", "Stand clear") for _ in codecs
    ]
    assert [cue.start_seconds for cue in said] == pytest.approx([1.0] * len(codecs) + [3.0] * len(codecs), abs=0.05)
    assert said[-1].end_seconds == end  # clipped to the end of the file
    assert {cue.source for cue in said} == {f"stream {2 + number}" for number in range(len(codecs))}
    rest = [cue for cue in found if cue.kind is not CueKind.SUBTITLE]
    assert {(cue.end_seconds, cue.text, cue.kind) for cue in rest} == {
        (2.0, "Doors", CueKind.CHAPTER),
        (end, "Going | home", CueKind.TITLE),
        (end, "By train", CueKind.DESCRIPTION),
    }


def test_times_are_on_the_players_clock(tmp_path: Path, sample: Callable[[str], Path]) -> None:
    """In a container whose clock starts at 5 s, a cue or chapter at 6 s of its clock is at 1 s."""
    plain = subtitled(tmp_path, sample("both.mp4"), "plain.mkv", "subrip")
    late, chapters = tmp_path / "late.mkv", tmp_path / "chapters.txt"
    chapters.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=6000\nEND=8000\ntitle=Doors\n")
    moved = ["-map", "0", "-map_chapters", "1", "-c", "copy", "-output_ts_offset", "5"]
    ffmpeg("-i", plain, "-i", chapters, *moved, late)
    found = cues(read_embedded_cues(late, probe(late)))
    said = [cue for cue in found if cue.kind is CueKind.SUBTITLE]
    assert [cue.start_seconds for cue in said] == pytest.approx([1.0, 3.0], abs=0.05)
    (chapter,) = (cue for cue in found if cue.kind is CueKind.CHAPTER)
    assert (chapter.start_seconds, chapter.end_seconds) == pytest.approx((1.0, 3.0), abs=0.05)


def test_a_file_without_metadata_and_a_still_have_no_cues(sample: Callable[[str], Path]) -> None:
    for name in ("tone.wav", "cover.png"):
        assert cues(read_embedded_cues(sample(name), probe(sample(name)))) == ()


def test_unreadable_media_is_a_remark(tmp_path: Path, sample: Callable[[str], Path]) -> None:
    info = probe(sample("both.mp4"))
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(b"\0" * 1000)
    reading = read_embedded_cues(damaged, info)
    assert reading.source == CueSource(None, None, ()) and reading.remark is not None
    reading = read_embedded_cues(tmp_path / "gone.mp4", info)
    assert reading.source is None and reading.remark is not None


def test_sidecars_belong_to_the_longest_matching_name(tmp_path: Path) -> None:
    names = ["film.mp4", "film.part2.mp4", "film.srt", "film.en.srt", "film.pt-BR.forced.vtt", "film.part2.de.srt",
             "film.mp4.ASS", "other.srt", "film.txt", "film.notes.txt", "film.info.json", ".srt"]  # fmt: skip
    for name in names:
        (tmp_path / name).write_text(name)
    (tmp_path / "film.x.srt").mkdir()
    sidecars = Sidecars()
    found = {
        media: {(each.location.path.name, each.suffix, each.language) for each in sidecars.find(tmp_path / media)}
        for media in ("film.mp4", "film.part2.mp4", "film.srt", "absent.mp4")
    }
    assert found == {
        "film.mp4": {
            ("film.srt", ".srt", ""),
            ("film.en.srt", ".srt", "en"),
            ("film.pt-BR.forced.vtt", ".vtt", "pt-BR"),
            ("film.mp4.ASS", ".ass", ""),
            ("film.txt", ".txt", ""),
            ("film.info.json", ".info.json", ""),
        },
        "film.part2.mp4": {("film.part2.de.srt", ".srt", "de")},
        "film.srt": set(),
        "absent.mp4": set(),
    }
    assert Sidecars().find(tmp_path / "no folder" / "film.mp4") == []


def test_the_language_in_a_sidecars_name_is_that_of_its_cues(tmp_path: Path) -> None:
    media = tmp_path / "film.mp4"
    media.touch()
    for name in ("film.de.srt", "film.pt-BR.forced.srt", "film.srt"):
        (tmp_path / name).write_text(SRT)
    found = {cue.source: cue.language for reading in read_sidecars(media) for cue in cues(reading)}
    assert found == {"film.de.srt": "de", "film.pt-BR.forced.srt": "pt-BR", "film.srt": ""}


def test_undecodable_names(tmp_path: Path) -> None:
    media = tmp_path / os.fsdecode(b"caf\xe9 \n.mp4")
    media.touch()
    media.with_suffix(".srt").write_text(SRT)
    (reading,) = read_sidecars(media)
    assert reading.remark is None
    assert reading.source is not None and reading.source.sidecar == Location.of_file(media.with_suffix(".srt"))
    assert cues(reading)[0].source == "caf\\udce9 \n.srt"


def test_info_json_of_yt_dlp(tmp_path: Path) -> None:
    media = tmp_path / "film.mp4"
    media.touch()
    chapters = [{"start_time": 0, "end_time": 2.5, "title": "Doors"}, {"start_time": 2.5, "title": "Gap"}, 7]
    info = {
        "title": "Going home",
        "description": "By train.\n\nAt night.",
        "tags": ["train", 3],
        "chapters": chapters,
    }
    (tmp_path / "film.info.json").write_text(json.dumps(info))
    (reading,) = read_sidecars(media)
    assert rows(reading) == [
        (0.0, 2.5, "Doors", CueKind.CHAPTER),
        (0.0, 4.0, "Going home", CueKind.TITLE),
        (0.0, 4.0, "By train.", CueKind.DESCRIPTION),
        (0.0, 4.0, "At night.", CueKind.DESCRIPTION),
        (0.0, 4.0, "train,", CueKind.DESCRIPTION),
        (2.5, 4.0, "Gap", CueKind.CHAPTER),
    ]


def test_plain_captions_span_the_whole_file(tmp_path: Path) -> None:
    media = tmp_path / "clip.mp4"
    media.touch()
    (tmp_path / "clip.txt").write_text("A dog runs.\n\n  A dog \t barks. \n")
    (reading,) = read_sidecars(media)
    assert rows(reading) == [
        (0.0, 4.0, "A dog runs.", CueKind.DESCRIPTION),
        (0.0, 4.0, "A dog barks.", CueKind.DESCRIPTION),
    ]


def test_times_are_clipped_to_the_file(tmp_path: Path) -> None:
    media = tmp_path / "clip.mp4"
    media.touch()
    ass = "[Events]\nFormat: Start, End, Text\n" + "".join(
        f"Dialogue: {start},{end},{text}\n"
        for start, end, text in [
            ("-0:00:02.00", "0:00:01.00", "begun before"),
            ("0:00:03.00", "0:00:01.00", "backwards"),
            ("0:00:02.00", "0:59:00.00", "too long"),
            ("0:58:00.00", "0:59:00.00", "never shown"),
        ]
    )
    (tmp_path / "clip.ass").write_text(ass)
    (reading,) = read_sidecars(media)
    assert [(start, end, text) for start, end, text, _ in rows(reading)] == [
        (0.0, 1.0, "begun before"),
        (2.0, 4.0, "too long"),
        (3.0, 3.0, "backwards"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("clip.srt", bytes(range(256)) * 50, "binary|encoding"),
        ("clip.srt", b"", "no subtitles"),
        ("clip.vtt", b"WEBVTT\n", "no subtitles|cannot be read"),
        ("clip.info.json", b"{", "JSON"),
        ("clip.info.json", b"[" * 100_000, "JSON"),
        ("clip.info.json", b"[]", "yt-dlp"),
        ("clip.txt", b"a line\n" + b"\n".join(b"%d" % number for number in range(100_001)), "more than"),
    ],
)
def test_a_malformed_sidecar_is_a_remark(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    media = tmp_path / "clip.mp4"
    media.touch()
    (tmp_path / name).write_bytes(content)
    (reading,) = read_sidecars(media)
    assert reading.source == CueSource(Location.of_file(tmp_path / name), media, ())
    assert reading.remark is not None
    assert any(part in reading.remark for part in why.split("|"))


def test_a_huge_sidecar_is_not_read(tmp_path: Path) -> None:
    media = tmp_path / "clip.mp4"
    media.touch()
    with (tmp_path / "clip.srt").open("wb") as sparse:
        sparse.truncate(MAX_SIDECAR_BYTES + 1)
    (reading,) = read_sidecars(media)
    assert cues(reading) == () and reading.remark is not None and "MB" in reading.remark


def test_a_guessed_encoding_is_a_remark(tmp_path: Path) -> None:
    media = tmp_path / "clip.mp4"
    media.touch()
    (tmp_path / "clip.srt").write_bytes(SRT.replace("gap", "größte").encode("cp1252"))
    (reading,) = read_sidecars(media)
    assert cues(reading)[0] == Cue(1.0, 2.0, "Mind the größte", CueKind.SUBTITLE, "clip.srt")
    assert reading.remark is not None and "Windows-1252" in reading.remark


def test_a_deleted_sidecar_has_no_source(tmp_path: Path) -> None:
    media = tmp_path / "clip.mp4"
    media.touch()
    (tmp_path / "clip.srt").write_text(SRT)
    (sidecar,) = Sidecars().find(media)
    (tmp_path / "clip.srt").unlink()
    reading = read_sidecar(sidecar, media, 4.0)
    assert reading.source is None
    assert reading.remark is not None and "no such file" in reading.remark


TELEMETRY = "".join(
    f"{n}\n00:00:00,{n:03} --> 00:00:00,{n + 33:03}\n[iso: 100] [shutter: 1/500.0] [latitude: 51.{n}]\n\n"
    for n in range(0, 990, 33)
)


def test_telemetry_is_left_out(tmp_path: Path, sample: Callable[[str], Path]) -> None:
    """In a sidecar (DJI_0001.SRT) and in a stream (DJI's MP4)."""
    film = tmp_path / "DJI_0001.MP4"
    (tmp_path / "DJI_0001.SRT").write_text(TELEMETRY)
    both = ["-i", sample("tone.wav"), "-i", tmp_path / "DJI_0001.SRT", "-map", "0", "-map", "1"]
    ffmpeg(*both, "-c:a", "aac", "-c:s", "mov_text", film)
    (of_sidecar,) = read_sidecars(film)
    for reading in (of_sidecar, read_embedded_cues(film, probe(film))):
        assert [cue.text for cue in cues(reading)] == []
        assert reading.remark is not None and "telemetry" in reading.remark


def test_subtitles_that_begin_at_the_timecode_of_the_film(tmp_path: Path, sample: Callable[[str], Path]) -> None:
    film = tmp_path / "film.mov"
    ffmpeg("-i", sample("silent.mp4"), "-c", "copy", "-timecode", "10:20:30:00", film)
    (tmp_path / "film.srt").write_text("1\n10:20:31,000 --> 10:20:32,000\nMind the gap\n")
    (reading,) = read_sidecars(film)
    assert rows(reading) == [(1.0, 2.0, "Mind the gap", CueKind.SUBTITLE)]
    assert reading.remark == "timecodes from 10:20:30.0 on: counted from there"


def test_microdvd_counts_the_frames_of_the_film(tmp_path: Path, sample: Callable[[str], Path]) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(sample("silent.mp4").read_bytes())
    (tmp_path / "film.sub").write_text("{25}{50}Mind the gap\n")
    (reading,) = read_sidecars(film)
    assert rows(reading) == [(1.0, 2.0, "Mind the gap", CueKind.SUBTITLE)]
