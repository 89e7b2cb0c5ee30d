"""The text side of PE-AV and PE-A-Frame: tokenizer, ModernBERT and heads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pesearch.encoders.model_files import read_json, remedy
from pesearch.encoders.numpy_models.cores import embed_in_batches
from pesearch.encoders.numpy_models.layers import layer_norm, linear
from pesearch.encoders.numpy_models.mapped_weights import MappedWeights
from pesearch.encoders.numpy_models.modern_bert import ModernBert, ModernBertConfig
from pesearch.encoders.numpy_models.unsupported import UnsupportedModel
from pesearch.encoders.preprocess import MAX_TEXT_TOKENS
from pesearch.errors import ModelDamaged
from pesearch.types import FloatArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PREFIXES = ("text_model.", "audio_model.text_model.", "video_model.text_model.")
"""A checkpoint holds one of the copies of the text tower, under any of these names."""

TOKENIZERS = ("PreTrainedTokenizerFast", "TokenizersBackend")
"""Classes of transformers that are tokenizer.json and nothing else."""

HEAD_EPSILON = 1e-6
"""Of the layer norm of a head: no configuration has it."""


class TextModel:
    """The text tower of a folder. Thread-safe."""

    def __init__(self, folder: Path, weights: MappedWeights, threads: int) -> None:
        """Raises UnsupportedModel, ModelDamaged."""
        prefix = next((each for each in PREFIXES if f"{each}embeddings.norm.weight" in weights), None)
        if prefix is None:
            raise UnsupportedModel("text tower under other names")
        self._tower = ModernBert(
            ModernBertConfig.read(read_json(folder / "config.json").get("text_config", {})), weights, prefix
        )
        self._width = weights[f"{prefix}embeddings.norm.weight"].size
        self._threads = threads
        self._tokenizer = _load_tokenizer(folder)

    def states(self, texts: Sequence[str]) -> FloatArray:
        """The input of the text heads, [texts, width]."""
        tokens = [self._tokenizer.encode(text).ids for text in texts]
        return embed_in_batches(tokens, self._tower.cls_states, self._width, self._threads)


def apply_head(weights: MappedWeights, name: str, states: FloatArray) -> FloatArray:
    """States [..., width] to vectors [..., dim] by the contrastive head of that name."""
    norm = weights[f"{name}.layer_norm.weight"], weights[f"{name}.layer_norm.bias"]
    return linear(layer_norm(states, *norm, HEAD_EPSILON), weights[f"{name}.proj.weight"])


def _load_tokenizer(folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    config = read_json(folder / "tokenizer_config.json")
    if (kind := config.get("tokenizer_class")) not in TOKENIZERS:
        raise UnsupportedModel(f"tokenizer of the class {kind}")
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # tokenizers raises nothing more specific; kept as the cause, and shown
        raise ModelDamaged(f"{folder} has an unreadable tokenizer ({error}): {remedy(folder)}.") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(min(MAX_TEXT_TOKENS, config.get("model_max_length", MAX_TEXT_TOKENS)))
    return tokenizer
