"""Making a small library be searched as a large one is."""

from __future__ import annotations

import pytest

from pesearch.store import compressed, renewal, vectors


def compress(patch: pytest.MonkeyPatch) -> None:
    """Every space has a compressed index, which every writer brings up to its last row; all else is as it is."""
    patch.setattr(vectors, "EXACT_BYTES", 0)
    patch.setattr(renewal, "LEAST_NEW_ROWS", 0)
    patch.setattr(renewal, "NEW_SHARE", 0)


def compress_without_loss(patch: pytest.MonkeyPatch) -> None:
    """As `compress`, with a shortlist of all rows: so the answers must be exact."""
    compress(patch)
    patch.setattr(compressed, "SMALL_CHOICE", 0)
    patch.setattr(compressed, "SHORTLIST", 1 << 30)
