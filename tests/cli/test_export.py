"""`pesearch export` of moments that `pesearch query` printed."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import opentimelineio as otio
import pytest

from pesearch.media.probe import probe
from pesearch.store.library import Library
from tests.cli.conftest import Run, one_line

FILM = {"path": "/offline/film.mp4", "start": 2.0, "end": 8.0}


@pytest.fixture
def found(tmp_path: Path) -> Path:
    path = tmp_path / "found.json"
    path.write_text(json.dumps({"query": "siren", "moments": [FILM]}))
    return path


@pytest.mark.slow
def test_query_piped_into_export(pesearch: Run, sample_library: Library, tmp_path: Path) -> None:
    """Through a real pipe into a process of its own; the EDL is read back and is exact to the frame."""
    found = pesearch("query", "siren", "-k", "3", "--library", sample_library.folder, "--json").stdout
    export = [sys.executable, "-m", "pesearch", "export", "-", "--to", tmp_path / "my cuts.edl"]
    subprocess.run(export, input=found, text=True, check=True, capture_output=True, timeout=240)
    moments = json.loads(found)["moments"]
    assert any(moment["path"].endswith("siren_train.mp4") for moment in moments)
    assert all(moment["media"]["duration"] >= moment["end"] for moment in moments)
    timeline = otio.adapters.read_from_file(str(tmp_path / "my cuts.edl"), "cmx_3600", rate=30)
    sound = next(track for track in timeline.tracks if track.kind == otio.schema.TrackKind.Audio)
    assert [Path(clip.name).name for clip in sound.find_clips()] == [Path(each["path"]).name for each in moments]
    for clip, moment in zip(sound.find_clips(), moments, strict=True):
        assert clip.source_range.start_time.to_seconds() == pytest.approx(moment["start"], abs=1 / 60 + 1e-6)
        assert clip.source_range.end_time_exclusive().to_seconds() == pytest.approx(moment["end"], abs=1 / 60 + 1e-6)


@pytest.mark.parametrize("form", ["csv", "json", "m3u", "edl", "otio", "fcpxml", "vtt"])
def test_every_document_of_an_offline_file(pesearch: Run, found: Path, form: str) -> None:
    result = pesearch("export", found, "--as", form)
    assert result.returncode == 0, result.stderr
    assert ("siren" in result.stdout) and ("film.mp4" in result.stdout or form == "vtt")
    warning = "25 frames per second from 00:00:00:00 assumed for 1 moments, whose files are offline or unreadable\n"
    assert result.stderr == (warning if form in ("edl", "otio", "fcpxml") else "")


@pytest.mark.parametrize("form", ["csv", "edl", "otio", "fcpxml"])
def test_timelines_warn_of_timecodes_that_were_not_read(pesearch: Run, tmp_path: Path, form: str) -> None:
    """The library knows the rate of an offline file; its timecode is read when exporting."""
    film, sound = {"kind": "video", "duration": 60.0, "frames_per_second": 25.0}, {"kind": "audio", "duration": 60.0}
    still = {"kind": "image", "duration": 0.0, "frames_per_second": 0.0}
    (tmp_path / "unreadable.mp4").write_bytes(b"no film")
    moments = [
        FILM | {"media": film},
        FILM | {"media": film, "path": str(tmp_path / "unreadable.mp4")},
        FILM | {"media": sound | {"channels": 2}, "path": "/offline/sound.wav"},
        FILM | {"media": still, "path": "/offline/still.png", "start": 0.0, "end": 0.0},
    ]
    (tmp_path / "found.json").write_text(json.dumps(moments))
    result = pesearch("export", tmp_path / "found.json", "--as", form)
    warning = "timecode 00:00:00:00 assumed for 3 moments, whose files are offline or unreadable\n"
    assert (result.returncode, result.stderr) == (0, "" if form == "csv" else warning)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--as", "csv", "--reencode"), "--reencode is for --as clips: csv has no media to encode"),
        (("--to", "x.edl", "--reencode"), "--reencode is for --as clips: edl has no media to encode"),
        (
            ("--as", "csv", "--to", "x.edl"),
            "--as csv contradicts the name x.edl: leave out --as, or choose another name",
        ),
        (
            ("--as", "clips", "--to", "x.m3u8"),
            "--as clips contradicts the name x.m3u8: leave out --as, or choose another name",
        ),
    ],
)
def test_options_that_contradict_each_other_write_nothing(
    pesearch: Run, found: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = pesearch("export", found, *options)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"pesearch: {message}\n")
    assert not list(tmp_path.glob("x.*"))


def test_a_format_goes_into_any_folder_and_any_other_name(pesearch: Run, found: Path, tmp_path: Path) -> None:
    (tmp_path / "old.edl").mkdir()
    result = pesearch("export", found, "--as", "csv", "--to", tmp_path / "old.edl")
    assert (result.returncode, result.stdout) == (0, f"{tmp_path / 'old.edl/moments.csv'}\n")
    assert pesearch("export", found, "--as", "m3u", "--to", tmp_path / "list.m3u8").returncode == 0
    assert pesearch("export", found, "--as", "csv", "--to", tmp_path / "table.txt").returncode == 0


def test_the_extension_selects_the_format(pesearch: Run, found: Path, tmp_path: Path) -> None:
    assert pesearch("export", found, "--to", tmp_path / "a.m3u8").returncode == 0
    assert (tmp_path / "a.m3u8").read_text().startswith("#EXTM3U\n")
    assert pesearch("export", found, "--to", tmp_path / "a.M3U", "--pad", "1.5").returncode == 0
    assert "start-time=0.500" in (tmp_path / "a.M3U").read_text()


def test_chapters_replace_those_of_an_earlier_export_only(pesearch: Run, tmp_path: Path) -> None:
    """Films of the same name keep a document each, and a document of someone else is never replaced."""
    moments, foreign = tmp_path / "found.json", tmp_path / "film.chapters_2.vtt"
    foreign.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nOpening\n")
    names = ["film.chapters.vtt", "film.chapters_3.vtt"]
    for start in (2.0, 4.0):
        films = [FILM | {"path": f"/offline/{folder}/film.mp4", "start": start, "end": start + 1} for folder in "ab"]
        moments.write_text("\n".join(map(json.dumps, films)))
        result = pesearch("export", moments, "--to", tmp_path, "--as", "vtt")
        assert result.stdout.splitlines() == [str(tmp_path / name) for name in names]
        assert all(f"00:00:0{start:.3f} -->" in (tmp_path / name).read_text() for name in names)
    assert "Opening" in foreign.read_text()
    assert sorted(path.name for path in tmp_path.glob("*.vtt")) == sorted([*names, foreign.name])


def test_a_folder_that_does_not_exist_is_created(pesearch: Run, tmp_path: Path) -> None:
    """For the chapters of several files, and where the name ends with a slash; one file's chapters are a file."""
    films = [FILM, FILM | {"path": "/offline/other.mp4"}]
    for name, moments in (("one.json", films[:1]), ("two.json", films)):
        (tmp_path / name).write_text(json.dumps(moments))
    several = pesearch("export", tmp_path / "two.json", "--as", "vtt", "--to", tmp_path / "new/chapters")
    assert several.returncode == 0, several.stderr
    names = ["film.chapters.vtt", "other.chapters.vtt"]
    assert several.stdout.splitlines() == [str(tmp_path / "new/chapters" / name) for name in names]
    assert pesearch("export", tmp_path / "two.json", "--as", "csv", "--to", f"{tmp_path}/tables/").returncode == 0
    assert (tmp_path / "tables/moments.csv").is_file()
    assert pesearch("export", tmp_path / "one.json", "--as", "vtt", "--to", tmp_path / "chapters").returncode == 0
    assert (tmp_path / "chapters").read_text().startswith("WEBVTT")
    refused = pesearch("export", tmp_path / "two.json", "--to", tmp_path / "all.vtt")
    assert "from 2 files: use --to FOLDER" in one_line(refused.stderr)
    blocked = pesearch("export", tmp_path / "two.json", "--as", "vtt", "--to", tmp_path / "chapters/below/")
    assert (blocked.returncode, one_line(blocked.stderr)) == (
        2, f"pesearch: cannot create {tmp_path / 'chapters/below'}: Not a directory",
    )  # fmt: skip


