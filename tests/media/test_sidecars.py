"""Sidecars are found under the names and in the folders that players, rippers and subtitle sites use."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from pesearch.media.cues import read_sidecar
from pesearch.media.sidecars import Sidecars
from tests.media.languages import SAMPLES, Sample, encoded, srt

NAMES = (
    "{film}.srt",
    "{film}.{language}.srt",
    "{film}.sdh.{language}.srt",
    "{film}.{language}.forced.srt",
    "{film}_{language}.srt",
    "{film} ({language}).srt",
    "{film}.Main [SRT].{language}.srt",
    "Subs/{film}.srt",
    "Subs/{film}/2_{language}.srt",
    "Subtitles/3_{language}.SRT",
)


def place(folder: Path, *names: str) -> None:
    """Empty files in a folder and in folders in it."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(folder: Path, media: str) -> dict[str, str]:
    """Path and language of each sidecar of a media file."""
    sidecars = Sidecars().find(folder / media)
    return {each.location.path.relative_to(folder).as_posix(): each.language for each in sidecars}


@pytest.mark.parametrize(
    ("number", "sample", "encoding"),
    [(number, *case) for number, case in enumerate(encoded())],
    ids=lambda each: getattr(each, "language", each),
)
def test_words_whatever_encoding_and_name(tmp_path: Path, number: int, sample: Sample, encoding: str) -> None:
    """Each word of 41 files in 28 encodings and under ten kinds of names, and no other."""
    media = tmp_path / "Ein Film.mp4"
    media.touch()
    path = tmp_path / NAMES[number % len(NAMES)].format(film="ein film", language=sample.language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sample.srt().encode(encoding))
    (sidecar,) = Sidecars().find(media)
    reading = read_sidecar(sidecar, media, 20.0)
    assert reading.source is not None
    assert [cue.text for cue in reading.source.cues] == list(sample.lines)
    assert reading.remark is not None and "read as" in reading.remark
    assert sidecar.language == ("" if "{language}" not in NAMES[number % len(NAMES)] else sample.language)


LANGUAGES = {
    "film.en.srt": "en",
    "film.eng.srt": "eng",
    "film.en-US.srt": "en-US",
    "film.pt_BR.srt": "pt_BR",
    "film.zh-Hans.srt": "zh-Hans",
    "film.English.srt": "en",
    "film.Français.srt": "fr",
    "film.Русский.srt": "ru",
    "film.English (SDH).srt": "en",
    "film.English (US).srt": "en",
    "film.sdh.en.srt": "en",
    "film.cc.en.srt": "en",
    "film.en.forced.srt": "en",
    "film.en-forced.srt": "en",
    "film.en-orig.vtt": "en",
    "film.hi.srt": "hi",
    "film.en.hi.srt": "en",
    "film.forced.srt": "",
    "film.sdh.srt": "",
    "film.cc.srt": "",
    "film.default.forced.srt": "",
    "film.2.German.srt": "de",
    "film.this is it.srt": "",
    "film_en.srt": "en",
    "film-en.srt": "en",
    "film English.srt": "en",
    "film - English.srt": "en",
    "film [eng].srt": "eng",
    "film_Brazilian Portuguese.srt": "pt",
}


@pytest.mark.parametrize(("name", "language"), LANGUAGES.items())
def test_flags_are_not_languages(tmp_path: Path, name: str, language: str) -> None:
    place(tmp_path, "film.mp4", name)
    assert found(tmp_path, "film.mp4") == {name: language}


@pytest.mark.parametrize(
    "name", ["film - 2.srt", "film 2.en.srt", "filmography.srt", "film2.srt", "film.en.txt", "x.srt"]
)
def test_sidecars_of_other_films(tmp_path: Path, name: str) -> None:
    place(tmp_path, "film.mp4", name)
    assert found(tmp_path, "film.mp4") == {}


@pytest.mark.parametrize(("of_film", "of_sidecar"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_names_in_other_unicode_forms_and_cases(tmp_path: Path, of_film: str, of_sidecar: str) -> None:
    film = unicodedata.normalize(of_film, "Amélie Café.MP4")  # type: ignore[arg-type]  # stubs take a literal, not str
    names = [unicodedata.normalize(of_sidecar, f"amélie café{end}") for end in (".srt", ".fr.srt")]  # type: ignore[arg-type]  # stubs take a literal, not str
    place(tmp_path, film, *names)
    assert set(found(tmp_path, film)) == set(names)


def test_of_names_that_differ_in_case_only_the_same_one_counts(tmp_path: Path) -> None:
    place(tmp_path, "film.mp4", "FILM.mp4", "film.srt", "FILM.en.srt")
    assert found(tmp_path, "film.mp4") == {"film.srt": ""}
    assert found(tmp_path, "FILM.mp4") == {"FILM.en.srt": "en"}


def test_folders_of_subtitles(tmp_path: Path) -> None:
    place(tmp_path, "a.mp4", "b.mp4", "Subs/a.srt", "subtitles/b.en.srt", "Subs/b/2_English.srt", "Subs/3_French.srt")
    assert found(tmp_path, "a.mp4") == {"Subs/a.srt": ""}
    assert found(tmp_path, "b.mp4") == {"Subs/b/2_English.srt": "en", "subtitles/b.en.srt": "en"}


def test_unnamed_subtitles_in_a_folder_belong_to_the_only_film(tmp_path: Path) -> None:
    place(tmp_path, "film.mp4", "poster.jpg", "Subs/3_French.srt", "Subs/other.srt")
    assert found(tmp_path, "film.mp4") == {"Subs/3_French.srt": "fr"}
    assert found(tmp_path, "poster.jpg") == {}


def test_of_the_files_of_a_recogniser_one_is_read(tmp_path: Path) -> None:
    """Whisper writes five; its plain text is found to be the same later."""
    place(tmp_path, "a.mp4", "a.srt", "a.json", "a.tsv", "b.mp4", "b.json", "b.tsv")
    assert set(found(tmp_path, "a.mp4")) == {"a.srt"}
    assert set(found(tmp_path, "b.mp4")) == {"b.json", "b.tsv"}


def test_the_language_of_the_name_helps_to_recognise_the_encoding(tmp_path: Path) -> None:
    (sample,) = (each for each in SAMPLES if each.language == "lt")
    place(tmp_path, "film.mp4", "film.Lithuanian.srt")
    (tmp_path / "film.Lithuanian.srt").write_bytes(srt(sample.lines[:4]).encode("cp1257"))
    (sidecar,) = Sidecars().find(tmp_path / "film.mp4")
    reading = read_sidecar(sidecar, tmp_path / "film.mp4", 20.0)
    assert reading.source is not None
    assert [cue.text for cue in reading.source.cues] == list(sample.lines[:4])
    assert reading.remark == "not UTF-8: read as Windows-1257"


def test_links_in_circles_hide_no_sidecars(tmp_path: Path) -> None:
    place(tmp_path, "film.mp4", "film.srt", "Subs/film.de.srt")
    for folder in (tmp_path, tmp_path / "Subs"):
        (folder / "first").symlink_to("second")
        (folder / "second").symlink_to("first")
    assert found(tmp_path, "film.mp4") == {"film.srt": "", "Subs/film.de.srt": "de"}
