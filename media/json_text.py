"""JSON of sidecars, bounded in memory."""

from __future__ import annotations

import json
from typing import Any

from pesearch.errors import MediaError

_MAX_VALUES = 2_000_000
"""Values of one file, about 60 bytes each in memory. A transcript of a day with times of words has 1,000,000."""


def parse_json(text: str) -> Any:
    """The value of a JSON text. Errors: MediaError if it is none, or has more than 2,000,000 values."""
    if text.count(",") + text.count("[") + text.count("{") > _MAX_VALUES:
        raise MediaError(f"more than {_MAX_VALUES:,} values of JSON: left out")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MediaError("damaged: not JSON") from error