@pytest.mark.slow
def test_clips_and_their_exit_codes(pesearch: Run, sample_media: Path, found: Path, tmp_path: Path) -> None:
    siren = {"path": str(sample_media / "siren_train.mp4"), "start": 2.0, "end": 3.0}
    found.write_text("\n".join(json.dumps(each) for each in (siren, FILM)))
    result = pesearch("export", found, "--as", "clips", "--to", tmp_path / "clips", "--pad", "0.5", "--reencode")
    assert result.returncode == 3
    (clip,) = (tmp_path / "clips").iterdir()
    assert result.stdout == f"{clip}\n"
    assert probe(clip).duration_seconds == pytest.approx(2.0, abs=1 / 15)
    assert "failed: /offline/film.mp4: offline: connect its drive" in result.stderr
    found.write_text(json.dumps(siren))
    copied = pesearch("export", found, "--as", "clips", "--to", tmp_path / "clips")
    assert copied.returncode == 0
    assert "key frame" in copied.stderr
    found.write_text(json.dumps(FILM))
    assert pesearch("export", found, "--as", "clips", "--to", tmp_path / "clips").returncode == 2


def test_dev_stdout_is_stdout(pesearch: Run, found: Path) -> None:
    result = pesearch("export", found, "--as", "csv", "--to", "/dev/stdout")
    assert (result.returncode, result.stdout) == (0, pesearch("export", found, "--as", "csv").stdout)
    assert "siren" in result.stdout


