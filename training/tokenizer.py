"""The tokenizer of the starter's PE-AV and PE-A-Frame: WordPiece over the world's words, and single letters."""

import string
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from pesearch.encoders.lazy_imports import load_transformers
from training.questions import sample_questions
from training.words import OUTSIDE_TRAIN

SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[UNK]")
MAX_TOKENS = 128  # in a text


def build_tokenizer(seed: int = 0, texts: int = 20_000) -> Any:
    """A PreTrainedTokenizerFast that knows each word of the training texts and splits others into letters.

    Save it before its first use: padding becomes part of its file, and processors then fail to load it.
    """
    words = _words(np.random.default_rng([seed, 3]), texts)
    letters = string.ascii_lowercase + string.digits
    pieces = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *string.punctuation, *words]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    )
    return load_transformers().PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        unk_token="[UNK]",
        model_max_length=MAX_TOKENS,
    )


def kept_tokenizer(folder: Path, seed: int) -> Any:
    """The tokenizer in `folder`, built there on first use: weights belong to one vocabulary."""
    if not (folder / "tokenizer.json").exists():
        build_tokenizer(seed).save_pretrained(folder)
    return load_transformers().AutoTokenizer.from_pretrained(folder)


def _words(rng: np.random.Generator, texts: int) -> list[str]:
    """The words of texts about known things, sorted. Nouns from outside the world are left out, so that all look
    unknown."""
    known = [question.text.lower() for question in sample_questions(rng, texts) if "unknown" not in question.facts]
    split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    words = {word for text in known for word, _ in split(text) if word.isalpha()}
    return sorted(words - set(OUTSIDE_TRAIN))
