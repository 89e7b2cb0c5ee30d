"""What can be asked, how a text falls into terms, which files are asked."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pesearch.errors import QuestionError
from pesearch.search.question import MOST_TERMS, Question, terms
from pesearch.types import Location, MediaFile, MediaInfo, MediaKind

WORDS = st.sampled_from(["siren", "a train", "red ball", "sand", "Andes", "the band", "thenar"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("siren and train", ("siren", "train")),
        ("a siren, a train and a bell", ("a siren", "a train", "a bell")),
        ("a siren, and a train", ("a siren", "a train")),
        ("siren + train & bell; drum", ("siren", "train", "bell", "drum")),
        ("a dog barks then a bell rings", ("a dog barks", "a bell rings")),
        ("siren AND Train", ("siren", "Train")),
        ("sandy island", ("sandy island",)),
        ("  a   red ball ", ("a red ball",)),
        ("siren and siren", ("siren",)),
        ("and", ()),
        ("", ()),
    ],
)
def test_terms_of_a_text(text: str, expected: tuple[str, ...]) -> None:
    assert terms(text) == expected


def test_a_sentence_of_many_parts_is_one_term() -> None:
    sentence = " and ".join(f"thing {number}" for number in range(MOST_TERMS + 1))
    assert terms(sentence) == (sentence,)


@given(st.lists(WORDS, min_size=1, max_size=5, unique=True), st.sampled_from([" and ", ", ", " + ", " then ", ";"]))
def test_terms_joined_come_apart_again(parts: list[str], between: str) -> None:
    assert terms(between.join(parts)) == tuple(parts)


@given(st.text(max_size=40))
def test_every_term_is_in_the_text_and_holds_no_other(text: str) -> None:
    whole = " ".join(text.split())
    found = terms(text)
    assert all(term and term in whole for term in found)
    assert len(found) in (0, 1) or all(terms(term) == (term,) for term in found)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"text": "  "},
        {"speech": True, "audio": Path("a.wav")},
        {"text": "siren", "k": 0},
        {"text": "siren", "after": date(2026, 3, 1), "before": date(2026, 3, 1)},
    ],
)
def test_what_cannot_be_asked(asked: dict[str, object]) -> None:
    with pytest.raises(QuestionError) as caught:
        Question(**asked)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_question_shows_its_text_and_examples() -> None:
    assert str(Question(" siren ")) == "siren"
    assert str(Question("siren", image=Path("/x/train.png"))) == "siren + train.png"
    assert str(Question(audio=Path("/x/siren.wav"))) == "siren.wav"


def media_file(*paths: str, day: date = date(2026, 5, 17)) -> MediaFile:
    noon_ns = int(datetime(day.year, day.month, day.day, 12).timestamp() * 1e9)
    places = tuple(Location(Path(path), 1, noon_ns) for path in paths)
    return MediaFile(1, "f", MediaInfo(MediaKind.AUDIO, 1.0, None, None), places)


def test_a_folder_keeps_what_lies_in_it_at_any_location() -> None:
    question = Question("x", under=Path("/media/trips"))
    assert question.allows(media_file("/media/trips/rome/a.mp4"))
    assert question.allows(media_file("/elsewhere/a.mp4", "/media/trips/a.mp4"))
    assert not question.allows(media_file("/media/trips2/a.mp4"))
    assert Question("x", under=Path("/media/a.mp4")).allows(media_file("/media/a.mp4"))


def test_a_folder_may_be_given_relative_or_through_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    inside = media_file(str(real / "a.mp4"))
    assert Question("x", under=tmp_path / "link").allows(inside)
    monkeypatch.chdir(tmp_path)
    assert Question("x", under=Path("real")).allows(inside)
    assert not Question("x", under=Path("other")).allows(inside)


def test_days_count_from_the_first_and_up_to_the_last() -> None:
    file = media_file("/a.mp4", day=date(2026, 5, 17))
    assert Question("x", after=date(2026, 5, 17)).allows(file)
    assert not Question("x", after=date(2026, 5, 18)).allows(file)
    assert Question("x", before=date(2026, 5, 18)).allows(file)
    assert not Question("x", before=date(2026, 5, 17)).allows(file)


def test_place_and_day_must_hold_of_the_same_location() -> None:
    old = Location(Path("/media/trips/a.mp4"), 1, 0)
    new = Location(Path("/other/a.mp4"), 1, int(datetime(2026, 5, 17, 12).timestamp() * 1e9))
    file = MediaFile(1, "f", MediaInfo(MediaKind.AUDIO, 1.0, None, None), (old, new))
    assert not Question("x", under=Path("/media/trips"), after=date(2026, 1, 1)).allows(file)
