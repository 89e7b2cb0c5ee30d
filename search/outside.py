"""Does a model set know where its world ends? Words outside it should score under words inside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pesearch.search.metrics import Scores, auroc
from pesearch.search.question import Question
from pesearch.search.search import search

if TYPE_CHECKING:
    from pesearch.encoders.model_set import ModelSet
    from pesearch.store.library import Library


def best_scores(words: Sequence[str], library: Library, models: ModelSet) -> Scores:
    """The score of the best moment for each word, [words]; 0 where there is none."""
    answers = (search(library, models, Question(word, k=1)) for word in words)
    return np.array([answer.moments[0].score if answer.moments else 0.0 for answer in answers])


def known_from_unknown(inside: Sequence[str], outside: Sequence[str], library: Library, models: ModelSet) -> float:
    """AUROC of the best moment's score: the chance that a word inside the world scores above one outside it."""
    scores = best_scores([*inside, *outside], library, models)
    return auroc(scores, np.arange(len(scores)) < len(inside))
