"""Decoding of text in any encoding, whole or damaged."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pesearch.errors import MediaError
from pesearch.media.mojibake import restore
from pesearch.media.text_encoding import decode_text
from tests.media.languages import SAMPLES, Sample, encoded, srt

MIN_LINES = 4
"""Subtitles that recognition needs; fewer may be read in a related encoding."""

REPLACED = "\ufffd"

AMBIGUOUS = {("fr", "mac-roman"), ("hr", "iso8859-2"), ("lt", "cp1257"), ("el", "iso8859-7")}
"""Recognised from eight whole subtitles, no fewer: all but one or two letters are the same in another encoding."""

CLEAR = [each for each in encoded() if (each[0].language, each[1]) not in AMBIGUOUS]


def clear(language: str, encoding: str) -> tuple[Sample, str]:
    return next(each for each in CLEAR if (each[0].language, each[1]) == (language, encoding))


@pytest.mark.parametrize(
    ("content", "text", "is_guess"),
    [
        ("Größe".encode(), "Größe", False),
        ("Größe".encode("utf-8-sig"), "Größe", False),
        ("Größe".encode("utf-16"), "Größe", False),
        (b"\xfe\xff" + "Größe".encode("utf-16-be"), "Größe", False),
        ("Größe".encode("utf-32"), "Größe", False),
        (b"\x00\x00\xfe\xff" + "Größe".encode("utf-32-be"), "Größe", False),
        ("Größe".encode("cp1252"), "Größe", True),
        (b"\xef\xbb\xbf" + "Größe".encode("cp1252"), "Größe", True),
        (b"a\r\nb\rc\r\r\nd", "a\nb\nc\nd", False),
        ("\ufefffirst\n\ufeffsecond".encode(), "first\nsecond", False),
        ("ありがとう、先生".encode("iso2022-jp"), "ありがとう、先生", True),
    ],
)
def test_encodings(content: bytes, text: str, is_guess: bool) -> None:
    found, remark = decode_text(content)
    assert (found, remark is not None) == (text, is_guess)


@pytest.mark.parametrize("content", [bytes(range(1, 256)), b"text\0text", b"\xff\xfea", bytes(range(256))])
def test_binary_content_is_refused(content: bytes) -> None:
    with pytest.raises(MediaError):
        decode_text(content)


@pytest.mark.parametrize(("sample", "encoding"), encoded(), ids=lambda each: getattr(each, "language", each))
def test_subtitles_in_every_encoding(sample: Sample, encoding: str) -> None:
    """As they are, in capitals, with markup, and among English lines."""
    in_capitals = sample.srt().upper()
    marked = srt(tuple(f'<font color="#ffffff"><i>{line}</i></font>' for line in sample.lines))
    english = srt(("Downloaded from www.example.com", *sample.lines, "Subtitles by somebody"))
    for text in (sample.text, sample.srt(), in_capitals, marked, english):
        found, remark = decode_text(text.encode(encoding))
        assert found == text
        assert remark is not None and ("read as" in remark)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CLEAR), st.data())
def test_decoding_undoes_encoding(case: tuple[Sample, str], data: st.DataObject) -> None:
    """For any MIN_LINES of a language, in any order."""
    sample, encoding = case
    lines = data.draw(st.permutations(sample.lines))[: data.draw(st.integers(MIN_LINES, len(sample.lines)))]
    text = srt(tuple(lines))
    assert decode_text(text.encode(encoding), sample.language)[0] == text


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(SAMPLES),
    st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]),
    st.booleans(),
)
def test_unicode_needs_no_byte_order_mark(sample: Sample, encoding: str, has_mark: bool) -> None:
    text = sample.srt()
    found, remark = decode_text((("\ufeff" if has_mark else "") + text).encode(encoding))
    assert found == text
    assert (remark is None) == (has_mark or encoding == "utf-8")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CLEAR), st.booleans(), st.integers(0), st.sampled_from([0x00, 0x80, 0x90, 0xFF]))
@example(case=clear("pl", "iso8859-2"), is_utf8=False, place=1, damage=0x80)  # would be read as Windows-1250
@example(case=clear("ja", "shift_jis"), is_utf8=False, place=5, damage=0xFF)  # would pair up with the next byte
def test_one_damaged_byte_spoils_one_character(
    case: tuple[Sample, str], is_utf8: bool, place: int, damage: int
) -> None:
    """In UTF-8 exactly one; in encodings of two bytes a character, it may take the next one with it."""
    sample, encoding = case[0], "utf-8" if is_utf8 else case[1]
    text = sample.srt()
    content = bytearray(text.encode(encoding))
    beyond_ascii = [at for at, byte in enumerate(content) if byte >= 0x80]
    assume(beyond_ascii)
    content[beyond_ascii[place % len(beyond_ascii)]] = damage
    found, _ = decode_text(bytes(content))
    spoilt = next((at for at, (was, now) in enumerate(zip(text, found, strict=False)) if was != now), len(text))
    kept = next(
        (at for at, (was, now) in enumerate(zip(text[::-1], found[::-1], strict=False)) if was != now), len(text)
    )
    assert spoilt + kept >= len(text) - (1 if is_utf8 else 2)


def test_a_damaged_byte_is_a_remark() -> None:
    found, remark = decode_text(b"caf\xc3\xa9 na\xc3\xafve \xff walrus")
    assert found == f"café naïve {REPLACED} walrus"
    assert remark == "damaged text: 1 character cannot be read"


def test_a_hole_in_a_file_is_damage() -> None:
    found, remark = decode_text("Größe ".encode() * 100 + bytes(4096) + "Mühe".encode() * 100 + bytes(500))
    assert found == "Größe " * 100 + REPLACED + "Mühe" * 100
    assert remark is not None and "damaged" in remark


def test_text_that_was_encoded_twice() -> None:
    found, remark = decode_text("Größe, Сирена".encode().decode("latin-1").encode())
    assert found == "Größe, Сирена" and remark is not None and "twice" in remark
    assert decode_text("Ã is a letter".encode()) == ("Ã is a letter", None)


def test_the_language_of_the_name_decides_in_doubt() -> None:
    """Four subtitles in Lithuanian are read as Western European, unless the name says what they are."""
    (sample,) = (each for each in SAMPLES if each.language == "lt")
    content = srt(sample.lines[:MIN_LINES]).encode("cp1257")
    assert decode_text(content)[0] != srt(sample.lines[:MIN_LINES])
    assert decode_text(content, "lt")[0] == srt(sample.lines[:MIN_LINES])


def test_a_wrong_language_in_the_name_does_no_harm() -> None:
    wrong = [
        (sample.language, encoding, language)
        for sample, encoding in encoded()
        for language in ("en", "fr", "pl", "el", "ar", "ja")
        if decode_text(sample.srt().encode(encoding), language)[0] != sample.srt()
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("title", "encoding"),
    [
        ("Сирена в ночи", "cp1251"),
        ("Σειρήνα τη νύχτα", "cp1253"),
        ("サイレンの夜", "cp932"),
        ("사이렌이 운다", "cp949"),
        ("Słyszysz? Żółta gęś", "cp1250"),
        ("הסירנה בלילה", "cp1255"),
        ("صفارة الإنذار", "cp1256"),
        ("It’s here", "cp1252"),
        ("Größe", "utf-8"),
    ],
)
def test_tags_that_were_read_as_latin_1(title: str, encoding: str) -> None:
    assert restore([title.encode(encoding).decode("latin-1"), "ASCII"])[0] == [title, "ASCII"]


TITLES = (
    "Größe Café naïve Beyoncé Björk Señorita Ænima Ça Über ÜBER ÄRGER Déjà Mötley Crüe Édith Für Rós ÅÄÖ Ñandú Ångström"
)


def test_western_titles_stay_as_they_are() -> None:
    for title in TITLES.split(" "):
        assert restore([title]) == ([title], None)


def test_titles_beyond_latin_1_stay_as_they_are() -> None:
    titles = ["Сирена", "警報", "Łódź", "naïve – café…"]
    assert restore(titles) == (titles, None)
