"""What is fuzzed: our own parsers, each with inputs to start from and what must hold for every input.

A parser may refuse an input only with an error that is one line for the user.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pesearch.errors import PesearchError
from pesearch.evaluation.ground_truth import read_truths
from pesearch.evaluation.judgements import read_queries
from pesearch.export.formats import ExportFormat, render_document
from pesearch.export.json_io import parse_selections
from pesearch.media.subtitles import parse_subtitles
from pesearch.media.text_encoding import decode_text
from pesearch.search.query.file_filter import duration_seconds, parse_time
from pesearch.search.query.language.parser import parse
from pesearch.search.server.messages import QueryMessage, from_bytes
from pesearch.store.index.tokenizer import loose_phrases, parse_terms, tokenize


@dataclass(frozen=True, slots=True)
class Target:
    """`check` gets the bytes of an input, and fails when a law is broken."""

    check: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _query(data: bytes) -> None:
    text = _text(data)
    node = parse(text)
    again = parse(str(node))
    assert str(again) == str(node), "a query as it is shown means something else"


def _terms(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    words = tokenize(text)
    assert tokenize(" ".join(words)) == words
    assert {word for phrase in loose_phrases(text) for word in phrase} == set(words)
    assert all(term.words for term in parse_terms(text))


def _subtitles(data: bytes) -> None:
    text, _ = decode_text(data)
    text.encode()
    for suffix in (".srt", ".vtt", ".ass", ".sub", ".smi", ".lrc", ".ttml", ".json", ".txt"):
        try:
            lines = list(parse_subtitles(text, suffix, 25.0))
        except PesearchError:
            continue
        assert all(line.start_seconds <= line.end_seconds for line in lines)
        assert [line.start_seconds for line in lines] == sorted(line.start_seconds for line in lines)


def _export(data: bytes) -> None:
    selections = parse_selections(_text(data))
    for form in ExportFormat:
        try:
            render_document(selections, form)
        except PesearchError as error:
            assert "\n" not in str(error)


def _message(data: bytes) -> None:
    with suppress(ValueError):  # what the server refuses without an answer
        from_bytes(QueryMessage, data)


def _conditions(data: bytes) -> None:
    text = _text(data)
    for read in (parse_time, duration_seconds):
        try:
            read(text)
        except PesearchError as error:
            assert "\n" not in str(error)


def _judged(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "judged.json"
        path.write_bytes(data)
        for read in (read_truths, read_queries):
            try:
                read(path)
            except PesearchError as error:
                assert len(str(error).splitlines()) == 1


TARGETS = {
    "query": Target(
        _query,
        (
            b'heard:siren THEN seen:train WITHIN 10s', b'said:"mind the gap" -music', b"(dog OR cat)^2 AND bark*",
            b'image:"a b.png" like:~/x.wav[0:10-0:20] rain', "東京 или żółw".encode(), b'a "b c',
        ),
    ),
    "terms": Target(_terms, ("Łódź 東京タワー don't".encode(), "שָׁלוֹם مُحَمَّد".encode(), b'"mind the g*" x*')),
    "subtitles": Target(
        _subtitles,
        (
            b"1\n00:00:01,000 --> 00:00:02,500\n<i>Mind</i> the gap\n\n2\n00:00:03,000 --> 00:00:04,000\n{\\an8}x\n",
            b"WEBVTT\n\n00:01.000 --> 00:02.000 align:start\n<v Ann>Hello &amp; bye\n",
            b"[Events]\nFormat: Layer, Start, End, Text\nDialogue: 0,0:00:01.00,0:00:02.00,{\\b1}Hi\\Nthere\n",
            b"{25}{50}Mind the gap|again\n", b"[00:01.00]la la\n[00:02.00]li\n",
            b"<SAMI><BODY><SYNC Start=1000><P>Hi<SYNC Start=2000><P>&nbsp;</BODY></SAMI>",
            b'<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="1s" end="2s">Hi</p></div></body></tt>',
            "1\n00:00:01,000 --> 00:00:02,000\nПривет\n".encode("cp1251"),
        ),
    ),
    "export": Target(
        _export,
        (
            b'{"moments": [{"path": "/a/b.mp4", "start": 1.5, "end": 3, "score": 0.9, "events": [{"label": "siren", '
            b'"start": 1, "end": 2, "score": 0.5}], "media": {"kind": "video", "duration": 9, '
            b'"frames_per_second": 25}}]}',
            b'{"path": "/a.png", "start": 0, "end": 0}\n{"path": "/b.wav", "start": 1, "end": 2}\n', b"[]",
        ),
    ),
    "message": Target(
        _message, (b'{"request": {"text": "x"}, "device": "cpu", "environment": {"home": "/", "time_zone": "UTC"}}',)
    ),
    "conditions": Target(_conditions, (b"2026-01-31T12:30+02:00", b"1h30m", b"2:30", b"90s", b"2020-02-29")),
    "judged": Target(
        _judged,
        (
            b'{"clips": [{"path": "a.mp4", "caption": "x", "heard": [{"what": "siren", "start": 1.2, "end": 3}]}]}',
            b'{"queries": [{"query": "siren", "relevant": [{"path": "a.mp4", "start": 0, "end": 1, "grade": 2}]}]}',
        ),
    ),
}  # fmt: skip