def test_a_full_device_is_named(pesearch: Run, found: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = pesearch("export", found, "--as", "csv", "--to", "/dev/full")
    assert (result.returncode, result.stdout) == (2, "")
    assert one_line(result.stderr) == "pesearch: cannot write /dev/full: No space left on device"
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr("pesearch.export.formats.render_document", Mock(side_effect=full))
    result = pesearch("export", found, "--as", "csv")
    assert result.returncode == 2
    assert one_line(result.stderr) == "pesearch: cannot write the output: No space left on device"


def test_a_split_edl_names_files_of_an_earlier_export(
    pesearch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments, cuts = tmp_path / "found.json", tmp_path / "cuts.edl"
    media = {"kind": "image", "duration": 0.0}
    moments.write_text(json.dumps([FILM | {"media": media}] * 1000))
    written = [tmp_path / f"cuts-{number}.edl" for number in (1, 2)]
    first = pesearch("export", moments, "--to", cuts)
    assert (first.returncode, first.stderr) == (0, "more than 999 events: written as 2 documents\n")
    assert sorted(tmp_path.glob("*.edl")) == written
    for old in (cuts, tmp_path / "cuts-3.edl"):
        old.write_text("old")
    _, *named = pesearch("export", moments, "--to", cuts).stderr.splitlines()
    assert named == [
        f"{cuts} is of an earlier export, and was not replaced",
        f"{tmp_path / 'cuts-3.edl'} is of an earlier export, and was not replaced",
    ]
    assert cuts.read_text() == "old"
    monkeypatch.chdir(tmp_path)
    assert pesearch("export", moments, "--as", "edl", "--to", ".").stdout == "moments-1.edl\nmoments-2.edl\n"


def test_nothing_to_export(pesearch: Run, found: Path) -> None:
    for text in ("", '{"query": "violin", "moments": []}'):
        found.write_text(text)
        result = pesearch("export", found, "--as", "csv")
        assert (result.returncode, result.stdout) == (1, "")
        assert "nothing to export" in result.stderr


def test_errors_are_one_line(pesearch: Run, sample_media: Path, found: Path, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("a film")
    stale = {"path": str(sample_media / "bell.mp4"), "start": 62.0, "end": 63.0}
    (tmp_path / "stale.json").write_text(json.dumps([stale, stale]))
    (tmp_path / "bad.json").write_text('{"moments": [{"path": "/a"}]}')
    for arguments, message in (
        ((tmp_path / "none.json", "--as", "csv"), "No such file"),
        ((tmp_path / "film.mp4", "--as", "csv"), "use the output of `pesearch query --json` or --jsonl"),
        ((tmp_path / "bad.json", "--as", "csv"), "`start`"),
        ((found,), "--as"),
        ((found, "--to", tmp_path / "cuts.xyz"), "--as"),
        ((found, "--as", "clips"), "--to FOLDER"),
        ((found, "--as", "csv", "--to", tmp_path / "film.mp4"), "already exists"),
        ((found, "--to", tmp_path / "no folder" / "a.csv"), f"there is no folder {tmp_path / 'no folder'}"),
        ((tmp_path / "stale.json", "--as", "edl"), "ends at 00:04.0, before the moment at 01:02.0 (1 more such"),
        ((found, "--as", "clips", "--to", tmp_path / "film.mp4"), "cannot write"),
    ):
        result = pesearch("export", *arguments)
        assert (result.returncode, result.stdout) == (2, ""), arguments
        assert message in one_line(result.stderr)
    assert (tmp_path / "film.mp4").read_text() == "a film"
