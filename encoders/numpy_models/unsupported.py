"""What the NumPy models cannot run."""

from __future__ import annotations


class UnsupportedModel(Exception):
    """A model whose configuration or tokenizer the NumPy models do not know; torch runs it."""
