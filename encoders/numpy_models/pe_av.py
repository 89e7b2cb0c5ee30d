"""The text side of PE-AV: vectors for each space, and the learned probabilities."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pesearch.encoders.io_types import Calibration
from pesearch.encoders.model_files import ModelFolder, weight_files
from pesearch.encoders.numpy_models.mapped_weights import MappedWeights
from pesearch.encoders.numpy_models.text_model import TextModel, apply_head
from pesearch.encoders.pe_av_heads import TEXT_HEADS, calibrated_pair
from pesearch.types import FloatArray, SpaceName


class NumpyPeAvText:
    """The text tower and heads in a folder; `embed_texts` and `calibration` equal those of `PeAv`."""

    def __init__(self, folder: ModelFolder, threads: int) -> None:
        """Raises UnsupportedModel, ModelDamaged."""
        self._weights = MappedWeights(weight_files(folder.path, "pe_av"))
        self._text = TextModel(folder.path, self._weights, threads)

    def embed_texts(self, texts: Sequence[str], spaces: Collection[SpaceName]) -> dict[SpaceName, FloatArray]:
        """Texts to float32 [n, dim] for each of `spaces`. Raises ModelDamaged."""
        states = self._text.states(texts)
        return {space: apply_head(self._weights, f"{TEXT_HEADS[space]}_head", states) for space in spaces}

    def calibration(self, space: SpaceName, query_space: SpaceName | None) -> Calibration | None:
        """Scale and bias for a query of `space` by a text or a vector of `query_space`; None if none was learned."""
        name = calibrated_pair(space, query_space)
        if name is None:
            return None
        scale, bias = (self._weights[f"{name}_logit_{part}"].item() for part in ("scale", "bias"))
        return Calibration(scale, bias)
