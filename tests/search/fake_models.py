"""A model set without models: texts have hand-made vectors, and sound detection returns fixed probabilities."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace

import numpy as np

from pesearch.encoders.io_types import TextVectors
from pesearch.matching import Matching, ReferenceWindows
from pesearch.search.score.cohort import COHORT
from pesearch.types import MEDIA_SPACES, Space, SpaceName


class FakeModels:
    """Stands in for `ModelSet` with the libraries of `make_library`."""

    name = "starter"
    device = device_kind = "cpu"
    notice = None
    embeds_video = True
    event_threshold = 0.3
    reference: ReferenceWindows | None = None

    def __init__(self, texts: Mapping[str, Sequence[float]] | None = None) -> None:
        """`texts` are the vectors of texts in all spaces; those of the cohort are unit vectors in all directions."""
        self.description = SimpleNamespace(matching=Matching())
        self.spaces = tuple(Space(name, "by hand", "1", 2) for name in MEDIA_SPACES)
        self.embedded: list[str] = []
        angles = np.linspace(0, 2 * np.pi, len(COHORT), endpoint=False)
        cohort = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        self._texts = {**dict(zip(COHORT, cohort.tolist(), strict=True)), **(texts or {})}

    def embed_texts(self, texts: Sequence[str], spaces: Collection[SpaceName] = MEDIA_SPACES) -> TextVectors:
        self.embedded += texts
        vectors = np.array([self._texts[text] for text in texts], dtype=np.float32)
        by_space = {str(name): vectors if name in spaces else None for name in MEDIA_SPACES}
        return TextVectors(**by_space)
