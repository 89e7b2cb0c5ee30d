"""Vectors of texts that every search compares with, `indexes/texts.npz`: a cache that can be deleted at any time.

To embed them takes the text towers of a large model set up to a minute on a CPU.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from pesearch.store.disk.durable import write_atomically
from pesearch.store.index.ivf_file import INDEX_FOLDER
from pesearch.types import FloatArray, Space, SpaceName

_KEY = "made_for"


def read_text_vectors(folder: Path, spaces: Sequence[Space], texts: Sequence[str]) -> dict[SpaceName, FloatArray]:
    """The vectors of `texts` in each space of the library in `folder`, float32 [texts, dim]; empty if they are missing,
    damaged, or were made for other texts or model revisions."""
    try:
        with np.load(BytesIO(_path(folder).read_bytes()), allow_pickle=False) as content:
            if str(content[_KEY]) != _key(spaces, texts):
                return {}
            return {SpaceName(name): content[name] for name in content.files if name != _KEY}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return {}


def keep_text_vectors(
    folder: Path, spaces: Sequence[Space], texts: Sequence[str], vectors: Mapping[SpaceName, FloatArray]
) -> None:
    """Store the vectors of `texts`. A read-only folder or a full disk is not an error."""
    path = _path(folder)
    named: dict[str, Any] = {space.value: values for space, values in vectors.items()}
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, lambda sink: np.savez(sink, made_for=_key(spaces, texts), **named), durable=False)


def _key(spaces: Sequence[Space], texts: Sequence[str]) -> str:
    made_for = [[space.name.value, space.model, space.revision, space.dim] for space in spaces]
    return hashlib.sha256(json.dumps([made_for, list(texts)]).encode()).hexdigest()


def _path(folder: Path) -> Path:
    return folder / INDEX_FOLDER / "texts.npz"
