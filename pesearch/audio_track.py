"""The audio track that a user wants to be searched, where a file has several."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pesearch.errors import QueryError

_ISO_639 = (
    ("ar", "ara"), ("bg", "bul"), ("ca", "cat"), ("cs", "ces", "cze"), ("da", "dan"), ("de", "deu", "ger"),
    ("el", "ell", "gre"), ("en", "eng"), ("es", "spa"), ("et", "est"), ("eu", "eus", "baq"), ("fa", "fas", "per"),
    ("fi", "fin"), ("fr", "fra", "fre"), ("he", "heb"), ("hi", "hin"), ("hr", "hrv"), ("hu", "hun"), ("id", "ind"),
    ("is", "isl", "ice"), ("it", "ita"), ("ja", "jpn"), ("ko", "kor"), ("lt", "lit"), ("lv", "lav"),
    ("mk", "mkd", "mac"), ("ms", "msa", "may"), ("nl", "nld", "dut"), ("no", "nor", "nob"), ("pl", "pol"),
    ("pt", "por"), ("ro", "ron", "rum"), ("ru", "rus"), ("sk", "slk", "slo"), ("sl", "slv"), ("sq", "sqi", "alb"),
    ("sr", "srp"), ("sv", "swe"), ("th", "tha"), ("tr", "tur"), ("uk", "ukr"), ("vi", "vie"), ("zh", "zho", "chi"),
)  # fmt: skip
"""Codes of the same language in ISO 639-1 and both forms of 639-2."""

_NUMBER = re.compile(r"[1-9][0-9]{0,2}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """The number of an audio stream among those of its file, from 1, or its language (ISO 639)."""

    wanted: str

    def find(self, languages: list[str]) -> int | None:
        """The index of the wanted one of a file's audio streams, given their languages; None if there is none."""
        if self.wanted.isdigit():
            return int(self.wanted) - 1 if int(self.wanted) <= len(languages) else None
        return next((index for index, language in enumerate(languages) if self._is_language(language.lower())), None)

    def _is_language(self, language: str) -> bool:
        codes = next((codes for codes in _ISO_639 if self.wanted.partition("-")[0] in codes), (self.wanted,))
        return language == self.wanted or language.partition("-")[0] in codes

    def __str__(self) -> str:
        return self.wanted


def parse_audio_track(text: str) -> AudioTrack | None:
    """The value of `--audio-track`; None for `auto`, the rule of players. Raises QueryError if it is neither."""
    wanted = text.strip().lower()
    if wanted == "auto":
        return None
    if _NUMBER.fullmatch(wanted) or _LANGUAGE.fullmatch(wanted):
        return AudioTrack(wanted)
    raise QueryError(f"{text!r} is no audio track: use a number (1 is the first), a language such as `eng`, or `auto`")
