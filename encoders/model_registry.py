"""Registry of model sets: the source, size and dimension of each model.

Revisions: PE-AV's are those that the mteb benchmark evaluates; those of PE-A-Frame small and large and of PE-Core are
pinned alike by independent public projects. For PE-A-Frame base no revision could be verified: it is "main", and
`pesearch models pull` says so.
Sizes: four bytes per parameter plus the tokenizer files, accurate to about one per cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pesearch.errors import UnknownModel
from pesearch.matching import UNMEASURED, Matching
from pesearch.types import SpaceName

PACKAGE_FOLDER = Path(__file__).parent
"""Folder of the packaged sets."""

PACKAGED = "packaged"
"""`revision` of models that are part of this package; a hash of their weights takes its place in libraries."""

COMMIT_DIGITS = 40
"""Hexadecimal digits of a commit, as the Hugging Face hub names revisions."""

REFERENCE_THRESHOLD = 0.3
"""The probability above which the reference implementation of PE-A-Frame reports a sound."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model: a repository of the Hugging Face hub, or a folder of this package (`revision` PACKAGED).

    `part` is its role and its folder's name in a model set on disk: pe_core, pe_av or pe_a_frame. `dim` is the
    dimension of its vectors, `image_size` the side in pixels of the square that frames are resized to.
    """

    part: str
    repo: str
    revision: str
    size_bytes: int
    dim: int
    image_size: int | None = None
    licence: str = "Apache-2.0"

    @property
    def packaged(self) -> bool:
        """Whether the weights are part of this package."""
        return self.revision == PACKAGED

    @property
    def is_pinned(self) -> bool:
        """Whether `revision` names one state of the model, and not a branch, which changes."""
        return self.packaged or len(self.revision) == COMMIT_DIGITS

    @property
    def packaged_folder(self) -> Path:
        """Folder of a packaged model."""
        return PACKAGE_FOLDER / self.repo / self.part


@dataclass(frozen=True, slots=True)
class ModelSetDescription:
    """Three models that build and query a library together. `notice` is shown whenever the set is used.

    `event_threshold` is the probability above which a sound is detected. It was measured for the starter set only; the
    other sets have the reference threshold, which was never measured with pesearch's post-processing of their output.
    `matching` holds the constants of scores.
    """

    name: str
    summary: str
    frames: ModelSource
    windows: ModelSource
    events: ModelSource
    space_names: tuple[SpaceName, ...]
    notice: str | None = None
    event_threshold: float = REFERENCE_THRESHOLD
    matching: Matching = UNMEASURED

    @property
    def sources(self) -> tuple[ModelSource, ModelSource, ModelSource]:
        """The three models: frames, windows, events."""
        return self.frames, self.windows, self.events

    @property
    def is_packaged(self) -> bool:
        """Whether the set is part of this package: for demo and tests, not for anybody's own media."""
        return all(source.packaged for source in self.sources)

    @property
    def is_tiny(self) -> bool:
        """Whether the models are so small that overhead exceeds computation: they run on one thread."""
        return self.size_bytes < TINY_BYTES

    @property
    def size_bytes(self) -> int:
        """Total size of the weights on disk."""
        return sum(source.size_bytes for source in self.sources)


TINY_BYTES = 100_000_000
"""Sets below this size are `is_tiny`."""

ALL_SPACES = (SpaceName.FRAME, SpaceName.VIDEO, SpaceName.AUDIO, SpaceName.AUDIO_VIDEO)
"""Spaces of a set with a video tower."""

_CORE_B = ModelSource(
    "pe_core", "timm/PE-Core-B-16", "0038414f37721c5eafc1a5e0da802d291c909de3", 1_791_000_000, 1024, 224
)
_CORE_L = ModelSource(
    "pe_core", "timm/PE-Core-L-14-336", "8eff41b3f687e50a323662c2dda5eb3588c6dd35", 2_684_000_000, 1024, 336
)
_AV_SMALL = ModelSource(
    "pe_av", "facebook/pe-av-small-16-frame", "9f888eea95c83622212bb742e91bf01d3b46fe96", 3_392_000_000, 1024, 336
)
_AV_BASE = ModelSource(
    "pe_av", "facebook/pe-av-base-16-frame", "3fd870e60a1099fb99367b240d41926e183d7112", 4_139_000_000, 1024, 336
)
_AV_LARGE = ModelSource(
    "pe_av", "facebook/pe-av-large-16-frame", "446d823f089b1301a0ff37175ab283b6927db757", 8_943_000_000, 1024, 336
)
_EVENTS_SMALL = ModelSource(
    "pe_a_frame", "facebook/pe-a-frame-small", "e5fc71c1f0be50279f52f292390b589780079e13", 1_762_352_391, 1024
)
_EVENTS_BASE = ModelSource("pe_a_frame", "facebook/pe-a-frame-base", "main", 2_244_000_000, 1024)
_EVENTS_LARGE = ModelSource(
    "pe_a_frame", "facebook/pe-a-frame-large", "40187271298f84e2966d4518c88dde698540c9ad", 5_824_000_000, 1024
)

MODEL_SETS: dict[str, ModelSetDescription] = {
    description.name: description
    for description in (
        ModelSetDescription(
            "starter",
            "included, for demo and tests: knows only a small generated world",
            ModelSource("pe_core", "starter", PACKAGED, 8_000_000, 128, 64),
            ModelSource("pe_av", "starter", PACKAGED, 6_500_000, 128, 64),
            ModelSource("pe_a_frame", "starter", PACKAGED, 3_000_000, 128),
            ALL_SPACES,
            notice="The starter models know only the small generated world they were trained on; "
            "for your own media use --model small (GPU) or --model light (CPU).",
            event_threshold=0.75,  # measured (`benchmarks.events`): loud noise scores up to this as birds
            matching=Matching(measured_on="generated clips and noise on their vectors (benchmarks.separation)"),
        ),
        ModelSetDescription(
            "small", "default with a CUDA GPU; best on speech", _CORE_L, _AV_SMALL, _EVENTS_SMALL, ALL_SPACES
        ),
        ModelSetDescription("base", "better on sounds than small", _CORE_L, _AV_BASE, _EVENTS_BASE, ALL_SPACES),
        ModelSetDescription(
            "large", "best on sounds and pictures, weaker on speech", _CORE_L, _AV_LARGE, _EVENTS_LARGE, ALL_SPACES
        ),
        ModelSetDescription(
            "light",
            "default without a GPU: frames and sounds, no video tower",
            _CORE_B,
            _AV_SMALL,
            _EVENTS_SMALL,
            (SpaceName.FRAME, SpaceName.AUDIO),
        ),
    )
}


def describe(name: str) -> ModelSetDescription:
    """The model set of that name. Raises UnknownModel, which lists the known names."""
    if name not in MODEL_SETS:
        raise UnknownModel(f"There is no model set {name!r}. Choose one of: {', '.join(MODEL_SETS)}.")
    return MODEL_SETS[name]


def default_model_set() -> str:
    """The default set: small with a CUDA GPU, else light. It may not be installed."""
    from pesearch.encoders.device_selection import cuda_available

    return "small" if cuda_available() else "light"
