"""Telemetry in subtitles: drones and cameras write positions, exposure and clocks many times a second."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_SAMPLE = 2000
"""So many texts are looked at."""

_MIN_TEXTS = 5
"""Fewer texts are telemetry only by their terms."""

_MIN_NUMBERS = 2
_MIN_SHARE = 0.7
"""Share of the texts that must have at least _MIN_NUMBERS numbers and be alike but for them."""

_NUMBER = re.compile(r"[+-]?\d+(?:[.,:/]\d+)*")
_WORD = re.compile(r"[^\W\d_]+")
_TERMS = re.compile(
    r"\b(?:gps|lat(?:itude)?|lon(?:gitude|gtitude)?|(?:rel_|abs_)?alt(?:itude)?|barometer|iso|shutter|fnum|focal_len|"
    r"ev|ss|framecnt|srtcnt|difftime|home|km/h|mph|m/s|h\.s|v\.s|gyro|pitch|yaw|roll|heading|ct|dzoom_ratio)\b"
    r"|\bf/\d",
    re.IGNORECASE,
)
"""What DJI, Autel, GoPro and dashcams name their values."""

_MIN_TERMS = 3
"""Terms, with numbers, of a text that is telemetry whatever the others are."""


def is_telemetry(texts: Sequence[str]) -> bool:
    """Whether texts of subtitles are measurements rather than speech: nearly all have several numbers, and differ in
    little else; or name what they measure."""
    sample = [text for text in texts[:_SAMPLE] if text.strip()]
    numbered = [text for text in sample if len(_NUMBER.findall(text)) >= _MIN_NUMBERS]
    if not sample or len(numbered) < _MIN_SHARE * len(sample):
        return False
    named = sum(len({term.lower() for term in _TERMS.findall(text)}) >= _MIN_TERMS for text in numbered)
    if named >= _MIN_SHARE * len(sample):
        return True
    forms = Counter(" ".join(_WORD.findall(_NUMBER.sub(" ", text.lower()))) for text in numbered)
    return len(sample) >= _MIN_TEXTS and forms.most_common(1)[0][1] >= _MIN_SHARE * len(sample)
